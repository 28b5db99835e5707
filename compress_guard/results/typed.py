"""Types of the fields of records, and values that are compared with them."""

from __future__ import annotations

import functools
import math
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, Literal, Union, cast, get_args, get_origin, get_type_hints

from compress_guard.foreign import shown
from compress_guard.records import CellPart, CellResult

_SIGNED: Final = frozenset(["seed", "seeds", "exit_status"])
"""Whole numbers that may be below 0; all others count something."""
_RATES: Final = (
    "target_bpp",
    "bpp_mean",
    "bpp_pooled",
    "bpp_se",
    "floor_bpp",
    "metadata_bpp",
    "source_bpp",
    "bpp",
    "reference_bpp",
    "rate_tolerance",
)
_AMOUNTS: Final = frozenset(
    [*_RATES, "encodes", "seconds", "megapixels", "speed", "reference_speed", "peak_memory", "covered"]
)
"""Other numbers that cannot be below 0."""
_CONFIDENCES: Final = frozenset(["confidence", "interval_confidence"])
_LARGEST: Final = 1e15
"""Largest amount of a number; beyond it, sums and pictures overflow."""
_LONGEST: Final = 80
_WORDS: Final[Mapping[Any, str]] = {
    float: "a number",
    int: "a whole number of at least 0",
    str: "a text",
    bool: "true or false",
    types.NoneType: "null",
    dict: "an object",
}


def types_of(record: type) -> Mapping[str, Any]:
    """Return the type of each field of a record as annotated; fields of a cell's parts stand beside its own."""
    hints: dict[str, Any] = {}
    for name, hint in _hints(record).items():
        if _is_part(hint):
            hints |= types_of(hint)
        else:
            hints[name] = hint
    return hints


def is_text(name: str) -> bool:
    """Return True for a field of a cell whose values are texts, or None."""
    kinds = _kinds(types_of(CellResult).get(name))
    return all(kind in (str, types.NoneType) or get_origin(kind) is Literal for kind in kinds)


def is_list(hint: Any) -> bool:
    """Return True for a field whose values JSON has as lists."""
    return any(get_origin(kind) is tuple for kind in _kinds(hint))


def first_misfit(record: object) -> str | None:
    """Return what is wrong with the first value that does not fit its field, or None if all do."""
    return next(_misfits(record), None)


def expected(hint: Any) -> str:
    """Return the values that a field may have, in words."""
    return " or ".join(dict.fromkeys(_word(kind) for kind in _kinds(hint)))


def misfit(place: str, value: object, wanted: str) -> str:
    """Return the sentence on one value."""
    return f"{place} is {shown(repr(value), _LONGEST)}, expected {wanted}"


def _misfits(record: Any, prefix: str = "") -> Iterator[str]:
    for name, hint in _hints(cast("Any", type(record))).items():
        value = getattr(record, name)
        if _is_part(hint):
            yield from _misfits(value, prefix)
        else:
            yield from _value_misfits(value, hint, f"{prefix}{name}")


@functools.cache
def _hints(record: Any) -> Mapping[str, Any]:
    """Return the type of each field of a dataclass, a part of a cell as its class."""
    hints = get_type_hints(record)
    return {each.name: hints[each.name] for each in fields(record)}


def _value_misfits(value: object, hint: Any, place: str) -> Iterator[str]:
    """Yield what is wrong with a value of this type: with itself, or with the items of a list or record."""
    name = place.rpartition(".")[2].partition("[")[0]
    kind = next((kind for kind in _kinds(hint) if _is(value, kind)), None)
    if kind is None:
        yield misfit(place, value, expected(hint))
    elif isinstance(value, tuple):
        items = get_args(kind)
        inner = items[:1] * len(value) if items[-1] is Ellipsis else items
        if len(inner) != len(value):
            yield misfit(place, value, f"{len(inner)} values")
            return
        for number, (item, item_hint) in enumerate(zip(value, inner, strict=True)):
            yield from _value_misfits(item, item_hint, f"{place}[{number}]")
    elif is_dataclass(value):
        yield from _misfits(value, f"{place}.")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_misfits(name, value, place, whole=kind is int)


def _number_misfits(name: str, value: float, place: str, *, whole: bool) -> Iterator[str]:
    if name in _CONFIDENCES and not 0 < value < 1:
        yield misfit(place, value, "a number between 0 and 1")
    elif value < 0 and (name in _AMOUNTS or (whole and name not in _SIGNED)):
        yield misfit(place, value, "a whole number of at least 0" if whole else "a number of at least 0")
    elif abs(value) > _LARGEST and name not in _SIGNED:
        yield misfit(place, value, f"a number of at most {_LARGEST:g}")


def _is_part(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, CellPart)


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _word(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, get_args(kind))) if len(get_args(kind)) > 1 else str(get_args(kind)[0])
    return "a list" if get_origin(kind) is tuple else _WORDS.get(kind, "an object")


def _is(value: object, kind: Any) -> bool:
    """Return True if a value is of this type, whatever the items of a list or record are."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in typing.get_args(kind)
    return isinstance(value, tuple if get_origin(kind) is tuple else kind)


def _is_finite(value: float) -> bool:
    return isinstance(value, int) or math.isfinite(value)
