"""A cell against the same cell of an earlier run: paired on the images that both have, else by their scores alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, final

import numpy as np

from compress_guard.engine.releases.baseline import CellEvidence
from compress_guard.errors import DataError, described
from compress_guard.foreign import shown
from compress_guard.records import SOURCE_HASHES, AgainstBaseline, CellResult, Evidence, Interval
from compress_guard.verdict import judge, wilson
from compress_guard.verdict.grouped.groups import Groups, Sampled
from compress_guard.verdict.judgement import score_interval
from compress_guard.verdict.releases import drop_change, unpaired

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.scorer import Scorer

Score = Callable[[Evidence], "Scorer"]
"""Function that makes the scorer of a cell's metric."""
_Hashes = tuple[bytes, ...]
"""Hashes of the pixels and of the target of an image."""
Grouped = Callable[[Sequence[str]], "Groups | None"]
_CLOSE: Final = 1e-6
"""Points by which the score of kept evidence may differ from the score of its results."""


@dataclass(frozen=True, slots=True, eq=False)
class Yardstick:
    """The way in which two releases are compared: the metric, the confidence, and the images that belong together."""

    score: Score
    metric: str
    confidence: float
    seed: int
    groups: Grouped | None = None
    """Function that returns the groups of images by their ids; None where nothing tells which belong together."""

    def sampled(self, ids: Sequence[str]) -> Sampled:
        """Return these images as they are resampled."""
        return Sampled(len(ids), self.seed, None if self.groups is None else self.groups(ids))


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The change of a cell since an earlier run."""

    figures: AgainstBaseline
    fall: Interval | None = None
    """Fall of the compressed score; None where it has no interval."""
    scores: tuple[float, float] | None = None
    """Compressed score before and now, of the images that are compared."""
    sides: tuple[Scorer, Scorer] | None = None
    """Scorers of both, where the images are compared one by one."""
    groups: Groups | None = None
    """Groups of these images."""

    @classmethod
    def none(cls, remark: str) -> Comparison:
        """Return the comparison of a cell that cannot be compared, for this reason."""
        return cls(AgainstBaseline(baseline_remark=remark))


def compared(base: CellEvidence | None, now: CellEvidence, yardstick: Yardstick) -> Comparison:
    """Compare a cell with the one of an earlier run; what evidence there is decides how.

    Raises `DataError` for an earlier run of other data, and for evidence that does not fit its results.
    """
    if base is None:
        return Comparison.none("the baseline has no such cell")
    before = base.result
    if (before.task, before.metric) != (now.result.task, now.result.metric):
        raise DataError(
            f"the baseline scored {before.id} as {before.task} by {before.metric}, and this run as {now.result.task} "
            f"by {now.result.metric}; name results with the same metric, or run without a baseline"
        )
    if before.score is None or before.drop is None:
        return Comparison.none(f"the baseline has no score of it: its verdict is {before.verdict.replace('_', ' ')}")
    if before.stopped_early or now.result.stopped_early:
        whose = "the baseline" if before.stopped_early else "this run"
        return Comparison.none(f"{whose} stopped it early, and the images that it took are no fair sample of all")
    try:
        return _TwoReleases(base, now, yardstick).compared()
    except (KeyError, ValueError, TypeError, IndexError, AttributeError) as problem:
        raise DataError(
            f"the evidence of the baseline is not that of {before.metric} ({described(problem)}); name files as a run "
            "has written them"
        ) from problem


@final
@dataclass(frozen=True, slots=True, eq=False)
class _TwoReleases:
    """The cell before and now."""

    base: CellEvidence
    now: CellEvidence
    yardstick: Yardstick

    def compared(self) -> Comparison:
        clean, compressed, sources = self.base.clean, self.base.compressed, self.base.sources
        if clean is None or compressed is None:
            return self._unpaired(None, "the evidence of the baseline is not beside its results")
        self._check(compressed)
        if sources is None:
            return self._unpaired(compressed, "the baseline does not say which images it had")
        if self.now.clean is None or self.now.compressed is None or self.now.sources is None:
            return self._unpaired(compressed, "the evidence of this run is not beside its results")
        if self.yardstick.groups is None and self.now.result.groups is not None:
            return self._unpaired(compressed, "results do not say which images belong together")
        common = self._common(sources)
        return self._paired(clean.select(common), compressed.select(common), common)

    def _check(self, compressed: Evidence) -> None:
        """Raise `DataError` for evidence that does not give the score of its results."""
        given, stated = _points(self.yardstick.score(compressed), len(compressed.ids)), self.base.result.score
        if stated is None or not abs(given - stated) <= _CLOSE:
            raise DataError(
                f"the evidence of the baseline gives {self.yardstick.metric} {given:.4f}, and its results say "
                f"{stated:.4f}; name files as a run has written them"
            )

    def _common(self, before: Evidence) -> tuple[str, ...]:
        """Return the ids of the images that both have; raises `DataError` if there are none."""
        assert self.now.sources is not None
        assert self.now.compressed is not None
        known = dict(zip(before.ids, map(_hashes, before.items), strict=True))
        ours = dict(zip(self.now.sources.ids, map(_hashes, self.now.sources.items), strict=True))
        same = [name for name in self.now.compressed.ids if name in known]
        common = tuple(name for name in same if known[name] == ours[name])
        if common:
            return common
        raise DataError(
            f"the baseline is of other data: it has none of these {len(ours)} images ({_others(known, ours, same)}); "
            "name results on the same images, or run without a baseline"
        )

    def _paired(self, clean: Evidence, compressed: Evidence, common: tuple[str, ...]) -> Comparison:
        assert self.now.clean is not None
        assert self.now.compressed is not None
        yardstick, sampled = self.yardstick, self.yardstick.sampled(common)
        before = yardstick.score(clean), yardstick.score(compressed)
        now = yardstick.score(self.now.clean.select(common)), yardstick.score(self.now.compressed.select(common))
        judged = judge(
            before[1],
            now[1],
            metric=yardstick.metric,
            max_drop=None,
            min_score=None,
            confidence=yardstick.confidence,
            seed=yardstick.seed,
            images=len(common),
            groups=sampled.groups,
        )
        if judged.drop is None or judged.clean_score is None or judged.score is None:
            return Comparison.none(f"{yardstick.metric} is undefined on the {len(common)} images that both have")
        change = drop_change(before, now, judged.drop, sampled, yardstick.confidence)
        figures = AgainstBaseline(baseline_images=len(common), baseline_paired=True, baseline_score=judged.clean_score)
        scores = judged.clean_score, judged.score
        return Comparison(_with(figures, judged.drop, change), judged.drop, scores, (before[1], now[1]), sampled.groups)

    def _unpaired(self, compressed: Evidence | None, why: str) -> Comparison:
        """Compare the scores alone, of results with or without evidence."""
        before, now = self.base.result, self.now.result
        assert before.score is not None
        assert now.score is not None
        remark = f"not compared image by image: {why}"
        drops = (
            _interval(now.drop, now.drop_low, now.drop_high),
            _interval(before.drop, before.drop_low, before.drop_high),
        )
        held = (result.interval_confidence or result.confidence for result in (before, now))
        change = None
        if drops[0] is not None and drops[1] is not None and all(level >= self.yardstick.confidence for level in held):
            change = unpaired(drops[0], drops[1])
        earlier, present = self._score(before, compressed), self._score(now, self.now.compressed, self.yardstick.groups)
        if earlier is None or present is None:
            remark = f"{remark}, without which {self.yardstick.metric} has no interval"
        figures = AgainstBaseline(baseline_paired=False, baseline_score=before.score, baseline_remark=remark)
        if earlier is None or present is None:
            return Comparison(_with(figures, Interval(before.score - now.score, 0, 0), change, ends=False))
        fall = unpaired(earlier, present)
        return Comparison(_with(figures, fall, change), fall, (before.score, now.score))

    def _score(self, result: CellResult, evidence: Evidence | None, groups: Grouped | None = None) -> Interval | None:
        """Return the compressed score of a result with its interval; None for a metric that has none without evidence.

        Images of a group count as one where nothing tells which belong together.
        """
        yardstick = self.yardstick
        assert result.score is not None
        grouped = result.groups is not None and result.groups != result.images_used
        if evidence is not None and (groups is not None or not grouped):
            together = None if groups is None else groups(evidence.ids)
            sampled = Sampled(len(evidence.ids), yardstick.seed, together)
            return score_interval(yardstick.score(evidence), result.score, sampled, yardstick.confidence)
        images = result.groups if grouped else result.images_used
        if yardstick.score(Evidence((), ())).flags is None or not images:
            return None
        right = result.score / 100 * images
        low, high = wilson.bounds(images, right, yardstick.confidence)
        return Interval(result.score, min(100 * float(low), result.score), max(100 * float(high), result.score))


def _others(before: Mapping[str, _Hashes], now: Mapping[str, _Hashes], same: Sequence[str]) -> str:
    """Return how the images of two runs differ that have none in common; `same` are the ids that both have."""
    if not same:
        first, ours = (shown(next(iter(ids), "none")) for ids in (before, now))
        return f"no id is the same: the first is {first} there, and {ours} here"
    pixels = sum(before[name][0] != now[name][0] for name in same)
    kinds = ((pixels, "other pixels"), (len(same) - pixels, "another target"))
    counts = " and ".join(f"{count} with {kind}" for count, kind in kinds if count)
    return f"{len(same)} have the same id, {counts}, such as {shown(same[0])}"


def _hashes(item: Mapping[str, NDArray[np.uint8]]) -> _Hashes:
    return tuple(item[name].tobytes() for name in SOURCE_HASHES)


def _points(scorer: Scorer, images: int) -> float:
    return float(scorer(np.ones((1, images)))[0])


def _interval(value: float | None, low: float | None, high: float | None) -> Interval | None:
    return None if value is None or low is None or high is None else Interval(value, low, high)


def _with(figures: AgainstBaseline, fall: Interval, change: Interval | None, *, ends: bool = True) -> AgainstBaseline:
    return replace(
        figures,
        regression=fall.value,
        regression_low=fall.low if ends else None,
        regression_high=fall.high if ends else None,
        drop_change=change.value if change else None,
        drop_change_low=change.low if change else None,
        drop_change_high=change.high if change else None,
    )
