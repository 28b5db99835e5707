"""The operating points of a codec: its rates, then its qualities."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from compress_guard.errors import ThresholdsError
from compress_guard.records import CodecSpec, Fixed, OperatingPoint, Quality, Rate, format_setting
from compress_guard.registry import setting_faults
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys.curve import RATES
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.keys.rates import Rates
from compress_guard.thresholds.value import Value


@dataclass(frozen=True, slots=True)
class Qualities:
    """Settings on a codec's own scale, ascending, with their places in the file."""

    values: tuple[float, ...]
    elements: tuple[Value, ...]
    line: int

    @property
    def source(self) -> str:
        """The place in the file where they are given, for messages."""
        return f"from line {self.line}"


class AskedPoint(NamedTuple):
    """An operating point and where it was given, for messages; the codec where it has no choice."""

    point: OperatingPoint
    source: str


@dataclass(frozen=True, slots=True)
class AskedPoints:
    """Rates and qualities that a file asks for, each for all codecs or per codec; None where it asks for none."""

    rates: PerCodec[Rates] | None
    quality: PerCodec[Qualities] | None

    def of(self, spec: CodecSpec, at: Value) -> list[AskedPoint]:
        """Return the operating points of a codec, rates first; raises `ThresholdsError` if there are none.

        Settings that the codec does not take are errors as far as it can tell without its library. A pipeline that
        leaves nothing open has one point, and no rates or qualities may be given for it by its name.
        """
        if spec.fixed:
            self._check_unnamed(spec, at)
            return [AskedPoint(Fixed(), f"the codec {spec.alias!r}")]
        rates = None if self.rates is None else self.rates.at(spec.alias)
        qualities = None if self.quality is None else self.quality.at(spec.alias)
        if qualities is not None:
            _check_settings(spec, qualities, at)
        points = [AskedPoint(Rate(bpp), rates.source) for bpp in rates.values] if rates else []
        if qualities is not None:
            points += (AskedPoint(Quality(setting), qualities.source) for setting in qualities.values)
        if not points:
            raise self._pointless(spec, at)
        return points

    def count(self, codecs: Iterable[CodecSpec]) -> int:
        """Count the pairs of one of these codecs and one of its points."""
        tables = [table for table in (self.rates, self.quality) if table is not None]
        codecs = tuple(codecs)
        fixed = [spec for spec in codecs if spec.fixed]
        given = (table.at(spec.alias) for spec in codecs if spec not in fixed for table in tables)
        return len(fixed) + sum(len(one.values) for one in given if one is not None)

    def _check_unnamed(self, spec: CodecSpec, at: Value) -> None:
        """Raise `ThresholdsError` where rates or qualities are given for a codec that has no choice of them."""
        for key, table in (("bpp", self.rates), ("quality", self.quality)):
            given = table.named.get(spec.alias) if table is not None else None
            if given is not None and given.values:
                found = f"the {key} of line {given.line} names {spec.alias}, whose steps leave no quality open"
                raise at.error(found, f"remove {spec.alias} there, or leave the quality of its last codec out")

    def _pointless(self, spec: CodecSpec, at: Value) -> ThresholdsError:
        """Return the error about a codec without an operating point."""
        remedy = f"add {spec.alias} or default to it"
        if self.quality is not None:
            found = f"the quality of line {self.quality.line} has no settings for the codec {spec.alias!r}"
            return at.error(f"{found}, which has no rates either", remedy)
        if self.rates is not None:
            return at.error(f"the bpp of line {self.rates.line} has no rates for the codec {spec.alias!r}", remedy)
        return at.error(f"the codec {spec.alias!r} has neither rates nor qualities", "give bpp or quality")


def read_quality(value: Value, what: str, catalogue: Catalogue) -> PerCodec[Qualities] | None:
    """Read one list of settings for all codecs, or one per codec; None for null."""
    if value.empty:
        return None
    return PerCodec.read(value, what, catalogue, _qualities)


def _qualities(value: Value, what: str) -> Qualities:
    if value.empty:
        return Qualities((), (), value.line)
    seen = _settings(value.elements(what), what)
    values = tuple(sorted(seen))
    return Qualities(values, tuple(seen[setting] for setting in values), value.line)


def distinct_settings(elements: Iterable[Value], what: str) -> tuple[float, ...]:
    """Read settings; return them in ascending order. Raises `ThresholdsError` for one that is given twice."""
    return tuple(sorted(_settings(elements, what)))


def _settings(elements: Iterable[Value], what: str) -> dict[float, Value]:
    """Return the settings, each with its place."""
    seen: dict[float, Value] = {}
    for element in elements:
        setting = element.as_number
        if setting is None or setting != setting or abs(setting) == float("inf"):
            found = f"a setting of {what} must be a number, found {element.described}"
            raise element.error(found, "write numbers on the scale of the codec, such as [75, 50]")
        if setting in seen:
            first = seen[setting].described
            twice = "is given twice" if element.described == first else f"is the same as {first}"
            raise element.error(f"the setting {element.described} of {what} {twice}", "keep one of them")
        seen[setting] = element
    return seen


def _check_settings(spec: CodecSpec, qualities: Qualities, at: Value) -> None:
    faults = setting_faults(spec, qualities.values)
    for setting, element, taken in zip(qualities.values, qualities.elements, faults, strict=True):
        if taken is not None:
            rate = ", or give it as a rate under bpp" if setting in RATES else ""
            found = f"{format_setting(setting)} is no quality of {spec.alias}, which takes {taken}"
            raise element.inside(at.context).error(found, f"use one of these{rate}")
