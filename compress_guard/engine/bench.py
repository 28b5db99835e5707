"""One guard in one process: its model and data, its rate plans, its clean evidence, and its cells one by one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, final

from compress_guard.codecs.contract import Codec
from compress_guard.engine.coding import Coder, available_codec
from compress_guard.engine.prediction import Progress, coded_batch
from compress_guard.engine.samples import Survey
from compress_guard.engine.settings import RunSettings, device_name, effective_limit
from compress_guard.engine.subject import CountProgress, Subject, Subset
from compress_guard.errors import CodecError, CodecUnavailable, RunError
from compress_guard.records import (
    Cell,
    CellResult,
    CodecSpec,
    Evidence,
    Guard,
    Judgement,
    PlannedRate,
    RatePlan,
    Verdict,
    format_bpp,
)
from compress_guard.store import Store
from compress_guard.verdict import Remembered, judge, settle

NAMED_ERRORS: Final = 5
"""Failed images that a result names."""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A cell's result with what it rests on."""

    result: CellResult
    evidence: Evidence | None = None
    clean_evidence: Evidence | None = None
    problem: RunError | None = None
    """What went wrong, for whoever wants the traceback."""


@dataclass(slots=True, eq=False)
class _Draft:
    """What is known of a cell so far: an error later on takes none of it back."""

    result: CellResult

    def note(self, **values: Any) -> CellResult:
        self.result = replace(self.result, **values)
        return self.result


def _silent(what: str, done: int, total: int) -> None:
    """Progress for nobody."""


@final
class Bench:
    """Measures the cells of one guard on its subject."""

    def __init__(self, guard: Guard, subject: Subject, settings: RunSettings) -> None:
        self.guard: Final = guard
        self._subject: Final = subject
        self._settings: Final = settings
        self._store: Final = Store(settings.store_folder)
        self._clean_scorers: Final[dict[tuple[int | None, tuple[str, ...]], Remembered]] = {}
        self._plans: Final[dict[tuple[CodecSpec, int | None], tuple[Coder, RatePlan]]] = {}

    def measure(self, cell: Cell, node_id: str, progress: Progress = _silent) -> Measured:
        """Measure one cell and judge it. Never raises for what the cell itself can go wrong with."""
        started = time.perf_counter()
        predicted = self._subject.predictions
        draft = _Draft(self._blank(cell, node_id))
        try:
            measured = self._measure(cell, draft, progress)
        except RunError as problem:
            judgement = _without_evidence(_verdict_of(problem), str(problem))
            measured = Measured(self._settle(draft.result, judgement), problem=problem)
        result = replace(
            measured.result,
            predictions=self._subject.predictions - predicted,
            seconds=time.perf_counter() - started,
        )
        return replace(measured, result=result)

    def _measure(self, cell: Cell, draft: _Draft, progress: Progress) -> Measured:
        codec = available_codec(cell.codec)
        limit = effective_limit(cell, self._settings)
        subset = self._subject.subset(limit)
        draft.note(codec_version=codec.version, images=subset.survey.images)
        self._check_failures(draft, subset.survey, {})
        coder, plan = self._plan(cell, codec, limit, subset, progress)
        planned = plan.at(cell.bpp)
        draft.note(**_rate_fields(subset.survey, coder, planned))
        self._check_failures(draft, subset.survey, coder.failures)
        if not planned.reachable:
            why = unreachable(cell, planned, self.guard.rate)
            return Measured(self._settle(draft.result, _without_evidence("unreachable", why)))
        clean_evidence = self._subject.clean_evidence(limit, partial(progress, f"predicting {self.guard.name} clean"))
        before = coder.encoded_pixels
        evidence = self._compressed_evidence(subset, coder, planned, partial(progress, f"predicting {cell.name}"))
        # Where the store cannot keep streams they are made once more.
        again = (coder.encoded_pixels - before) / sum(info.pixels for info in subset.survey.infos)
        used = set(evidence.ids)
        lost = {at for at, info in enumerate(subset.survey.infos) if info.id not in used}
        draft.note(**_rate_fields(subset.survey, coder, planned.without(lost)))
        draft.note(encodes=(draft.result.encodes or 0.0) + again)
        self._check_failures(draft, subset.survey, coder.lost(planned))
        clean_evidence = clean_evidence.select(evidence.ids)
        judgement = self._judge(cell, clean_evidence, evidence, limit)
        result = self._with_judgement(draft.result, cell, judgement, len(evidence.ids))
        return Measured(result, evidence, clean_evidence)

    def _plan(
        self, cell: Cell, codec: Codec, limit: int | None, subset: Subset, progress: Progress
    ) -> tuple[Coder, RatePlan]:
        """The plan of all rates that the file asks of this codec, whatever cells were selected."""
        if (cell.codec, limit) not in self._plans:
            coder = Coder(codec, subset.samples, subset.survey, self._store, self._settings.workers)
            coder.progress = partial(progress, f"coding {self.guard.name} with {cell.codec.alias}")
            self._plans[cell.codec, limit] = coder, coder.plan(self.guard, cell.codec.alias, self._settings.seed)
            coder.progress = None
        return self._plans[cell.codec, limit]

    def _compressed_evidence(
        self, subset: Subset, coder: Coder, planned: PlannedRate, progress: CountProgress
    ) -> Evidence:
        makers = [
            partial(coded_batch, subset.samples, subset.survey, coder, planned, positions, self._subject.device)
            for positions in self._subject.batches(subset)
        ]
        return self._subject.evidence(makers, len(subset.survey.usable), progress)

    def _judge(self, cell: Cell, clean_evidence: Evidence, evidence: Evidence, limit: int | None) -> Judgement:
        task = self._subject.task
        # Cells compare with the same clean images unless one of them failed to code: bootstrap those once.
        key = (limit, evidence.ids)
        if key not in self._clean_scorers:
            self._clean_scorers[key] = Remembered(task.scorer(self.guard.metric, clean_evidence.items))
        return judge(
            self._clean_scorers[key],
            task.scorer(self.guard.metric, evidence.items),
            metric=self.guard.metric,
            max_drop=cell.max_drop,
            min_score=cell.min_score,
            confidence=self.guard.confidence,
            seed=self._settings.seed,
            images=len(evidence.ids),
        )

    # What becomes of it

    def _check_failures(self, draft: _Draft, surveyed: Survey, lost: Mapping[int, str]) -> None:
        failed = surveyed.failed_ids(lost)
        draft.note(errors=len(failed), error_ids=failed[:NAMED_ERRORS])
        surveyed.check_failures(lost, self.guard.max_error_share)

    def _blank(self, cell: Cell, node_id: str) -> CellResult:
        return CellResult(
            id=node_id,
            guard=self.guard.name,
            task=self.guard.task,
            metric=self.guard.metric,
            codec=cell.codec.alias,
            target_bpp=cell.bpp,
            verdict="error",
            outcome="failed",
            settled_by="policy",
            reason="",
            rate=self.guard.rate,
            device=device_name(self._subject.device),
            seed=self._settings.seed,
            confidence=self.guard.confidence,
            rate_tolerance=self.guard.rate_tolerance,
            limit=effective_limit(cell, self._settings),
            max_drop=cell.max_drop,
            min_score=cell.min_score,
        )

    def _with_judgement(self, result: CellResult, cell: Cell, judgement: Judgement, used: int) -> CellResult:
        drop, score = judgement.drop, judgement.score_interval
        result = replace(
            result,
            images_used=used,
            clean_score=judgement.clean_score,
            score=judgement.score,
            drop=drop.value if drop else None,
            drop_low=drop.low if drop else None,
            drop_high=drop.high if drop else None,
            score_low=score.low if score else None,
            score_high=score.high if score else None,
        )
        reason = f"{judgement.reason}: {cell.codec.alias} at {cell.bpp:g} bpp, {used} images"
        return self._settle(result, replace(judgement, reason=reason))

    def _settle(self, result: CellResult, judgement: Judgement) -> CellResult:
        settlement = settle(
            judgement,
            max_drop=result.max_drop,
            min_score=result.min_score,
            policy=self.guard.policy,
            strict=self._settings.strict,
        )
        reason = f"{judgement.reason}; {settlement.note}" if settlement.note else judgement.reason
        return replace(
            result,
            verdict=judgement.verdict,
            outcome=settlement.outcome,
            settled_by=settlement.settled_by,
            reason=reason,
        )


