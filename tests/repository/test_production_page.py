"""The file and the matrix that the page on production shows belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from compress_guard.records import Guard
from compress_guard.thresholds import load

PAGE: Final = (Path(__file__).parents[2] / "docs" / "howto" / "production.md").read_text(encoding="utf-8")
FILES: Final = re.findall(r"```yaml\n(version: 1\n.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def guards(tmp_path: Path) -> dict[str, Guard]:
    file = tmp_path / "thresholds.yaml"
    known: dict[str, Guard] = {}
    for number, text in enumerate(FILES):
        file.write_text(text, encoding="utf-8")
        known.update({f"{number} {guard.name}": guard for guard in load(file).guards})
    return known


def matrices() -> Iterator[tuple[str, list[str], set[str]]]:
    """Yield number of the file and guard, columns, and rows of each matrix behind a file."""
    for number, block in enumerate(re.findall(r"```\ndrop = .*?```", PAGE, re.DOTALL)):
        for name, table in re.findall(r"^(\w+): (?:top1|map) .+\n((?:  .*\n)+)", block, re.MULTILINE):
            head, *rows = table.splitlines()
            yield f"{number} {name}", head.split(), {row[2:].split("  ")[0] for row in rows} - {"allowed"}


def test_each_guard_of_the_file_has_its_matrix(guards: dict[str, Guard]) -> None:
    assert [name for name, _, _ in matrices()] == list(guards)


def test_rows_and_columns_are_the_cells_of_the_guard(guards: dict[str, Guard]) -> None:
    for name, columns, rows in matrices():
        cells = guards[name].cells
        assert set(columns) == {cell.point.short or "fixed" for cell in cells}, name
        named = {cell.codec.alias + (f" by {cell.decoder}" if cell.first_decoder else "") for cell in cells}
        assert rows == named, name
