"""The judgement of a cell: paired evidence against its limits."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from compress_guard.records import Interval, Judgement
from compress_guard.verdict import bootstrap, paired, sentence, wilson
from compress_guard.verdict.grouped import clustered
from compress_guard.verdict.grouped.groups import Sampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.records import Verdict
    from compress_guard.tasks.scorer import Scorer
    from compress_guard.verdict.grouped.groups import Groups

Side: TypeAlias = Literal["pass", "fail", "inconclusive"]
Limits: TypeAlias = tuple[float | None, float | None, float | None]
"""max_drop, min_score and min_clean, None where not set."""
Floors: TypeAlias = tuple[Interval | None, Interval | None]
"""Intervals of the compressed and of the clean score; None without a limit."""

NO_LIMIT: Final = ", no limit is set"
"""The end of the reason of a cell without a limit."""
WORST_FIRST: Final[tuple[Side, ...]] = ("fail", "inconclusive", "pass")


def judge(  # noqa: PLR0913 -- the keywords are the cell's and the run's own, one record more would hide them
    clean: Scorer,
    compressed: Scorer,
    *,
    metric: str,
    max_drop: float | None,
    min_score: float | None,
    confidence: float,
    seed: int,
    images: int,
    min_clean: float | None = None,
    groups: Groups | None = None,
) -> Judgement:
    """Judge the drop from `clean` to `compressed`, both over the same `images` images in the same order.

    `fail`: the whole interval of the drop is above max_drop (or that of the compressed score below min_score); `pass`:
    the whole interval is at or below it (at or above min_score); else `inconclusive`. `min_clean` limits the clean
    score as min_score limits the compressed one. With several limits the worst verdict counts. No limit: `unjudged`. A
    score that is undefined on either side: `error`. Limits, scores and drops are points; 0 < confidence < 1. If both
    scorers have flags, the intervals are score intervals; else they come from a paired bootstrap that depends only on
    `seed` and the evidence. With the `groups` of these images they are intervals over groups. Pass the clean scorer as
    `Remembered` if several cells share it. Raises ValueError if the evidence is not that of `images` images.
    """
    if images < 1:
        return Judgement.without_evidence("error", f"{metric} is undefined: there is no image to score")
    before, after = _score(clean, images), _score(compressed, images)
    if before is None or after is None:
        return _undefined(metric, before, after, images)
    pair = _Pair(clean, compressed, Sampled(images, seed, groups), confidence)
    drop = pair.drop(before - after)
    score = None if min_score is None else pair.score(compressed, after)
    floor = None if min_clean is None else pair.score(clean, before)
    limits = (max_drop, min_score, min_clean)
    reason = explained(metric, (before, after), drop, (score, floor), limits, confidence)
    if max_drop is None and score is None and floor is None:
        reason = f"{reason}{NO_LIMIT}"
    verdict = decide(drop, score, max_drop, min_score, floor, min_clean)
    return Judgement(before, after, drop, score, verdict, reason, confidence, floor)


def decide(
    drop: Interval,
    score: Interval | None,
    max_drop: float | None,
    min_score: float | None,
    clean: Interval | None = None,
    min_clean: float | None = None,
) -> Verdict:
    """Return the verdict on a drop and, if they have limits, on the compressed and on the clean score."""
    judged = sides(drop, (score, clean), (max_drop, min_score, min_clean))
    return next((side for side in WORST_FIRST if side in judged), "unjudged")


def sides(drop: Interval, floors: Floors, limits: Limits) -> tuple[Side | None, Side | None, Side | None]:
    """Return the verdict of each limit alone: of the drop, of the compressed score and of the clean score.

    None for a limit that is not set, or that has nothing to judge.
    """
    max_drop, *floor_limits = limits
    of_drop: Side | None = None
    if max_drop is not None:
        of_drop = "fail" if drop.low > max_drop else "pass" if drop.high <= max_drop else "inconclusive"
    of_score, of_clean = map(_side_of_floor, floors, floor_limits)
    return of_drop, of_score, of_clean


def _side_of_floor(interval: Interval | None, floor: float | None) -> Side | None:
    if interval is None or floor is None:
        return None
    return "fail" if interval.high < floor else "pass" if interval.low >= floor else "inconclusive"


def explained(
    metric: str, scores: tuple[float, float], drop: Interval, floors: Floors, limits: Limits, confidence: float
) -> str:
    """Return the sentences on the drop and on the scores that have a limit, failed limits first.

    `scores`, the clean and the compressed one, are points, like everything here; `floors` are the intervals of the
    compressed and of the clean score.
    """
    max_drop, min_score, min_clean = limits
    score, clean = floors
    parts = [sentence.of_drop(metric, scores, drop, confidence, max_drop)]
    parts.append(sentence.of_score(score, confidence, min_score) if score is not None and min_score is not None else "")
    parts.append(sentence.of_clean(clean, confidence, min_clean) if clean is not None and min_clean is not None else "")
    judged = zip(sides(drop, floors, limits), parts, strict=True)
    return "; ".join(part for _, part in sorted(judged, key=lambda pair: _rank(pair[0])) if part)


def _rank(side: Side | None) -> int:
    return WORST_FIRST.index(side or "pass")


def score_interval(scorer: Scorer, value: float, sampled: Sampled, confidence: float) -> Interval:
    """Return the score `value`, in points, of these images with the interval that its limit is compared with.

    Raises ValueError for flags of another number of images.
    """
    flags, images, groups = scorer.flags, sampled.images, sampled.groups
    if flags is not None:
        _check_flags(flags, images)
        if groups is not None:
            return clustered.score_interval(flags, groups, confidence)
        return wilson.score_interval(images, int(np.sum(flags)), confidence)
    return bootstrap.interval(None, scorer, value, images, sampled.seed, confidence, (0.0, 100.0), groups)


def _check_flags(flags: NDArray[np.bool_], images: int) -> None:
    if flags.shape != (images,):
        raise ValueError(f"the evidence has flags of shape {flags.shape}, expected ({images},)")


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Two scorers over the same images, and the intervals of their scores."""

    clean: Scorer
    compressed: Scorer
    sampled: Sampled
    confidence: float

    def drop(self, value: float) -> Interval:
        clean, compressed = self.clean.flags, self.compressed.flags
        images, groups = self.sampled.images, self.sampled.groups
        if clean is not None and compressed is not None:
            self._check(clean, compressed)
            if groups is not None:
                return clustered.drop_interval(clean, compressed, groups, self.confidence)
            lost, gained = int(np.sum(clean & ~compressed)), int(np.sum(compressed & ~clean))
            return paired.drop_interval(images, lost, gained, self.confidence)
        bounds = (-100.0, 100.0)
        return bootstrap.interval(
            self.clean, self.compressed, value, images, self.sampled.seed, self.confidence, bounds, groups
        )

    def score(self, side: Scorer, value: float) -> Interval:
        """Return the score of one side with its interval."""
        return score_interval(side, value, self.sampled, self.confidence)

    def _check(self, *sides: NDArray[np.bool_]) -> None:
        for flags in sides:
            _check_flags(flags, self.sampled.images)


def _score(scorer: Scorer, images: int) -> float | None:
    """Return the score of all images, each counted once; None if it is undefined."""
    score = float(scorer(np.ones((1, images)))[0])
    return None if isnan(score) else score


def _undefined(metric: str, clean: float | None, compressed: float | None, images: int) -> Judgement:
    sides = [name for name, score in (("clean", clean), ("compressed", compressed)) if score is None]
    reason = (
        f"{metric} is undefined on the {' and the '.join(sides)} images: {images} images without ground truth for it; "
        "give the guard images that have some"
    )
    return Judgement(clean, compressed, None, None, "error", reason)
