"""Early stopping: a cell ends when its verdict is certain, without more error than its confidence allows.

One part of the error, 1 - confidence, is spent on looks at the images so far; the rest is left for the interval over
all images, which is therefore a little wider. The final verdict is wrong with probability 1 - confidence at most.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final, final

import numpy as np

from compress_guard.records import Judgement
from compress_guard.verdict.betting import FlagCounts
from compress_guard.verdict.grouped.bets import GroupBets
from compress_guard.verdict.grouped.groups import Groups
from compress_guard.verdict.judgement import decide, explained, judge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.scorer import Scorer

SHARE: Final = 0.2
"""Share of the error for looks. It widens the last interval by 5 %; 0.4 widens it by 11 % and saves a tenth more."""
LOOKS: Final = (0.05, 0.1, 0.2, 0.4)
"""Shares of the planned images at which scores without flags are looked at."""
FEWEST: Final = 50
"""Number of images that the bootstrap needs for a look."""
FIRST: Final = 32
"""Number of images before the first look at flags; fewer decide no realistic limit."""
_GROWTH: Final = 1.02
"""Growth of the images from look to look at flags, which keeps the time of all looks linear in the images."""


def following(images: int) -> int:
    """Return the number of images at the next look at flags."""
    return max(images + 1, ceil(_GROWTH * images))


def looks(planned: int) -> tuple[int, ...]:
    """Return the numbers of images at which scores without flags are looked at, ascending; none if too few."""
    return tuple(look for look in (ceil(share * planned) for share in LOOKS) if look >= FEWEST)


def spent(images: int, planned: int, error: float) -> float:
    """Return the error that looks at scores without flags have spent up to a look at `images` images."""
    due = looks(planned)
    return SHARE * error * min(1.0, images / due[-1]) if due and images >= due[0] else 0.0


@final
class EarlyStop:
    """The looks of one cell. `planned` images come in seeded random order; limits are points, None if not set.

    Images that belong together come together, whole groups in that order. All that is said of images holds for groups
    then: `planned` is their number, and `largest` the most images of one. No look is in the middle of a group.

    Scores that are a mean of flags (top1) may be looked at any number of times: their intervals hold at all numbers of
    images together (`betting`). For others (mAP, mIoU) there are few looks, each with its own part of the error, in
    proportion to the images seen: intervals of few images are the least exact, and the cells that they decide are far
    enough from their limit. The parts are added up, as if the looks were independent.
    """

    __slots__ = ("_error", "_largest", "_limits", "_metric", "_next", "_planned", "_seed", "_spent")

    def __init__(  # noqa: PLR0913 - the keywords of `judge`
        self,
        planned: int,
        *,
        metric: str,
        max_drop: float | None,
        min_score: float | None,
        confidence: float,
        seed: int,
        min_clean: float | None = None,
        largest: int = 1,
    ) -> None:
        self._largest: Final = largest
        self._planned: Final = planned
        self._metric: Final = metric
        self._limits: Final = (max_drop, min_score, min_clean)
        self._error: Final = 1 - confidence
        self._seed: Final = seed
        self._spent = 0.0
        self._next = FIRST

    @property
    def last_confidence(self) -> float:
        """Confidence of the interval over all images if there is a look before."""
        return 1 - (1 - SHARE) * self._error

    def due(self, images: int) -> bool:
        """Return True if a look at the first `images` images is due; never at all images, nor without a limit."""
        return self._limits != (None, None, None) and self._next <= images < self._planned

    def look(self, clean: Scorer, compressed: Scorer, images: int, groups: Groups | None = None) -> Judgement | None:
        """Return the final judgement, pass or fail, if the first `images` images make it certain, else None.

        Both scorers are over these images in the same order; `groups` are theirs, all whole. The judgement has the
        interval that decided it, and its reason names the confidence of that interval. Raises ValueError if the
        evidence is not that of `images` images.
        """
        units = images if groups is None else groups.count
        if not self.due(units):
            return None
        before, after = clean.flags, compressed.flags
        if before is None or after is None:
            return self._look_at_scores(clean, compressed, images, groups)
        self._next = following(units)
        self._spent = SHARE * self._error
        for flags in (before, after):
            if flags.shape != (images,):
                raise ValueError(f"the evidence has flags of shape {flags.shape}, expected ({images},)")
        alone = self._largest == 1
        return self._look_at_flags(FlagCounts.of(before, after) if alone else self._bets(before, after, groups))

    def last(self, clean: Scorer, compressed: Scorer, images: int, groups: Groups | None = None) -> Judgement:
        """Return the judgement of all images, with the error that the looks have left."""
        return self._judge(clean, compressed, images, self._error - self._spent, groups)

    def _bets(self, before: NDArray[np.bool_], after: NDArray[np.bool_], groups: Groups | None) -> GroupBets:
        """Return the bets on whole groups; the first ones may all have a single image."""
        return GroupBets(before, after, groups or Groups(np.arange(len(after))), self._largest)

    def _look_at_flags(self, flags: FlagCounts | GroupBets) -> Judgement | None:
        max_drop, min_score, min_clean = self._limits
        confidence = 1 - self._spent
        if not self._settled(flags):
            return None
        drop = flags.drop(confidence)
        score = None if min_score is None else flags.score(confidence)
        clean = None if min_clean is None else flags.clean(confidence)
        verdict = decide(drop, score, max_drop, min_score, clean, min_clean)
        if verdict not in ("pass", "fail"):
            return None
        scores = flags.scores
        reason = explained(self._metric, scores, drop, (score, clean), self._limits, confidence)
        return Judgement(*scores, drop, score, verdict, reason, confidence, clean)

    def _settled(self, flags: FlagCounts | GroupBets) -> bool:
        """Return True if `decide` will say pass or fail, up to rounding, without computing the ends of intervals."""
        max_drop, *floors = self._limits
        confidence = 1 - self._spent
        failed: list[bool] = []
        passed: list[bool] = []
        if max_drop is not None:
            above, below = flags.drop_sides(max_drop / 100, confidence)
            failed.append(above)
            passed.append(below)
        for sides, floor in zip((flags.score_sides, flags.clean_sides), floors, strict=True):
            if floor is not None:
                above, below = sides(floor / 100, confidence)
                failed.append(below)
                passed.append(above)
        return any(failed) or all(passed)

    def _look_at_scores(
        self, clean: Scorer, compressed: Scorer, images: int, groups: Groups | None
    ) -> Judgement | None:
        units = images if groups is None else groups.count
        self._next = next((look for look in looks(self._planned) if look > units), self._planned)
        so_far = spent(units, self._planned, self._error)
        error, self._spent = so_far - self._spent, so_far
        if error <= 0:
            return None
        judgement = self._judge(clean, compressed, images, error, groups)
        return judgement if judgement.verdict in ("pass", "fail") else None

    def _judge(self, clean: Scorer, compressed: Scorer, images: int, error: float, groups: Groups | None) -> Judgement:
        max_drop, min_score, min_clean = self._limits
        return judge(
            clean,
            compressed,
            metric=self._metric,
            max_drop=max_drop,
            min_score=min_score,
            confidence=1 - error,
            seed=self._seed,
            images=images,
            min_clean=min_clean,
            groups=groups,
        )
