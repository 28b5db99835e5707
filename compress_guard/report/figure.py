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
