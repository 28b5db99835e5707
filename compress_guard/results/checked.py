"""Records of JSON values that others may have written: a value that no run writes is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields
from typing import Any, Final, TypeAlias, TypeVar

from compress_guard.errors import described
from compress_guard.records import CellResult, RecoveryResult, ThroughputResult, TrafficResult
from compress_guard.results.typed import expected, first_misfit, is_list, misfit, types_of

Result: TypeAlias = CellResult | RecoveryResult | ThroughputResult | TrafficResult
R = TypeVar("R", CellResult, RecoveryResult, ThroughputResult, TrafficResult)

_ABSENT: Final[Mapping[str, Any]] = {
    "target_bpp": None,
    "settled_by": "policy",
    "rate": None,
    "device": "",
    "seed": 0,
    "confidence": 0.95,
}
"""Values of fields of a cell that JUnit leaves out where they are None, and that other files may lack."""
_NEVER: Final[Mapping[str, tuple[str, ...]]] = {
    "passed": ("fail", "error", "codec_error"),
    "skipped": ("pass", "fail", "error", "codec_error"),
}
"""Verdicts that no cell of an outcome has; a failed cell with a waiver is skipped."""
_NAMES: Final[Mapping[type[Result], str]] = {
    CellResult: "cell",
    RecoveryResult: "recovery study",
    ThroughputResult: "throughput cell",
    TrafficResult: "traffic",
}


def checked_cell(values: object) -> CellResult:
    """Return the cell of a results file; raises ValueError, with the reason, for what is no cell."""
    given = {**_ABSENT, **values} if isinstance(values, dict) else values
    cell = checked(CellResult, given)
    if cell.verdict in _NEVER.get(cell.outcome, ()) and (cell.verdict != "fail" or cell.waived is None):
        wrong = f"outcome is {cell.outcome}, which no cell with the verdict {cell.verdict} has"
        raise ValueError(_of(f"cell {cell.id}", wrong))
    return cell


def checked(kind: type[R], values: object) -> R:
    """Return the record that these JSON values describe; raises ValueError, with the reason, for what is none."""
    name = _NAMES[kind]
    if not isinstance(values, dict):
        raise ValueError(f"a {name} is no object")  # noqa: TRY004 - a wrong value in a file is no slip of the caller
    needed = [each.name for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
    missing = [key for key in needed if key not in values]
    if missing:
        raise ValueError(f"a {name} has no {missing[0]}")
    named = f"{name} {values[needed[0]]}"
    for key, hint in types_of(kind).items():
        if key in values and is_list(hint) and not isinstance(values[key], list):
            raise ValueError(_of(named, misfit(key, values[key], expected(hint))))
    make: Callable[[Mapping[str, Any]], R] = kind.from_dict
    try:
        record = make(values)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as problem:
        raise ValueError(f"{named} cannot be read ({described(problem)})") from problem
    wrong = first_misfit(record)
    if wrong is not None:
        raise ValueError(_of(named, wrong))
    return record


def _of(named: str, wrong: str) -> str:
    """Return ``score of cell NAME is ...`` for ``score is ...``."""
    place, _, rest = wrong.partition(" is ")
    return f"{place} of {named} is {rest}"
