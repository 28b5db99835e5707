"""Lists of codecs and of target rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from compress_guard.records import CodecSpec
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys.curve import read_rate
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.value import Value

MOST_CELLS: Final = 50_000
"""Cells of a file with their limits of slices: codecs times rates times guards, which a few lists multiply to."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Target rates in bpp, ascending; `line` 0 where the file gives none."""

    values: tuple[float, ...]
    line: int = 0

    @property
    def source(self) -> str:
        """The place in the file where they are given, for messages."""
        return f"from line {self.line}" if self.line else "a default"


def read_codecs(value: Value, what: str, catalogue: Catalogue) -> tuple[CodecSpec, ...]:
    """Read codecs that the file may name, each once, in its order."""
    specs: dict[str, CodecSpec] = {}
    for element in value.elements(what):
        spec = catalogue.spec(element)
        if spec.alias in specs:
            raise element.error(f"the codec {spec.alias!r} is given twice", "keep one of them")
        specs[spec.alias] = spec
    return tuple(specs.values())


def read_bpp(value: Value, what: str, catalogue: Catalogue) -> PerCodec[Rates] | None:
    """Read one list of rates for all codecs, or one per codec; None for null, which asks for no rates."""
    return None if value.empty else PerCodec.read(value, what, catalogue, _rates)


def _rates(value: Value, what: str) -> Rates:
    if value.empty:
        return Rates((), value.line)
    return Rates(distinct(value.elements(what), what), value.line)


def distinct(elements: Iterable[Value], what: str) -> tuple[float, ...]:
    """Read rates in bpp; return them in ascending order. Raises `ThresholdsError` for a rate that is given twice."""
    seen: dict[float, Value] = {}
    for element in elements:
        rate = read_rate(element)
        if rate in seen:
            first = seen[rate].described
            twice = "is given twice" if element.described == first else f"is the same as {first}"
            raise element.error(f"the rate {element.described} of {what} {twice}", "keep one of them")
        seen[rate] = element
    return tuple(sorted(seen))


def check_room(at: Value, what: str, count: int) -> None:
    """Raise `ThresholdsError` for more cells than a file may ask for, before they are made."""
    if count > MOST_CELLS:
        found = f"{what} has more than {MOST_CELLS} cells and limits of slices"
        raise at.error(found, "list fewer codecs, rates or slices")
