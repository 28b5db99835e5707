"""Stopping a cell when its verdict is certain, without spending more error than its interval may.

One part of the error, 1 - confidence, is spent on looks at the images so far, the rest on the interval over all of
them, which is a little wider for it: whatever is said in the end, it is wrong with probability 1 - confidence at most.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Final, final

import numpy as np

from compress_guard.records import Judgement
from compress_guard.verdict import betting
from compress_guard.verdict.judgement import decide, explained, judge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Scorer

SHARE: Final = 0.2
"""Of the error, for the looks. It widens the last interval by 5 %; two fifths would by 11 % and save a tenth more."""
LOOKS: Final = (0.05, 0.1, 0.2, 0.4)
"""Shares of the planned images at which scores without flags are looked at."""
FEWEST: Final = 50
"""Images that the bootstrap needs before its intervals are looked at."""
FIRST: Final = 32
"""Images before flags are looked at: fewer decide nothing that is worth a test."""
_GROWTH: Final = 1.02
"""Flags are looked at again when there are 2 % more images: all looks together then take time linear in the images."""


def following(images: int) -> int:
    """How many images the next look at flags waits for."""
    return max(images + 1, ceil(_GROWTH * images))


def looks(planned: int) -> tuple[int, ...]:
    """The numbers of images at which scores without flags are looked at, ascending; none where there are too few."""
    return tuple(look for look in (ceil(share * planned) for share in LOOKS) if look >= FEWEST)


def spent(images: int, planned: int, error: float) -> float:
    """What looks at scores without flags have spent of the error so far, the last of them being at `images` images."""
    due = looks(planned)
    return SHARE * error * min(1.0, images / due[-1]) if due and images >= due[0] else 0.0


@final
class EarlyStop:
    """One cell's looks. `planned` images come in seeded random order; limits are points, None where not set.

    Scores that are a mean of flags (top1) are looked at as often as one likes: their intervals hold at all numbers of
    images together (`betting`). For others (mAP, mIoU) there are few looks, each with its own part of the error, spent
    in proportion to the images seen: intervals of few images are the least exact, and cells that they decide are far
    enough from their limit not to need more. The parts are added up, as though the looks had nothing in common.
    """

    __slots__ = ("_error", "_limits", "_metric", "_next", "_planned", "_seed", "_spent")

    def __init__(
        self,
        planned: int,
        *,
        metric: str,
        max_drop: float | None,
        min_score: float | None,
        confidence: float,
        seed: int,
        min_clean: float | None = None,
    ) -> None:
        self._planned: Final = planned
        self._metric: Final = metric
        self._limits: Final = (max_drop, min_score, min_clean)
        self._error: Final = 1 - confidence
        self._seed: Final = seed
        self._spent = 0.0
        self._next = FIRST

    @property
    def last_confidence(self) -> float:
        """What the interval of all images holds with, if there is a look before."""
        return 1 - (1 - SHARE) * self._error

    def due(self, images: int) -> bool:
        """Whether a look at the first `images` images may decide: never at all of them, nor where there is no limit."""
        return self._limits != (None, None, None) and self._next <= images < self._planned

    def look(self, clean: Scorer, compressed: Scorer, images: int) -> Judgement | None:
        """The final judgement, pass or fail, if the first `images` images make it certain, else None.

        Both scorers are over these images in the same order. The judgement's interval is the one that it was decided
        by, and its reason names that interval's confidence. Raises ValueError if the evidence is not that of `images`
        images.
        """
        if not self.due(images):
            return None
        before, after = clean.flags, compressed.flags
        if before is None or after is None:
            return self._look_at_scores(clean, compressed, images)
        self._next = following(images)
        self._spent = SHARE * self._error
        for flags in (before, after):
            if flags.shape != (images,):
                raise ValueError(f"the evidence has flags of shape {flags.shape}, expected ({images},)")
        return self._look_at_flags(before, after)

    def last(self, clean: Scorer, compressed: Scorer, images: int) -> Judgement:
        """The judgement of all images that there are, with what the looks have left of the error."""
        return self._judge(clean, compressed, images, self._error - self._spent)

    def _look_at_flags(self, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Judgement | None:
        max_drop, min_score, min_clean = self._limits
        confidence = 1 - self._spent
        images, right, known = len(after), int(np.sum(after)), int(np.sum(before))
        lost, gained = int(np.sum(before & ~after)), int(np.sum(after & ~before))
        if not self._settled(images, lost, gained, right):
            return None
        drop = betting.drop_interval(images, lost, gained, confidence)
        score = None if min_score is None else betting.score_interval(images, right, confidence)
        clean = None if min_clean is None else betting.score_interval(images, known, confidence)
        verdict = decide(drop, score, max_drop, min_score, clean, min_clean)
        if verdict not in ("pass", "fail"):
            return None
        scores = (100 * (right + lost - gained) / images, 100 * right / images)
        reason = explained(self._metric, scores, drop, (score, clean), self._limits, confidence)
        return Judgement(*scores, drop, score, verdict, reason, confidence, clean)

    def _settled(self, images: int, lost: int, gained: int, right: int) -> bool:
        """What `decide` will say of the intervals, pass or fail, but for rounding; without finding their ends."""
        max_drop, *floors = self._limits
        confidence = 1 - self._spent
        failed: list[bool] = []
        passed: list[bool] = []
        if max_drop is not None:
            above, below = betting.drop_sides(images, lost, gained, max_drop / 100, confidence)
            failed.append(bool(above))
            passed.append(bool(below))
        for hits, floor in zip((right, right + lost - gained), floors, strict=True):
            if floor is not None:
                above, below = betting.score_sides(images, hits, floor / 100, confidence)
                failed.append(bool(below))
                passed.append(bool(above))
        return any(failed) or all(passed)

    def _look_at_scores(self, clean: Scorer, compressed: Scorer, images: int) -> Judgement | None:
        self._next = next((look for look in looks(self._planned) if look > images), self._planned)
        so_far = spent(images, self._planned, self._error)
        error, self._spent = so_far - self._spent, so_far
        if error <= 0:
            return None
        judgement = self._judge(clean, compressed, images, error)
        return judgement if judgement.verdict in ("pass", "fail") else None

    def _judge(self, clean: Scorer, compressed: Scorer, images: int, error: float) -> Judgement:
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
        )
