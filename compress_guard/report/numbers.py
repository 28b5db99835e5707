"""Figures as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable


def points(value: float) -> str:
    """A score or drop with one decimal and no negative zero."""
    return f"{round(value, 1) + 0.0:.1f}"


def limit(value: float) -> str:
    """A limit with one decimal, or two where one would change it."""
    return points(value) if abs(round(value, 1) - value) < 1e-9 else f"{value:.2f}"


def bpp(value: float) -> str:
    """A rate with three significant digits."""
    return f"{value:.3g}"


def span(shown: Iterable[str]) -> str:
    """Figures that are mostly all the same: one of them, or the first and the last of them in the order given."""
    distinct = list(dict.fromkeys(shown))
    return distinct[0] if len(distinct) == 1 else f"{distinct[0]} to {distinct[-1]}"


def count(number: int, noun: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(share: float) -> str:
    """``95 %``, ``99.902 %``."""
    return f"{100 * share:g} %"


def signed(value: float) -> str:
    """Points with their sign: ``+0.1``."""
    return f"{round(value, 1) + 0.0:+.1f}"


def about(number: int) -> str:
    """A number of images with two digits, rounded up."""
    step = 10 ** max(0, len(str(number)) - 2)
    return str(-(-number // step) * step)


def spread(shown: Iterable[float]) -> str:
    """Points from the lowest to the highest: ``1.9 to 5.2``, or one figure where both read the same."""
    return span(map(points, sorted(shown)))
