"""Numbers as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable


def points(value: float) -> str:
    """Return a score or drop with one decimal and no negative zero."""
    return f"{round(value, 1) + 0.0:.1f}"


def limit(value: float) -> str:
    """Return a limit with one decimal, or two where one would change it."""
    return points(value) if abs(round(value, 1) - value) < 1e-9 else f"{value:.2f}"


def bpp(value: float) -> str:
    """Return a rate with three significant digits."""
    return f"{value:.3g}"


def span(shown: Iterable[str]) -> str:
    """Return the only distinct text, or the first and the last one: ``2.0 to 2.5``."""
    distinct = list(dict.fromkeys(shown))
    return distinct[0] if len(distinct) == 1 else f"{distinct[0]} to {distinct[-1]}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 cell``, ``2 cells``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def percent(share: float) -> str:
    """Return a share in percent: ``95 %``, ``99.902 %``."""
    return f"{100 * share:g} %"


def share(value: float) -> str:
    """Return a share in whole percent, or with two digits below 10 %: ``40 %``, ``2.5 %``."""
    return f"{100 * value:.0f} %" if value >= 0.0995 else f"{100 * value:.2g} %"


def signed(value: float) -> str:
    """Return points with their sign: ``+0.1``."""
    return f"{round(value, 1) + 0.0:+.1f}"


def about(number: int) -> str:
    """Return a number of images with two digits, rounded up."""
    step = 10 ** max(0, len(str(number)) - 2)
    return str(-(-number // step) * step)


def spread(shown: Iterable[float]) -> str:
    """Return the lowest and the highest of some points: ``1.9 to 5.2``, or one number if both print the same."""
    return span(map(points, sorted(shown)))
