"""The power of a number of images, and the number that a limit needs; in points, for the intervals of `judge`.

A verdict is clear if the whole interval lies on one side of the limit; `power` is the probability of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, Literal

from compress_guard.verdict.bootstrap import unseen
from compress_guard.verdict.grouped.clustered import independent
from compress_guard.verdict.grouped.groups import GroupCount
from compress_guard.verdict.paired import bounds, drop_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from compress_guard.records import Interval

POWER: Final = 0.8
FLIPS: Final = 0.05
"""Share of images whose prediction flips, assumed before it is measured."""
MOST_TIMES: Final = 100
"""Largest advice on the number of images, as a multiple of the present number."""
_MOST_IMAGES: Final = 2**40


def resolvable_drop(images: float, confidence: float, flips: float = FLIPS, power: float = POWER) -> float:
    """Return the smallest distance of the true drop from its limit at which a verdict by flags is clear.

    A share `flips` (0 to 1) of `images` >= 1 flips, half of them to wrong and half to right. The distance is the reach
    of the interval at that number of flips, plus the deviation that a sample exceeds one time in 1 / (1 - power). With
    many images that is (z_confidence + z_power) sqrt(flips / images); the interval of few images is wider.
    """
    each = images * flips / 2
    _, reach = bounds(images, each, each, confidence)
    return 100 * (float(reach) + _z(power) * sqrt(flips / images))


def resolvable_from(interval: Interval, confidence: float, power: float = POWER) -> float:
    """Return that distance for any metric, from the half width of a measured interval of this confidence."""
    half = (interval.high - interval.low) / 2
    return half * (1 + _z(power) / _z((1 + confidence) / 2))


def images_needed(
    interval: Interval, limit: float, images: float, confidence: float, power: float = POWER
) -> int | None:
    """Return the number of images that makes an inconclusive verdict clear if the drop (or score) is as estimated.

    `interval` is of `images` images and this confidence; its half width is assumed to shrink with the root of their
    number. The result is always above `images`, and None if it would be more than 100 times as many. An interval of
    the bootstrap where no image changed shrinks with the number itself; it is recognised by its symmetry around 0. The
    drop of a metric with flags can be as symmetric although images flipped, and its interval shrinks faster than with
    the root if there are few: use `images_needed_of_flags`.
    """
    if limit and _unchanged(interval, images, confidence):
        reach = max(interval.high, unseen(images, _z((1 + confidence) / 2)))
        return max(floor(images) + 1, ceil(images * reach / abs(limit)))
    distance, resolved = abs(interval.value - limit), resolvable_from(interval, confidence, power)
    if resolved > sqrt(MOST_TIMES) * distance:
        return None
    return max(floor(images) + 1, ceil(images * (resolved / distance) ** 2)) if distance else None


def images_needed_of_flags(
    images: float, lost: float, gained: float, limit: float, confidence: float, power: float = POWER
) -> int | None:
    """Return the number of images that makes the verdict by flags clear if the drop is as estimated.

    It is the smallest number above `images` whose interval, at the same shares of `lost` and `gained` images, stays
    clear of the limit even for a sample that deviates towards it as far as one in 1 / (1 - power) does. If none
    flipped that is the number of `images_for`; if at least as many are lost as gained it is never less, since with
    fewer the verdict could be a fail but never a pass. None if the drop equals the limit, or if it takes more than
    both 100 times as many images and `images_for` of the limit. The counts of images in groups are divided by their
    design effect, and so is the result.
    """
    drop = (lost - gained) / images
    if 100 * drop == limit:
        return None
    deviation = sqrt((lost + gained) / images - drop**2)

    def clear(number: int) -> bool:
        low, high = bounds(number, lost * number / images, gained * number / images, confidence)
        stray = _z(power) * deviation / sqrt(number)
        return bool(100 * (high + stray) <= limit if 100 * drop < limit else 100 * (low - stray) > limit)

    most = ceil(MOST_TIMES * images)
    if never_resolves(most, confidence, limit):
        most = images_for(confidence, limit) or most
    least = images_for(confidence, limit) if drop >= 0 else None
    return _smallest(clear, max(floor(images), (least or 0) - 1), most)


def unseen_share(images: float, confidence: float) -> float:
    """Return the largest share that a kind of images may have of which none is among `images` > 0 drawn ones.

    With a larger share the probability to draw none is below (1 - confidence) / 2, the error at one end of an interval:
    about 3.7 / images at 95 % (the "rule of three" at one end of a two-sided interval).
    """
    return float(1 - ((1 - confidence) / 2) ** (1 / images))


def unseen_drop(drop: Interval, score: float, confidence: float) -> float | None:
    """Return the drop of a metric without flags if the model fails on all images that may have stayed unseen.

    `score` is the compressed score: an `unseen_share` of the images would lose it, none of which was drawn. The
    interval of the bootstrap knows only the losses of drawn images. None if it does not say how many those are.
    """
    if not drop.informative:
        return None
    return drop.value + unseen_share(drop.informative, confidence) * score


@dataclass(frozen=True, slots=True)
class OutOfReach:
    """Limits of the drop of a metric with flags that a number of images cannot pass if no prediction changes.

    A `pass` takes more helpful flips than harmful ones, or cannot happen at all.
    """

    limits: tuple[float, ...]
    """Points, ascending."""
    reach: float
    """Upper end of the interval in points if no image changes."""
    confidence: float
    """Confidence of that interval."""
    enough: tuple[int, ...]
    """Number of images that can pass each limit above 0, largest limit first."""
    unit: Literal["images", "groups"] = "images"
    """The unit of `enough`."""


def out_of_reach(
    images: int,
    limits: Iterable[float],
    confidence: float,
    strictest: float | None = None,
    groups: GroupCount | None = None,
) -> OutOfReach | None:
    """Return the limits that `images` >= 1 images cannot pass if none changes; None if they can pass all.

    The metric has flags. `confidence` is that of the last interval; if that depends on earlier looks, it is the least
    confidence possible, and `strictest` the largest. For mAP, mIoU and pixel accuracy nothing can be said before they
    are measured: if images change a little, their interval depends on how much, and a few images may pass a limit
    that they cannot pass if nothing changes. Images in `groups` count as no more than these if none changes.
    """
    alone = images if groups is None else independent(groups, confidence)
    never = tuple(sorted({limit for limit in limits if never_resolves(alone, confidence, limit)}))
    if not never:
        return None
    enough = images_for if groups is None else groups_for
    numbers = (enough(strictest or confidence, limit) for limit in reversed(never))
    return OutOfReach(
        never,
        reach_unchanged(alone, confidence),
        confidence,
        tuple(number for number in numbers if number),
        "images" if groups is None else "groups",
    )


def never_resolves(images: float, confidence: float, max_drop: float) -> bool:
    """Return True if the interval of a metric with flags reaches above max_drop even if no image changes."""
    return reach_unchanged(images, confidence) > max_drop


def reach_unchanged(images: float, confidence: float) -> float:
    """Return the upper end of the interval of the drop, by flags, if none of `images` > 0 images changes."""
    return drop_interval(images, 0, 0, confidence).high


def images_for(confidence: float, max_drop: float) -> int | None:
    """Return the smallest number of images with which a metric with flags can `pass` if none changes.

    None for a max_drop of 0.
    """
    if max_drop <= 0:
        return None
    return _smallest(lambda images: not never_resolves(images, confidence, max_drop), 0, _MOST_IMAGES)


def groups_for(confidence: float, max_drop: float) -> int | None:
    """Return the smallest number of equal groups with which a metric with flags can `pass` if no image changes.

    None for a max_drop of 0.
    """
    if max_drop <= 0:
        return None

    def clear(count: int) -> bool:
        return not never_resolves(independent(GroupCount(count, count), confidence), confidence, max_drop)

    return _smallest(clear, 1, _MOST_IMAGES)


def _smallest(clear: Callable[[int], bool], above: int, most: int) -> int | None:
    """Return the smallest number above `above` from which all are `clear`; None if it is more than `most`."""
    few, enough = above, min(max(2 * above, 1), most)
    while not clear(enough):
        if enough >= most:
            return None
        few, enough = enough, min(2 * enough, most)
    while enough - few > 1:
        middle = (few + enough) // 2
        few, enough = (few, middle) if clear(middle) else (middle, enough)
    return enough


def _unchanged(interval: Interval, images: float, confidence: float) -> bool:
    """Return True for an interval that the bootstrap makes if no image changed, or of bounds that say nothing."""
    least = min(unseen(images, _z((1 + confidence) / 2)), 100.0)
    return interval.value == 0 and interval.low == -interval.high and interval.high > least * (1 - 1e-9)


def _z(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
