"""Losses of the slices of a guard's images, and their part in a cell's verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast

from compress_guard.errors import DataError
from compress_guard.records import Cell, Evidence, Guard, Interval, Judgement, SliceResult, Slicing, Verdict
from compress_guard.tasks.contract import Task
from compress_guard.thresholds.keys.slices import OBJECT_SIZE, SIZES
from compress_guard.verdict import judge
from compress_guard.verdict.grouped.groups import Groups, Sampled
from compress_guard.verdict.sentence import of_drop

MOST_SLICES: Final = 100
"""Most slices of one slicing: each is judged by itself, and beside many others it means little."""

SlicesById: TypeAlias = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Slices of each usable image of the data set, by image id and slicing; see `Survey.slices_by_id`."""


def slice_values(slices: SlicesById) -> dict[str, tuple[str, ...]]:
    """Return the slices in the data by slicing: sizes and numbers by their size, then texts in alphabetical order.

    Raises `DataError` for a slicing with more than a hundred.
    """
    occurring: dict[str, set[str]] = {}
    for image in slices.values():
        for slicing, several in image.items():
            occurring.setdefault(slicing, set()).update(several)
    for slicing, values in occurring.items():
        if len(values) > MOST_SLICES:
            raise DataError(
                f"slices {slicing}: the images fall into {len(values)} slices; expected at most {MOST_SLICES}; put "
                "them into groups with a factory package.module:callable"
            )
    return {slicing: tuple(sorted(values, key=_rank)) for slicing, values in occurring.items()}


def judged_slices(cell: Cell, slices: SlicesById) -> int:
    """Return the number of slices in the data that have a limit in this cell, used or not."""
    return sum(
        allowed_drop(cell, slicing, value) is not None
        for slicing, values in slice_values(slices).items()
        for value in values
    )


def allowed_drop(cell: Cell, slicing: str, value: str) -> float | None:
    """Return the limit of a slice in this cell, in points: its own, else that of all slices of the slicing."""
    limits = {limit.value: limit.max_drop for limit in cell.slice_limits if limit.slicing == slicing}
    return limits.get(value, limits.get(None))


def cell_confidence(guard: Guard, judged: int) -> float:
    """Return the confidence for a cell and its `judged` slices with a limit: 1 - (1 - confidence) / (judged + 1)."""
    # 1 - (1 - 0.95) is not 0.95, and without limits of slices nothing may change.
    return 1 - (1 - guard.confidence) / (judged + 1) if judged else guard.confidence


def judge_slices(  # noqa: PLR0913 - a cell's evidence on both sides, and what judges it
    guard: Guard,
    cell: Cell,
    task: Task,
    slices: SlicesById,
    clean: Evidence,
    compressed: Evidence,
    seed: int,
    groups: Mapping[str, str] | None = None,
) -> tuple[SliceResult, ...]:
    """Judge every slice of a cell, slicing by slicing, on the images of `compressed`; `clean` has at least these.

    Slices with a limit are judged at `cell_confidence`, the others are ``unjudged`` with intervals at the guard's own
    confidence; so are slices whose score is undefined. A slice that only a limit names comes with 0 images, so that a
    misspelt name is visible. `groups` are those of the images by id, if they belong together. The order of the images
    makes no difference. Raises `DataError` as `slice_values` does.
    """
    values = slice_values(slices)
    strict = cell_confidence(guard, judged_slices(cell, slices))
    results = []
    for slicing in guard.slicings:
        named = {
            limit.value for limit in cell.slice_limits if limit.slicing == slicing.name and limit.value is not None
        }
        members = _members(slicing, slices, compressed.ids)
        for value in sorted({*values.get(slicing.name, ()), *named}, key=_rank):
            limit = allowed_drop(cell, slicing.name, value)
            asked = _Asked(slicing, value, limit, guard.confidence if limit is None else strict)
            ids = members.get(value, [])
            sampled = Sampled(len(ids), seed, Groups.of([groups[image] for image in ids]) if groups else None)
            results.append(asked.judged(guard.metric, task, clean.select(ids), compressed.select(ids), sampled))
    return tuple(results)


def with_slices(judgement: Judgement, slices: Sequence[SliceResult]) -> Judgement:
    """Return the judgement of a cell, failed if a slice failed. Inconclusive slices change nothing.

    The reason begins with what failed: the cell as a whole, else its slices.
    """
    failed = [part for part in slices if part.verdict == "fail"]
    if not failed or judgement.verdict == "error":
        return judgement
    parts = [judgement.reason, *map(_sentence, failed)]
    if judgement.verdict != "fail":
        parts = [*parts[1:], parts[0]]
    return replace(judgement, verdict="fail", reason="; ".join(parts))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A slice with its limit and confidence."""

    slicing: Slicing
    value: str
    max_drop: float | None
    confidence: float

    def judged(self, metric: str, task: Task, clean: Evidence, compressed: Evidence, sampled: Sampled) -> SliceResult:
        """Judge the slice on the evidence of its images; object sizes have metrics of their own over all images."""
        if not compressed.ids:
            return self._result(0, "unjudged")
        metric = SIZES[self.value] if self.slicing.by == OBJECT_SIZE else metric
        judgement = judge(
            task.scorer(metric, clean.items),
            task.scorer(metric, compressed.items),
            metric=metric,
            max_drop=self.max_drop,
            min_score=None,
            confidence=self.confidence,
            seed=sampled.seed,
            images=sampled.images,
            groups=sampled.groups,
        )
        drop = judgement.drop
        return replace(
            self._result(len(compressed.ids), "unjudged" if judgement.verdict == "error" else judgement.verdict),
            clean_score=judgement.clean_score,
            score=judgement.score,
            drop=drop.value if drop else None,
            drop_low=drop.low if drop else None,
            drop_high=drop.high if drop else None,
        )

    def _result(self, images: int, verdict: Verdict) -> SliceResult:
        return SliceResult(self.slicing.name, self.value, images, self.confidence, verdict, max_drop=self.max_drop)


def _members(slicing: Slicing, slices: SlicesById, used: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the images that each slice is scored on, among those that were used.

    They are sorted by id: a bootstrap draws images by their place, and the data's order should not matter.
    """
    members: dict[str, list[str]] = {}
    for image in sorted(used):
        for value in slices[image].get(slicing.name, ()):
            members.setdefault(value, []).append(image)
    # Detections in an image without small objects count in map_small too.
    return dict.fromkeys(members, sorted(used)) if slicing.by == OBJECT_SIZE else members


def _rank(value: str) -> tuple[int, float, str]:
    """Return the sort key of a slice: sizes come first, then numbers, then texts."""
    if value in SIZES:
        return 0, tuple(SIZES).index(value), value
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    return (1, number, value) if math.isfinite(number) else (2, 0.0, value)


def _sentence(failed: SliceResult) -> str:
    """Return ``slice weather=night fell by 12.1 points (80.0 to 67.9, 97.5 % interval 8.0 to 16.5), allowed 5.0``."""
    # A slice that failed has all its numbers.
    clean, score = cast("float", failed.clean_score), cast("float", failed.score)
    drop = Interval(*(cast("float", end) for end in (failed.drop, failed.drop_low, failed.drop_high)))
    name = f"slice {failed.slicing}={failed.value}"
    return of_drop(name, (clean, score), drop, failed.confidence, failed.max_drop)
