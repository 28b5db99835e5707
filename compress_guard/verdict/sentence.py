"""The sentences of a judgement, and those on what a number of images can decide, which engine and report share."""

from __future__ import annotations

from math import copysign
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from compress_guard.records import Interval
    from compress_guard.verdict.power import OutOfReach

_MOST_DECIMALS: Final = 6


def of_drop(metric: str, scores: tuple[float, float], drop: Interval, confidence: float, max_drop: float | None) -> str:
    """Return ``top1 fell by 3.1 points (76.2 to 73.1, 95 % interval 1.9 to 4.3), allowed 2.0``.

    `scores` are the clean and the compressed score. There are as many decimals as it takes to show on which side of the
    limit each number lies.
    """
    digits = decimals((drop.low, drop.value, drop.high), max_drop)
    clean, compressed = (number(score, digits) for score in scores)
    ends = f"{number(drop.low, digits)} to {number(drop.high, digits)}"
    level = f"{100 * confidence:g} % interval"
    size = number(abs(drop.value), digits)
    if float(size) == 0:
        moved = f"{metric} stayed at {compressed} ({level} of the drop {ends})"
    elif drop.value > 0:
        moved = f"{metric} fell by {size} points ({clean} to {compressed}, {level} {ends})"
    else:
        moved = f"{metric} rose by {size} points ({clean} to {compressed}, {level} of the drop {ends})"
    if max_drop is None:
        return moved
    return f"{moved}, allowed {'' if drop.value > 0 else 'drop '}{_limit(max_drop, digits)}"


def of_score(score: Interval, confidence: float, min_score: float) -> str:
    """Return ``the score of 73.1 (95 % interval 66.6 to 78.8) has to reach 60.0``."""
    return _of_floor("the score", score, confidence, min_score)


def of_clean(clean: Interval, confidence: float, min_clean: float) -> str:
    """Return ``the clean score of 76.2 (95 % interval 69.9 to 81.6) has to reach 70.0``."""
    return _of_floor("the clean score", clean, confidence, min_clean)


def _of_floor(name: str, score: Interval, confidence: float, floor: float) -> str:
    digits = decimals((score.low, score.value, score.high), floor)
    value, low, high = (number(end, digits) for end in (score.value, score.low, score.high))
    return f"{name} of {value} ({100 * confidence:g} % interval {low} to {high}) has to reach {_limit(floor, digits)}"


def short_drop(metric: str, drop: Interval, max_drop: float | None) -> str:
    """Return the change of the score and the interval of the drop: ``top1 -27.5 (9.7 to 44.7), allowed 5.0``."""
    digits = decimals((drop.low, drop.value, drop.high), max_drop)
    change = number(-drop.value, digits)
    moved = f"{metric} {'+' if float(change) > 0 else ''}{change} {_ends(drop, digits)}"
    return moved if max_drop is None else f"{moved}, allowed {_limit(max_drop, digits)}"


def short_floor(name: str, score: Interval, floor: float) -> str:
    """Return ``score 73.1 (66.6 to 78.8), at least 80.0``."""
    digits = decimals((score.low, score.value, score.high), floor)
    return f"{name} {number(score.value, digits)} {_ends(score, digits)}, at least {_limit(floor, digits)}"


def _ends(interval: Interval, digits: int) -> str:
    return f"({number(interval.low, digits)} to {number(interval.high, digits)})"


def too_few(images: int, missed: OutOfReach, groups: int | None = None) -> str:
    """Return ``50 images are too few for a max_drop unless compression puts predictions right: where none ...``.

    It is for the warning before the first cell and for the summary after the last one; the rest is `of_reach`.
    """
    few = "1 image is" if images == 1 else f"{in_groups(str(images), groups)} are"
    return f"{few} too few for a max_drop unless compression puts predictions right: {of_reach(missed)}"


def in_groups(images: str, groups: int | str | None) -> str:
    """Return ``300 images in 25 groups``, or ``300 images`` where there are no groups; both may be spans."""
    return f"{images} images" if groups is None else f"{images} images in {groups} group{'' if groups == 1 else 's'}"


def of_resolution(images: str, points: str, groups: int | str | None = None) -> str:
    """Return ``with 300 images a drop must be 3.9 points away from its limit to be decided``.

    It is for the first line of a guard and for the summary, where both numbers may be spans: ``198 to 200``.
    """
    return f"with {in_groups(images, groups)} a drop must be {points} points away from its limit to be decided"


def of_reach(missed: OutOfReach) -> str:
    """Return ``where none changes, the 95 % interval of the drop reaches 7.1, allowed 2.0; it takes 189 images``."""
    digits = max(decimals((missed.reach,), missed.limits[-1]), *map(_exact, missed.limits))
    allowed = _span([number(limit, digits) for limit in missed.limits])
    if not missed.enough:
        takes = "no number of images could"
    else:
        takes = f"it takes {_span(list(map(str, missed.enough)))} {missed.unit}"
        if missed.limits[0] <= 0:
            takes = f"{takes}, and no number could hold {number(missed.limits[0], digits)}"
    return (
        f"where none changes, the {100 * missed.confidence:g} % interval of the drop reaches "
        f"{number(missed.reach, digits)}, allowed {allowed}; {takes}"
    )


def number(value: float, digits: int = 1) -> str:
    """Return a number with this many decimals, without a negative zero."""
    return f"{round(value, digits) + 0.0:.{digits}f}"


def decimals(values: tuple[float, ...], limit: float | None) -> int:
    """Return the fewest decimals that show every value on its own side of the limit."""
    if limit is None:
        return 1
    for digits in range(1, _MOST_DECIMALS):
        shown = round(limit, digits)
        if all(_side(round(value, digits), shown) == _side(value, limit) for value in values):
            return digits
    return _MOST_DECIMALS


def _limit(limit: float, digits: int) -> str:
    """Return a limit with this many decimals, or two if the file is more exact: 0.15 is not 0.1."""
    return number(limit, max(digits, min(2, _exact(limit))))


def _exact(limit: float) -> int:
    """Return the fewest decimals that show a limit exactly."""
    return next((digits for digits in range(1, _MOST_DECIMALS) if round(limit, digits) == limit), _MOST_DECIMALS)


def _span(shown: list[str]) -> str:
    """Return the first and the last number, ``2.0 to 2.5``, or ``2.0`` if they are equal."""
    return shown[0] if shown[0] == shown[-1] else f"{shown[0]} to {shown[-1]}"


def _side(value: float, limit: float) -> float:
    return 0.0 if value == limit else copysign(1.0, value - limit)
