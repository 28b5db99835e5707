"""What so many images can tell apart, and how many it would take: all in points, for intervals as `judge` makes them.

A verdict is clear when the whole interval lies on one side of the limit; `power` is how often that is to happen.
"""

from __future__ import annotations

from math import ceil, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from compress_guard.verdict.paired import bounds, drop_interval

if TYPE_CHECKING:
    from compress_guard.records import Interval

POWER: Final = 0.8
FLIPS: Final = 0.05
"""Share of images whose prediction turns right or wrong, where none has been measured."""
MOST_TIMES: Final = 100
"""No advice is to have more than so many times the images."""
_MOST_IMAGES: Final = 2**40


def resolvable_drop(images: int, confidence: float, flips: float = FLIPS, power: float = POWER) -> float:
    """The smallest distance between the true drop of a metric with flags and a limit at which the verdict is clear.

    For `images` >= 1 of which a share `flips` (0 to 1) turns, half of them to wrong and half to right: the reach of
    the interval at just so many flips, and what a sample strays one time in 1 / (1 - power). With many images that is
    (z_confidence + z_power) sqrt(flips / images); the interval of few images is wider than this.
    """
    each = images * flips / 2
    _, reach = bounds(images, each, each, confidence)
    return 100 * (float(reach) + _z(power) * sqrt(flips / images))


def resolvable_from(interval: Interval, confidence: float, power: float = POWER) -> float:
    """The same distance for any metric, from a measured interval of this confidence: its half width stands for z."""
    half = (interval.high - interval.low) / 2
    return half * (1 + _z(power) / _z((1 + confidence) / 2))


def images_needed(interval: Interval, limit: float, images: int, confidence: float, power: float = POWER) -> int | None:
    """How many images would make an inconclusive verdict clear, if the drop (or score) is what it looks like.

    `interval` is of `images` images and this confidence; its half width is taken to shrink with the root of their
    number. More than `images` always; None where the estimate is so near the limit that it would take more than 100
    times as many. Where few images flip the interval shrinks faster than that, so that fewer would do.
    """
    distance, resolved = abs(interval.value - limit), resolvable_from(interval, confidence, power)
    if resolved > sqrt(MOST_TIMES) * distance:
        return None
    return max(images + 1, ceil(images * (resolved / distance) ** 2)) if distance else None


def never_resolves(images: int, confidence: float, max_drop: float) -> bool:
    """Whether the interval reaches above max_drop even where not a single one of the images changed.

    A `pass` then takes predictions that compression put right, or cannot happen at all.
    """
    return reach_unchanged(images, confidence) > max_drop


def reach_unchanged(images: int, confidence: float) -> float:
    """How far up the interval of the drop goes where none of `images` >= 1 images changed."""
    return drop_interval(images, 0, 0, confidence).high


def images_for(confidence: float, max_drop: float) -> int | None:
    """The smallest number of images with which a `pass` can happen where none changed; None for a max_drop of 0."""
    if max_drop <= 0 or never_resolves(_MOST_IMAGES, confidence, max_drop):
        return None
    few, enough = 0, 1
    while never_resolves(enough, confidence, max_drop):
        few, enough = enough, 2 * enough
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (middle, enough) if never_resolves(middle, confidence, max_drop) else (few, middle)
    return enough


def _z(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
