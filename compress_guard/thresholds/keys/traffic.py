"""The key `traffic` of a guard: the share of production that each of its cells stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from compress_guard.records import Cell, Fixed, OperatingPoint, Quality, Rate, shortened
from compress_guard.registry import unknown
from compress_guard.thresholds.keys.curve import quality_of
from compress_guard.thresholds.value import Entry, Span, Value

SHARES: Final = Span(0, 1, open_low=True)
_ROUNDING: Final = 0.005
"""Most by which shares that were rounded may add up to more than 1."""
_EXAMPLE: Final = "write e.g. {jpeg: {q75: 0.4, q90: 0.3}, webp: {0.5: 0.3}}"
_MOST_NAMED: Final = 12


def with_traffic(entry: Entry, cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return a guard's cells with the shares of the key; raises `ThresholdsError` for shares that make no sense."""
    value = entry.value
    if not value.is_map or not value.entries():
        raise value.error(f"traffic must be a map from codecs to shares, found {_described(value)}", _EXAMPLE)
    by_codec: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.first_decoder is None:  # a cell that compares decoders stands for no traffic of its own
            by_codec.setdefault(cell.codec.alias, []).append(cell)
    shares: dict[Cell, float] = {}
    for codec, each in value.table().items():
        if codec not in by_codec:
            raise each.key.error(f"traffic: {unknown('codec', codec, tuple(by_codec))}", "name a codec of this guard")
        shares |= _shares_of(codec, each.value, by_codec[codec])
    total = sum(shares.values())
    if total > 1 + _ROUNDING:
        found = f"the shares of traffic add up to {total:.4g}"
        raise entry.key.error(found, "give shares of all traffic, which add up to 1 at most")
    return tuple(replace(cell, traffic=shares.get(cell)) for cell in cells)


def _described(value: Value) -> str:
    return "an empty map" if value.is_map else value.described


def _shares_of(codec: str, value: Value, cells: Sequence[Cell]) -> Mapping[Cell, float]:
    """Return the shares of the cells of one codec: one number for a single cell, else a map from points to shares."""
    if not value.is_map:
        share = value.number(f"the share of {codec} in traffic", SHARES)
        if len(cells) > 1:
            found = f"traffic gives {codec} one share, and the guard has {len(cells)} cells of it"
            raise value.error(found, f"give a share for each: {_named(cells)}")
        return {cells[0]: share}
    if isinstance(cells[0].point, Fixed):
        found = f"traffic gives {codec} a map of shares, and {codec} is one cell without rate or quality"
        raise value.error(found, f"write its share alone, such as {codec}: 0.4")
    if not value.entries():
        raise value.error(f"the traffic of {codec} is an empty map", f"give shares of {_named(cells)}")
    by_point = {cell.point: cell for cell in cells}
    shares: dict[Cell, float] = {}
    for entry in value.entries():
        point = _read_point(entry.key, codec)
        if point not in by_point:
            found = f"traffic names {shortened(codec, point)}, which is no cell of this guard"
            raise entry.key.error(found, f"it has {_named(cells)} of {codec}: name one of them, or add the cell")
        if by_point[point] in shares:
            raise entry.key.error(f"traffic names {shortened(codec, point)} twice", "keep one of them")
        shares[by_point[point]] = entry.value.number(f"the share of {shortened(codec, point)} in traffic", SHARES)
    return shares


def _read_point(key: Value, codec: str) -> OperatingPoint:
    """Read a point: a rate as a number, a quality as ``q75``."""
    number = key.as_number
    if number is not None:
        return Rate(number)
    setting = quality_of(key)
    if setting is None:
        found = f"traffic of {codec} names {key.described}, which is no operating point"
        raise key.error(found, "write a rate in bpp such as 0.5, or a quality such as q75")
    return Quality(setting)


def _named(cells: Sequence[Cell]) -> str:
    """Return the points of a codec's cells as the key spells them, or their number if they are many."""
    if len(cells) > _MOST_NAMED:
        return f"{len(cells)} points"
    return ", ".join(f"{cell.point.bpp:g}" if isinstance(cell.point, Rate) else cell.point.label for cell in cells)
