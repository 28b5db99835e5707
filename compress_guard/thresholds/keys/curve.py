"""A threshold over rates: one number, or points with log-linear interpolation between them."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.value import Span, Value

RATES: Final = Span(0.02, 8)
POINTS: Final = Span(0, 100)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (0 to 100) at ascending rates (bpp); without rates one value that holds at every rate."""

    values: tuple[float, ...]
    rates: tuple[float, ...] = ()
    line: int = 0
    places: tuple[str, ...] = field(default=(), compare=False)
    """The place of each value in the file: ``thresholds.yaml:14``."""

    def used(self, bpp: float) -> Iterator[tuple[float, str]]:
        """Yield the given values, each with its place, from which the value at `bpp` is computed."""
        pairs = list(zip(self.values, self.places, strict=False))
        if not self.rates:
            yield from pairs
        elif self.at(bpp) is not None:
            upper = bisect.bisect_left(self.rates, bpp)
            yield from pairs[upper : upper + 1] if self.rates[upper] == bpp else pairs[upper - 1 : upper + 1]

    def at(self, bpp: float) -> float | None:
        """Return the value at `bpp`, linear in log bpp between given rates and exact at them; None outside them."""
        if not self.rates:
            return self.values[0]
        if not self.rates[0] <= bpp <= self.rates[-1]:
            return None
        upper = bisect.bisect_left(self.rates, bpp)
        if self.rates[upper] == bpp:
            return self.values[upper]
        (low, high), (start, end) = self.rates[upper - 1 : upper + 1], self.values[upper - 1 : upper + 1]
        value = start + (end - start) * math.log(bpp / low) / math.log(high / low)
        return min(max(value, min(start, end)), max(start, end))

    @property
    def reach(self) -> str:
        """The given rates, e.g. ``0.1 to 2.0 bpp``."""
        low, high = self.rates[0], self.rates[-1]
        return f"{low} bpp only" if low == high else f"{low} to {high} bpp"

    def beyond(self, bpp: float, source: str) -> str:
        """Return a message about a rate, given at `source`, for which there is no max_drop."""
        return f"rate {bpp} bpp ({source}) is outside the max_drop of line {self.line}, which is given at {self.reach}"


def read_rate(value: Value) -> float:
    """Read a target rate in bpp."""
    number = value.as_number
    if number is not None and number not in RATES:
        raise value.error(f"rate {value.described} bpp is outside {RATES}", "use a rate in that range")
    return value.number("a rate", RATES)


def read_curve(value: Value, what: str) -> Curve:
    """Read a number, or a map from rate to number."""
    if not value.is_map:
        if value.is_list or value.empty:
            found = f"{what} must be a number or a map from rate to number, found {value.described}"
            raise value.error(found, "write e.g. 3 or {0.25: 5, 1.0: 3}")
        return Curve((value.number(what, POINTS),), line=value.line, places=(value.place,))
    points = {read_rate(entry.key): (entry.value.number(what, POINTS), entry.value.place) for entry in value.entries()}
    if not points:
        raise value.error(f"{what} is an empty map", "give a number, or a map from rate to number")
    rates = tuple(sorted(points))
    values, places = zip(*(points[rate] for rate in rates), strict=True)
    return Curve(values, rates, value.line, places)


def read_drops(value: Value, what: str, catalogue: Catalogue) -> PerCodec[Curve]:
    """Read max_drop or min_score in any of its forms."""
    if value.is_map:
        for entry in value.entries():
            if isinstance(entry.key.scalar, str) and entry.key.scalar[:1].isdigit():
                raise entry.key.error(f"the rate {entry.key.described} of {what} is text", "write it without quotes")
    return PerCodec.read(value, what, catalogue, read_curve)
