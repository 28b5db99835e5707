"""A threshold over operating points: one number, or points, with log-linear interpolation between rates."""

from __future__ import annotations

import bisect
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from compress_guard.records import OperatingPoint, Quality, Rate
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.value import Span, Value

RATES: Final = Span(0.02, 8)
POINTS: Final = Span(0, 100)
QUALITY: Final = r"q-?[0-9]+(\.[0-9]+)?(e-[0-9]+)?"
"""A quality as the key of a map of limits, in any form that node ids print: ``q75``, ``q-2.5``, ``q1e-05``."""
_LOOKS_LIKE_QUALITY: Final = Span(8, 100, open_low=True)


@dataclass(frozen=True, slots=True)
class QualityLimit:
    """A value (0 to 100) at one setting of a codec."""

    setting: float
    value: float
    place: str = field(default="", compare=False)
    """The place of the value in the file."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Values (0 to 100) at ascending rates (bpp) and at qualities; without either, one value that holds everywhere.

    Nothing is interpolated between qualities, since each codec has a scale of its own.
    """

    values: tuple[float, ...]
    rates: tuple[float, ...] = ()
    line: int = 0
    places: tuple[str, ...] = field(default=(), compare=False)
    """The place of each value in the file: ``thresholds.yaml:14``."""
    qualities: tuple[QualityLimit, ...] = ()
    """Limits at qualities, ascending."""

    def used(self, point: OperatingPoint) -> Iterator[tuple[float, str]]:
        """Yield the given values, each with its place, from which the value at a point is computed."""
        pairs = list(zip(self.values, self.places, strict=False))
        if self._everywhere:
            yield from pairs
        elif isinstance(point, Quality):
            yield from ((limit.value, limit.place) for limit in self.qualities if limit.setting == point.setting)
        elif isinstance(point, Rate) and self.at(point.bpp) is not None:
            upper = bisect.bisect_left(self.rates, point.bpp)
            yield from pairs[upper : upper + 1] if self.rates[upper] == point.bpp else pairs[upper - 1 : upper + 1]

    def holding(self, point: OperatingPoint) -> float | None:
        """Return the value that holds at an operating point; None for a point that a map does not cover."""
        if self._everywhere:
            return self.values[0]
        if isinstance(point, Rate):
            return self.at(point.bpp)
        return next((value for value, _ in self.used(point)), None)

    def at(self, bpp: float) -> float | None:
        """Return the value at `bpp`, linear in log bpp between given rates and exact at them; None outside them."""
        if self._everywhere:
            return self.values[0]
        if not self.rates or not self.rates[0] <= bpp <= self.rates[-1]:
            return None
        upper = bisect.bisect_left(self.rates, bpp)
        if self.rates[upper] == bpp:
            return self.values[upper]
        (low, high), (start, end) = self.rates[upper - 1 : upper + 1], self.values[upper - 1 : upper + 1]
        value = start + (end - start) * math.log(bpp / low) / math.log(high / low)
        return min(max(value, min(start, end)), max(start, end))

    @property
    def _everywhere(self) -> bool:
        return not self.rates and not self.qualities

    @property
    def reach(self) -> str:
        """The given points: ``0.1 to 2.0 bpp``, ``0.5 bpp, q50 and q75``."""
        parts = [] if not self.rates else [f"{self.rates[0]} to {self.rates[-1]} bpp"]
        if self.rates and self.rates[0] == self.rates[-1]:
            parts = [f"{self.rates[0]} bpp"]
        parts += [Quality(limit.setting).label for limit in self.qualities]
        if len(parts) == 1:
            return parts[0] if len(self.rates) > 1 else f"{parts[0]} only"
        return f"{', '.join(parts[:-1])} and {parts[-1]}"

    def beyond(self, point: OperatingPoint, source: str, limit: str = "max_drop") -> str:
        """Return a message about a point, given at `source`, for which the `limit` has no value.

        The source of the one point of a fixed codec is that codec.
        """
        given = f"the {limit} of line {self.line}"
        match point:
            case Rate(bpp):
                what = f"rate {bpp} bpp ({source}) is outside"
            case Quality():
                what = f"quality {point.label[1:]} ({source}) is not in"
            case _:
                return f"{source} leaves no setting open, and {given} is given at {self.reach}"
        return f"{what} {given}, which is given at {self.reach}"


