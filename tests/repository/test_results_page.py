"""docs/reference/results.md explains every field of a result, and none that is not there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from compress_guard.records import CellResult, RecoveryPoint, RecoveryResult, ThroughputResult, TrafficResult

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "results.md"
OWN = re.compile(
    r"^## (?:A|The drop over the) (throughput|recovery|traffic)(?: cell)?$.*?(?=^## )", re.MULTILINE | re.DOTALL
)


def text_of(kind):
    """The parts of the page that explain a kind of cell."""
    page = PAGE.read_text(encoding="utf-8")
    found = {part.group(1): part.group() for part in OWN.finditer(page)}
    assert set(found) == {"throughput", "recovery", "traffic"}
    if kind in (RecoveryResult, RecoveryPoint):
        cell, point = found["recovery"].split("\nA point:\n")
        return cell if kind is RecoveryResult else point
    if kind is TrafficResult:
        return found["traffic"]
    return found["throughput"] if kind is ThroughputResult else OWN.sub("", page)


@pytest.mark.parametrize("record", [CellResult, RecoveryPoint, RecoveryResult, ThroughputResult, TrafficResult])
def test_every_field_has_its_row_and_no_other_has_one(record):
    rows = re.findall(r"^\| (`[^|]+`) \|", text_of(record), re.MULTILINE)
    explained = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(set(explained)) == len(explained)
    derived = {"lost"} if record is RecoveryResult else set()
    names = CellResult.field_names() if record is CellResult else [field.name for field in fields(record)]
    assert set(explained) == set(names) | derived
