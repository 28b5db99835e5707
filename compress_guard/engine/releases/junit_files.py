"""Cells of a JUnit report, whose properties are the fields of a results file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from compress_guard.engine.releases.checked_cells import checked_cell, field_types, is_text
from compress_guard.errors import UsageError, described
from compress_guard.records import CellResult

_PREFIX: Final = "cg_"
_REMEDY: Final = "name a report that pytest has written with --compress-guard and --junitxml"


def read_junit(path: Path) -> dict[str, CellResult]:
    """Return the cells of a JUnit report by node id; tests of other kinds are passed over. Raises `UsageError`."""
    cells: dict[str, CellResult] = {}
    for properties in _cases(path):
        if not {"id", "guard", "verdict", "metric"} <= properties.keys() or "trained_bpp" in properties:
            continue  # another test, or a cell of another kind
        try:
            cell = checked_cell({name: _value(name, text) for name, text in properties.items()})
        except ValueError as problem:
            raise UsageError(str(path), f"this is no report of compress_guard: {problem}", _REMEDY) from problem
        if cell.id in cells:
            raise UsageError(str(path), f"the cell {cell.id} is in it twice", _REMEDY)
        cells[cell.id] = cell
    if not cells:
        raise UsageError(str(path), "there is no cell of compress_guard in this report", _REMEDY)
    return cells


def _cases(path: Path) -> Iterator[dict[str, str]]:
    """Yield the properties of each test case, without their prefix."""
    try:
        import junitparser
    except ImportError as problem:
        remedy = "pip install 'compress-guard[junit]', or name the file of --cg-json"
        raise UsageError(str(path), "JUnit reports need junitparser, which is not installed", remedy) from problem
    try:
        report: Any = junitparser.JUnitXml.fromfile(str(path))
        suites = [report] if isinstance(report, junitparser.TestSuite) else list(report)
        found = [_properties(case, junitparser.Properties) for suite in suites for case in suite]
    except Exception as problem:  # of a parser that is given anything
        raise UsageError(str(path), f"this is no JUnit report ({described(problem)})", _REMEDY) from problem
    yield from found


def _properties(case: Any, kind: Any) -> dict[str, str]:
    block = case.child(kind)
    named = [] if block is None else [(each.name, each.value) for each in block]
    return {str(name).removeprefix(_PREFIX): str(value) for name, value in named if str(name).startswith(_PREFIX)}


def _value(name: str, text: str) -> object:
    """Return the value of a property; texts are unchanged, all else is JSON."""
    if is_text(name) or name not in field_types():
        return text
    return json.loads(text)
