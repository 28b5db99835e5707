"""A recovery cell's result before anything is measured."""

from __future__ import annotations

from compress_guard.engine.recovery.evaluation import evaluation_limit
from compress_guard.engine.recovery.trainer import BUILT_IN
from compress_guard.engine.settings import RunSettings
from compress_guard.records import Guard, Recovery, RecoveryCell, RecoveryResult


def draft(guard: Guard, recovery: Recovery, cell: RecoveryCell, node_id: str, settings: RunSettings) -> RecoveryResult:
    """Return the result without measured values, as an `error` without a reason, which a verdict replaces."""
    waiver = guard.waiver(cell.name)
    return RecoveryResult(
        id=node_id,
        guard=guard.name,
        task=guard.task,
        metric=guard.metric,
        codec=cell.codec.alias,
        trained_bpp=cell.bpp,
        trained_quality=cell.quality,
        verdict="error",
        outcome="failed",
        settled_by="policy",
        reason="",
        confidence=guard.confidence,
        min_recovered=cell.min_recovered,
        steps=recovery.steps,
        batch=recovery.batch,
        seeds=recovery.seeds,
        learning_rate=recovery.learning_rate,
        trainer=recovery.trainer or BUILT_IN,
        limit=evaluation_limit(recovery, settings.limit),
        seed=settings.seed,
        waived_until=None if waiver is None else waiver.until,
        limit_line=cell.line,
    )
