"""Cells of a results file that others may have written: each field has the type that it has to have."""

from __future__ import annotations

import functools
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from compress_guard.errors import described
from compress_guard.records import CellResult

_NEEDED: Final = ("id", "guard", "task", "metric", "codec", "verdict", "outcome", "reason")
"""Fields without which a cell cannot be compared with another."""
_ABSENT: Final[Mapping[str, Any]] = {
    "target_bpp": None,
    "settled_by": "policy",
    "rate": None,
    "device": "",
    "seed": 0,
    "confidence": 0.95,
}
"""Values of fields that JUnit leaves out where they are None, and that other files may lack."""


def checked_cell(values: object) -> CellResult:
    """Return the cell of a results file; raises ValueError, with the reason, for what is no cell."""
    if not isinstance(values, dict):
        raise ValueError("a cell is no object")  # noqa: TRY004 - a wrong value in a file is no slip of the caller
    missing = [name for name in _NEEDED if name not in values]
    if missing:
        raise ValueError(f"a cell has no {missing[0]}")
    for name, hint in field_types().items():
        if name in values and not _fits(values[name], hint):
            raise ValueError(f"{name} of cell {values['id']} is {values[name]!r}")
    try:
        return CellResult.from_dict({**_ABSENT, **values})
    except (TypeError, ValueError, KeyError, AttributeError) as problem:
        raise ValueError(f"cell {values['id']} cannot be read ({described(problem)})") from problem


@functools.cache
def field_types() -> Mapping[str, Any]:
    """Return the type of each field of a cell, flat, as annotated."""
    hints: dict[str, Any] = {}
    for name, hint in get_type_hints(CellResult).items():
        if is_dataclass(hint):
            parts = get_type_hints(hint)
            hints |= {each.name: parts[each.name] for each in fields(hint)}
        else:
            hints[name] = hint
    return hints


def is_text(name: str) -> bool:
    """Return True for a field whose values are texts, or None."""
    kinds = _kinds(field_types().get(name))
    return all(kind in (str, types.NoneType) or get_origin(kind) is Literal for kind in kinds)


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _fits(value: object, hint: Any) -> bool:
    return any(_is(value, kind) for kind in _kinds(hint))


def _is(value: object, kind: Any) -> bool:
    """Return True if a JSON value is of this type; lists are looked at when the cell is made."""
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if get_origin(kind) is Literal:
        return isinstance(value, str) and value in typing.get_args(kind)
    if get_origin(kind) is tuple:
        return isinstance(value, list)
    return isinstance(value, kind)