def _rate_fields(surveyed: Survey, coder: Coder, planned: PlannedRate) -> dict[str, Any]:
    """What a planned rate says in a result."""
    coded = [
        (info.pixels, length)
        for info, length in zip(surveyed.infos, planned.lengths, strict=True)
        if length is not None
    ]
    return {
        "bpp_mean": planned.bpp_mean,
        "bpp_pooled": 8 * sum(length for _, length in coded) / sum(pixels for pixels, _ in coded) if coded else None,
        "bpp_se": planned.bpp_se,
        "bits": "coded",
        "settings": tuple(planned.setting_counts.items()),
        "mixed": planned.mixed,
        "off_target": planned.off_target,
        "floor_bpp": planned.floor,
        "encodes": planned.encodes * coder.made_share,
    }


def _without_evidence(verdict: Verdict, reason: str) -> Judgement:
    return Judgement(None, None, None, None, verdict, reason)


def _verdict_of(problem: RunError) -> Verdict:
    if isinstance(problem, CodecUnavailable):
        return "unavailable"
    return "codec_error" if isinstance(problem, CodecError) else "error"


def unreachable(cell: Cell, planned: PlannedRate, mode: str) -> str:
    """What to say of a rate below the floor of the codec."""
    floor = "its floor" if planned.floor is None else f"{planned.floor:.3f} bpp"
    what = (
        "the mean goes down to" if mode == "dataset" else f"{planned.off_target} images are stuck, the highest floor is"
    )
    return (
        f"{cell.codec.alias} cannot reach {format_bpp(cell.bpp)[:-3]} bpp on these images: {what} {floor}; "
        "ask for a rate above that, larger images or another codec"
    )
