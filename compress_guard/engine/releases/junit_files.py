"""Cells of a JUnit report, whose properties are the fields of a results file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from compress_guard.errors import UsageError, described
from compress_guard.records import CellResult
from compress_guard.results.checked import checked_cell
from compress_guard.results.typed import is_text, types_of

_PREFIX: Final = "cg_"
_REMEDY: Final = "name a report that pytest has written with --compress-guard and --junitxml"


@dataclass(frozen=True, slots=True, eq=False)
class JunitReport:
    """The cells of a report, by node id, and those that were selected and have no result."""

    cells: Mapping[str, CellResult]
    not_measured: tuple[str, ...]


def read_junit(path: Path) -> JunitReport:
    """Return the cells of a JUnit report; tests of other kinds are passed over. Raises `UsageError`."""
    cells: dict[str, CellResult] = {}
    suites, cases = _properties_of_all(path)
    for properties in cases:
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
    return JunitReport(cells, tuple(name for properties in suites for name in _not_measured(path, properties)))


def _not_measured(path: Path, properties: Mapping[str, str]) -> list[str]:
    try:
        names = json.loads(properties.get("not_measured", "[]"))
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        found = "this is no report of compress_guard: cg_not_measured is no list of cells"
        raise UsageError(str(path), found, _REMEDY)
    return names


def _properties_of_all(path: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return the properties of each suite, and those of each test case, without their prefix."""
    try:
        import junitparser
    except ImportError as problem:
        remedy = "pip install 'compress-guard[junit]', or name the file of --cg-json"
        raise UsageError(str(path), "JUnit reports need junitparser, which is not installed", remedy) from problem
    try:
        report: Any = junitparser.JUnitXml.fromfile(str(path))
        suites = [report] if isinstance(report, junitparser.TestSuite) else list(report)
        of_suites = [_properties(suite, junitparser.Properties) for suite in suites]
        return of_suites, [_properties(case, junitparser.Properties) for suite in suites for case in suite]
    except Exception as problem:  # of a parser that is given anything
        raise UsageError(str(path), f"this is no JUnit report ({described(problem)})", _REMEDY) from problem


def _properties(element: Any, kind: Any) -> dict[str, str]:
    block = element.child(kind)
    named = [] if block is None else [(each.name, each.value) for each in block]
    return {str(name).removeprefix(_PREFIX): str(value) for name, value in named if str(name).startswith(_PREFIX)}


def _value(name: str, text: str) -> object:
    """Return the value of a property; texts are unchanged, all else is JSON."""
    if is_text(name) or name not in types_of(CellResult):
        return text
    return json.loads(text)
