"""docs/results.md explains every field of a result, and none that is not there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from compress_guard.records import CellResult

PAGE = Path(__file__).parents[2] / "docs" / "results.md"


def test_every_field_has_its_row_and_no_other_has_one():
    rows = re.findall(r"^\| (`[^|]+`) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    explained = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    assert len(set(explained)) == len(explained)
    assert set(explained) == {one.name for one in fields(CellResult)}
