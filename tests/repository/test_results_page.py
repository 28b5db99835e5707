"""docs/results.md explains every field of a result, and none that is not there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from compress_guard.records import CellResult, ThroughputResult

PAGE = Path(__file__).parents[2] / "docs" / "results.md"
THROUGHPUT = "## A throughput cell"


@pytest.mark.parametrize("record", [CellResult, ThroughputResult])
def test_every_field_has_its_row_and_no_other_has_one(record):
    section = re.compile(rf"^{THROUGHPUT}$.*?(?=^## )", re.MULTILINE | re.DOTALL)
    page = PAGE.read_text(encoding="utf-8")
    (own,) = section.findall(page)
    text = own if record is ThroughputResult else section.sub("", page)
    rows = re.findall(r"^\| (`[^|]+`) \|", text, re.MULTILINE)
    explained = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(set(explained)) == len(explained)
    assert set(explained) == {one.name for one in fields(record)}
