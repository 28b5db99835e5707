"""What so many images can tell apart, and how many it would take: all in points, for intervals as `judge` makes them.

A verdict is clear when the whole interval lies on one side of the limit; `power` is how often that is to happen.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

from compress_guard.verdict.bootstrap import unseen
from compress_guard.verdict.paired import bounds, drop_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
    times as many. The bootstrap's interval of a drop where no image changed is told by its symmetry around 0: it
    shrinks with their number itself. The drop of a metric with flags can be as symmetric where images did flip, and
    its interval shrinks faster than with the root where they are few: see `images_needed_of_flags`.
    """
    if limit and _unchanged(interval, images, confidence):
        reach = max(interval.high, unseen(images, _z((1 + confidence) / 2)))
        return max(images + 1, ceil(images * reach / abs(limit)))
    distance, resolved = abs(interval.value - limit), resolvable_from(interval, confidence, power)
    if resolved > sqrt(MOST_TIMES) * distance:
        return None
    return max(images + 1, ceil(images * (resolved / distance) ** 2)) if distance else None


def images_needed_of_flags(
    images: int, lost: int, gained: int, limit: float, confidence: float, power: float = POWER
) -> int | None:
    """How many images would make the verdict on the drop of a metric with flags clear, if it is what it looks like.

    The smallest number above `images` with whose interval, at the same shares of `lost` and of `gained` images, a
    sample may stray towards the limit as far as one in 1 / (1 - power) does, and yet be clear of it. Where none
    flipped that is the number that `images_for` gives, and where at least as many are lost as gained it is never less:
    with fewer the verdict could be a fail and never a pass. None where the drop is the limit, and where it takes more
    than both 100 times as many and `images_for` of the limit.
    """
    drop = (lost - gained) / images
    if 100 * drop == limit:
        return None
    deviation = sqrt((lost + gained) / images - drop**2)

    def clear(number: int) -> bool:
        low, high = bounds(number, lost * number / images, gained * number / images, confidence)
        stray = _z(power) * deviation / sqrt(number)
        return bool(100 * (high + stray) <= limit if 100 * drop < limit else 100 * (low - stray) > limit)

    most = MOST_TIMES * images
    if never_resolves(most, confidence, limit):
        most = images_for(confidence, limit) or most
    least = images_for(confidence, limit) if drop >= 0 else None
    return _smallest(clear, max(images, (least or 0) - 1), most)


def unseen_share(images: float, confidence: float) -> float:
    """The largest share of images like these that may be of a kind of which none is among `images` > 0 drawn ones.

    With a larger share the chance to draw none is below (1 - confidence) / 2, the error at one end of an interval:
    about 3.7 / images at 95 % (the "rule of three" at one end of a two-sided interval).
    """
    return float(1 - ((1 - confidence) / 2) ** (1 / images))


def unseen_drop(drop: Interval, score: float, confidence: float) -> float | None:
    """The drop of a metric without flags if the model found nothing in all images that the interval cannot rule out.

    `score` is the compressed one: `unseen_share` of the images would lose it, none of which was seen. The interval of
    the bootstrap knows only of what the images drawn have lost. None where it does not say how many those are.
    """
    if not drop.informative:
        return None
    return drop.value + unseen_share(drop.informative, confidence) * score


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """Limits of the drop of a metric with flags that so many images cannot hold where no prediction changes.

    A `pass` takes more predictions that compression put right than it put wrong, or cannot happen at all.
    """

    limits: tuple[float, ...]
    """Points, ascending."""
    reach: float
    """Points up to which the interval goes where none of the images changed."""
    confidence: float
    """What that interval holds with."""
    enough: tuple[int, ...]
    """For each of the limits above 0, the largest first, the number of images that can hold it."""


def out_of_reach(
    images: int, limits: Iterable[float], confidence: float, strictest: float | None = None
) -> OutOfReach | None:
    """Which of these limits `images` >= 1 images cannot hold where none changed; None where they can hold all.

    The metric has flags. `confidence` is that of the last interval; where that depends on what is looked at before,
    it is the least that the interval may hold with, and `strictest` the most. Nothing of the kind can be said of
    mAP, mIoU or pixel accuracy before they are measured: where images change a little their interval is made of how
    much, and a few images may hold a limit that they cannot hold where nothing changes.
    """
    never = tuple(sorted({limit for limit in limits if never_resolves(images, confidence, limit)}))
    if not never:
        return None
    numbers = (images_for(strictest or confidence, limit) for limit in reversed(never))
    return OutOfReach(
        never, reach_unchanged(images, confidence), confidence, tuple(number for number in numbers if number)
    )


def never_resolves(images: int, confidence: float, max_drop: float) -> bool:
    """Whether the interval of a metric with flags reaches above max_drop even where none of the images changed."""
    return reach_unchanged(images, confidence) > max_drop


def reach_unchanged(images: int, confidence: float) -> float:
    """How far up the interval of the drop of a metric with flags goes where none of `images` >= 1 images changed."""
    return drop_interval(images, 0, 0, confidence).high


def images_for(confidence: float, max_drop: float) -> int | None:
    """The smallest number of images with which a metric with flags can `pass` where none changed.

    None for a max_drop of 0.
    """
    if max_drop <= 0:
        return None
    return _smallest(lambda images: not never_resolves(images, confidence, max_drop), 0, _MOST_IMAGES)


def _smallest(clear: Callable[[int], bool], above: int, most: int) -> int | None:
    """The smallest number above `above` that is `clear`, as all after it are; None if that is more than `most`."""
    few, enough = above, min(max(2 * above, 1), most)
    while not clear(enough):
        if enough >= most:
            return None
        few, enough = enough, min(2 * enough, most)
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if clear(middle) else (middle, enough)
    return enough


def _unchanged(interval: Interval, images: int, confidence: float) -> bool:
    """Whether the bootstrap makes such an interval where no image changed, or of bounds that say nothing."""
    least = min(unseen(images, _z((1 + confidence) / 2)), 100.0)
    return interval.value == 0 and interval.low == -interval.high and interval.high > least * (1 - 1e-9)


def _z(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
