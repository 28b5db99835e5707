"""Axes of a figure: places of values and of the numbers beside the lines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 25, 50)


@dataclass(frozen=True, slots=True)
class Axis:
    """A map from values to places along an axis; logarithmic where `log`."""

    low: float
    high: float
    start: float
    """Place of `low`."""
    end: float
    """Place of `high`."""
    log: bool = False

    def place(self, value: float) -> float:
        """Return the place of a value, to a tenth."""
        low, high, value = (
            (math.log(self.low), math.log(self.high), math.log(value)) if self.log else (self.low, self.high, value)
        )
        share = (value - low) / (high - low)
        return round(self.start + share * (self.end - self.start), 1)


def rate_scale(rates: Iterable[float], start: float, end: float) -> Axis:
    """Return a logarithmic scale with some room on both sides of the rates, all above 0."""
    rates = list(rates)
    return Axis(min(rates) / 1.25, max(rates) * 1.25, start, end, log=True)


def score_scale(scores: Iterable[float], start: float, end: float) -> tuple[Axis, list[float]]:
    """Return a scale that holds all scores, and the scores with a line."""
    scores = list(scores)
    low, high = min(scores), max(scores)
    step = next((step for step in _STEPS if (high - low) / step <= 5), _STEPS[-1])
    first, last = math.floor(low / step), math.ceil(high / step)
    last = last if last > first else first + 1
    return Axis(first * step, last * step, start, end), [step * number for number in range(first, last + 1)]


def apart(places: Sequence[float], least: float) -> list[bool]:
    """Return for ascending places if a number fits there: at least so far from the last one that has its number."""
    fits = []
    last = -math.inf
    for place in places:
        fits.append(place - last >= least)
        last = place if fits[-1] else last
    return fits
