"""One release against another: the fall of a score and the change of a drop, paired or not.

Paired, on the same images, the fall of the score is judged as a drop is: by `judgement`, the earlier release being one
side and this one the other. The change of the drop is a difference of two differences: its interval is that of
`bootstrap`, since an image may count twice.

Where the images of the two releases cannot be told to be the same, only their intervals are known. The distance of the
difference from each of its ends is then the root of the summed squares of the distances of both sides: Newcombe 1998
(Interval estimation for the difference between independent proportions, Statistics in Medicine 17:873-890, method 10)
for proportions, Zou and Donner 2008 (Construction of confidence limits about effect measures, Statistics in Medicine
27:1693-1702) for any two intervals. Where both releases had much the same images, it is wider than it has to be.
"""

from __future__ import annotations

from math import hypot, isfinite
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Interval
from compress_guard.verdict.bootstrap import interval_of
from compress_guard.verdict.resampling import resampled

if TYPE_CHECKING:
    from compress_guard.tasks.scorer import Scorer
    from compress_guard.verdict.grouped.groups import Sampled

_BOUNDS: Final = (-200.0, 200.0)
"""Range of the change of a drop, which is between -100 and 100 on both sides."""


def drop_change(
    before: tuple[Scorer, Scorer], now: tuple[Scorer, Scorer], fall: Interval, sampled: Sampled, confidence: float
) -> Interval | None:
    """Return the change of the drop, in points, from one release to the next, with its interval.

    Each side is the clean and the compressed scorer of the same images in the same order; `fall` is that of the
    compressed score with its interval. None where a score is undefined. The same seed gives the same interval.
    """
    everything = np.ones((1, sampled.images))
    (old_clean, old), (new_clean, new) = (
        tuple(float(scorer(everything)[0]) for scorer in release) for release in (before, now)
    )
    value = (new_clean - new) - (old_clean - old)
    if not isfinite(value):
        return None
    flags = before[0].flags, now[0].flags
    if flags[0] is not None and flags[1] is not None and np.array_equal(flags[0], flags[1]):
        return fall  # both drops begin at the same clean answers
    if sampled.images < 2 or (sampled.groups is not None and sampled.groups.count < 2):
        return Interval(value, *_BOUNDS)
    (first, second), (third, fourth) = (
        [resampled(scorer, sampled.images, sampled.seed, sampled.groups) for scorer in release]
        for release in (now, before)
    )
    sample = (first - second) - (third - fourth)
    independent = sampled.images if sampled.groups is None else sampled.groups.effective
    image = 0.0 if flags[0] is None else 200.0
    return interval_of(sample, value, independent, confidence, _BOUNDS, image=image)


def unpaired(minuend: Interval, subtrahend: Interval) -> Interval:
    """Return the difference of two estimates of independent images, with its interval."""
    value = minuend.value - subtrahend.value
    below = hypot(minuend.value - minuend.low, subtrahend.high - subtrahend.value)
    above = hypot(minuend.high - minuend.value, subtrahend.value - subtrahend.low)
    return Interval(value, value - below, value + above)