def line_of(limits: Iterable[Curve | None], point: OperatingPoint) -> int | None:
    """Return the line of the number that the first of these limits takes at a point; None if none holds there."""
    places = (place for curve in limits if curve is not None for _, place in curve.used(point))
    first = next(places, None)
    return None if first is None else int(first.rpartition(":")[2])


def missing(what: str, point: OperatingPoint) -> str:
    """Return the remedy for a point that the limit `what` does not cover."""
    match point:
        case Rate(bpp):
            return f"give {what} at {bpp} bpp too, or remove this rate"
        case Quality():
            return f"give {what} at {point.label} too, or remove this quality"
    return f"give {what} as one number, for this codec by its name"


def places_of(key: str, curve: Curve | None, point: OperatingPoint) -> tuple[tuple[str, str], ...]:
    """Return the key of a limit with each place in the file that its value at a point comes from, each place once."""
    places = () if curve is None else dict.fromkeys(place for _, place in curve.used(point))
    return tuple((key, place) for place in places)


def looks_like_quality(number: float) -> bool:
    """Return True for a number that is no rate, and the usual quality of an encoder."""
    return number in _LOOKS_LIKE_QUALITY and float(number).is_integer()


def quality_of(key: Value) -> float | None:
    """Return the setting of a quality that is the key of a map of limits: ``q75``; None for any other key."""
    text = key.scalar
    return float(text[1:]) if isinstance(text, str) and re.fullmatch(QUALITY, text) else None


def is_quality(key: Value) -> bool:
    """Return True for the key of a quality in a map of limits: ``q75``."""
    return quality_of(key) is not None


def read_rate(value: Value, *, key: bool = False) -> float:
    """Read a target rate in bpp: an element of a list, or the `key` of a map of limits."""
    number = value.as_number
    if number is None and is_quality(value):
        setting = str(value.scalar)[1:]
        raise value.error(f"a rate must be a number, found {value.described}", f"write quality: [{setting}]")
    if number is not None and number not in RATES:
        remedy = "use a rate in that range"
        if looks_like_quality(number):
            meant = Quality(number).label if key else f"quality: [{number:g}]"
            remedy += f", or did you mean {meant}?"
        raise value.error(f"rate {value.described} bpp is outside {RATES}", remedy)
    return value.number("a rate", RATES)


def read_curve(value: Value, what: str) -> Curve:
    """Read a number, or a map from rate and quality to number."""
    if not value.is_map:
        if value.is_list or value.empty:
            found = f"{what} must be a number or a map from rate to number, found {value.described}"
            raise value.error(found, "write e.g. 3 or {0.25: 5, 1.0: 3}")
        return Curve((value.number(what, POINTS),), line=value.line, places=(value.place,))
    rates: dict[float, tuple[float, str]] = {}
    qualities: dict[float, QualityLimit] = {}
    for key, entry in value.entries():
        setting = quality_of(key)
        if setting is None:
            rates[read_rate(key, key=True)] = (entry.number(what, POINTS), entry.place)
            continue
        if setting in qualities:
            found = f"the quality {Quality(setting).label} of {what} is given twice, as {key.described} too"
            raise key.error(found, "keep one of them")
        qualities[setting] = QualityLimit(setting, entry.number(what, POINTS), entry.place)
    if not rates and not qualities:
        raise value.error(f"{what} is an empty map", "give a number, or a map from rate to number")
    values = tuple(rates[rate][0] for rate in sorted(rates))
    places = tuple(rates[rate][1] for rate in sorted(rates))
    given = tuple(qualities[setting] for setting in sorted(qualities))
    return Curve(values, tuple(sorted(rates)), value.line, places, given)


def read_drops(value: Value, what: str, catalogue: Catalogue) -> PerCodec[Curve]:
    """Read max_drop, min_score or max_regression in any of its forms."""
    if value.is_map:
        for entry in value.entries():
            if isinstance(entry.key.scalar, str) and entry.key.scalar[:1].isdigit():
                raise entry.key.error(f"the rate {entry.key.described} of {what} is text", "write it without quotes")
    # A codec of the file may be called q75; its name has always meant the codec.
    return PerCodec.read(value, what, catalogue, read_curve, lambda key: is_quality(key) and not catalogue.knows(key))
