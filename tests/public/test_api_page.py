"""docs/reference/api.md lists every public name, and no other."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import compress_guard
from compress_guard import errors, strategies, transforms
from compress_guard.plugin.fixtures import definitions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")


def listed(heading):
    """The names in the first column of a section's table, in their order; each row has a text beside its name."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (\S.+) \|$", section, re.MULTILINE)
    assert len(rows) == section.count("\n| `")
    return [name for name, _ in rows]


def test_the_names_of_the_package():
    assert sorted(listed("`compress_guard`")) == sorted(compress_guard.__all__)


def test_each_name_of_the_package_can_be_loaded_and_is_offered_by_dir():
    for name in compress_guard.__all__:
        assert getattr(compress_guard, name) is not None
    assert dir(compress_guard) == sorted(compress_guard.__all__)


def test_names_for_type_checkers_are_those_for_python():
    # A type checker reads the imports under TYPE_CHECKING, Python the table of lazy names.
    text = inspect.getsource(compress_guard)
    assert sorted(re.findall(r"^    from \S+ import (\w+) as \1$", text, re.MULTILINE)) == sorted(
        set(compress_guard.__all__) - {"__version__"}
    )


def test_the_transforms():
    assert sorted(listed("`compress_guard.transforms`")) == sorted(transforms.__all__)
    own = [name for name, value in vars(transforms).items() if inspect.isclass(value) and not name.startswith("_")]
    assert {name for name in own if getattr(transforms, name).__module__ == transforms.__name__} == {
        *transforms.__all__
    }


def test_the_strategies():
    assert sorted(listed("`compress_guard.strategies`")) == sorted(strategies.__all__)


def test_the_fixtures():
    made = {name for name, value in vars(definitions).items() if type(value).__name__ == "FixtureFunctionDefinition"}
    if not made:
        pytest.skip("this pytest keeps fixtures as functions")
    assert set(listed("Fixtures")) == made - {"compress_guard_session_fixtures"}  # the way of cells to fixtures


def test_types_of_fixtures_are_where_the_page_says():
    paths = re.findall(r"`(compress_guard\.plugin[\w.]+|compress_guard\.engine[\w.]+)`", PAGE)
    assert len(paths) == 3
    for path in paths:
        module, _, name = path.rpartition(".")
        assert inspect.isclass(getattr(importlib.import_module(module), name))


def test_the_errors():
    made = [
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.CompressGuardError)
    ]
    assert listed("`compress_guard.errors`") == made


def test_the_records():
    records = importlib.import_module("compress_guard.records")
    names = listed("`compress_guard.records`")
    assert {name for name in records.__all__ if name.endswith("Result")} == {*names, "SliceResult"}  # of a CellResult
