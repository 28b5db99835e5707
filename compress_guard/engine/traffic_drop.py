"""The drop of each guard on average over its traffic, from the evidence that its cells have left in the run folder.

The cells of a guard may have been measured by several processes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from compress_guard.engine.cells.resamples import KeptResamples
from compress_guard.engine.evidence_files import kept_evidence, kept_groups
from compress_guard.engine.prediction.shards import digest
from compress_guard.engine.settings import RunSettings
from compress_guard.engine.trouble import attempted
from compress_guard.errors import RunError, error_text
from compress_guard.records import Cell, CellResult, Evidence, Guard, Thresholds, TrafficResult
from compress_guard.registry import TASKS, code_of
from compress_guard.tasks.contract import Task
from compress_guard.tasks.scorer import Scorer
from compress_guard.verdict import Remembered
from compress_guard.verdict.grouped.groups import Groups, Sampled
from compress_guard.verdict.weighted import weighted_drop, weighted_score


class _Unusable(Exception):
    """A drop that cannot be computed; the message is the reason."""


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """Evidence of one cell on both sides, and the share of the traffic that it stands for."""

    share: float
    clean: Evidence
    compressed: Evidence
    groups: Mapping[str, str]
    """The group of each image; empty if images stand alone."""


def traffic_results(
    thresholds: Thresholds, results: Iterable[CellResult], settings: RunSettings
) -> list[TrafficResult]:
    """Return the drop over the traffic of each guard that has the key, and of which the run has a result.

    `results` are those of the run. A guard with a cell that has a share and no drop has a reason in place of figures.
    """
    measured: dict[str, dict[str, CellResult]] = {}
    for result in results:
        measured.setdefault(result.guard, {})[result.id.rpartition("::")[2]] = result
    return [
        _result(guard, shares, measured[guard.name], settings)
        for guard in thresholds.guards
        if (shares := _shares(guard)) and guard.name in measured
    ]


def _shares(guard: Guard) -> dict[Cell, float]:
    return {cell: cell.traffic for cell in guard.cells if cell.traffic is not None}


def _result(
    guard: Guard, shares: Mapping[Cell, float], measured: Mapping[str, CellResult], settings: RunSettings
) -> TrafficResult:
    begun = TrafficResult(
        guard.name, guard.metric, min(sum(shares.values()), 1.0), len(shares), confidence=guard.confidence
    )
    reasons = {cell: reason for cell in shares if (reason := _obstacle(cell, measured)) is not None}
    if reasons:
        first = next(iter(reasons))
        others = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return replace(
            begun,
            missing=tuple(_node_id(cell, measured) for cell in reasons),
            reason=f"{first.name} {reasons[first]}{others}",
        )
    if (wrong := next((name for name, result in measured.items() if result.verdict == "error"), None)) is not None:
        return replace(begun, reason=f"{wrong} is an error, which may concern all cells of the guard")

    def combined() -> TrafficResult:
        return _combined(guard, begun, list(_sides(shares, measured, settings.run_folder)), settings)

    try:
        made = attempted(combined, _Unusable)
    except _Unusable as problem:
        return replace(begun, reason=str(problem))
    return replace(begun, reason=error_text(made)) if isinstance(made, RunError) else made


def _obstacle(cell: Cell, measured: Mapping[str, CellResult]) -> str | None:
    """Return the reason why a cell has no drop of all its images; None for one that has."""
    result = measured.get(cell.name)
    if result is None:
        return "was not measured"
    if result.scores.drop is None:
        return f"has no drop: {result.verdict.replace('_', ' ')}"
    return "was stopped early" if result.stopped_early else None


def _node_id(cell: Cell, measured: Mapping[str, CellResult]) -> str:
    """Return the node id of a cell, which one without a result shares with the others but for its name."""
    if cell.name in measured:
        return measured[cell.name].id
    file = next(iter(measured.values())).id.rpartition("::")[0]
    return f"{file}::{cell.name}"


def _sides(shares: Mapping[Cell, float], measured: Mapping[str, CellResult], folder: Path) -> Iterator[_Side]:
    for cell, share in shares.items():
        result = measured[cell.name]
        clean, compressed = (kept_evidence(folder, result, side) for side in ("clean", "compressed"))
        groups = kept_groups(folder, result)
        if clean is None or compressed is None or groups is None or len(compressed.ids) != result.images_used:
            raise _Unusable(f"the evidence of {cell.name} could not be kept")
        yield _Side(share, clean, compressed, dict(zip(compressed.ids, groups, strict=False)))


def _combined(guard: Guard, begun: TrafficResult, sides: Sequence[_Side], settings: RunSettings) -> TrafficResult:
    common = set.intersection(*(set(side.compressed.ids) for side in sides))
    ids = [name for name in sides[0].compressed.ids if name in common]
    if not ids:
        raise _Unusable("its cells have no image in common")
    task = TASKS.resolve(guard.task)()
    made = _Scorers(task, guard.metric, settings)
    clean = [(made.scorer(evidence), share) for evidence, share in _clean(sides, ids)]
    compressed = [(made.scorer(side.compressed.select(ids)), side.share) for side in sides]
    names = sides[0].groups
    groups = Groups.of([names[image] for image in ids]) if names else None
    drop = weighted_drop(clean, compressed, Sampled(len(ids), settings.seed, groups), guard.confidence)
    if drop is None:
        raise _Unusable(f"{guard.metric} is undefined on the {len(ids)} images that its cells have in common")
    return replace(
        begun,
        images=len(ids),
        drop=drop.value,
        drop_low=drop.low,
        drop_high=drop.high,
        clean_score=weighted_score(clean, len(ids)),
    )


def _clean(sides: Sequence[_Side], ids: Sequence[str]) -> list[tuple[Evidence, float]]:
    """Return each clean side of the cells with the shares of all cells that are compared with it.

    With ``reference: input`` it is not the same for all: it depends on how a codec scales and crops.
    """
    found: dict[bytes, tuple[Evidence, float]] = {}
    for side in sides:
        evidence = side.clean.select(ids)
        name = digest(evidence.items)
        first, share = found.get(name, (evidence, 0.0))
        found[name] = (first, share + side.share)
    return list(found.values())


@dataclass(frozen=True, slots=True, eq=False)
class _Scorers:
    """Scorers of one metric, whose resampled scores are those that judged the cells where the store has them."""

    task: Task
    metric: str
    settings: RunSettings

    def scorer(self, evidence: Evidence) -> Scorer:
        scorer: Scorer = self.task.scorer(self.metric, evidence.items)
        if scorer.flags is not None:
            return scorer
        name = self.metric + code_of(type(self.task))
        return Remembered(scorer, KeptResamples(self.settings.store(), name, evidence))
