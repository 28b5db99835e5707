"""Tables of throughput and recovery on narrow terminals: columns go below, and no number is cut."""

from __future__ import annotations

import re
from typing import Any

import pytest

from compress_guard.report import plain, recovery_lines, throughput_lines
from compress_guard.report.blocks.columns import groups
from tests.report import test_recovery, test_throughput

PARTS: dict[str, tuple[Any, Any]] = {
    "throughput": (throughput_lines, test_throughput.FOUND),
    "recovery": (recovery_lines, test_recovery.FOUND),
}


def words(text):
    return sorted(re.findall(r"\d[\d.]*x?", text))


@pytest.mark.parametrize("kind", PARTS)
@pytest.mark.parametrize("width", [60, 80])
def test_no_line_is_wider_and_no_number_is_lost(kind, width):
    lines, results = PARTS[kind]
    wide, narrow = plain(lines(results)), plain(lines(results, width=width))
    assert max(map(len, narrow.splitlines())) <= width < max(map(len, wide.splitlines()))
    # Labels stand before each group of columns, so that numbers in them come again; those of the cells do not.
    assert set(words(narrow)) == set(words(wide))
    for result in results:
        assert any(line.startswith(f"  {result.codec}") for line in narrow.splitlines())


def test_groups_hold_as_many_columns_as_fit():
    assert groups(10, [5, 5, 5], None) == [[0, 1, 2]]
    assert groups(10, [5, 5, 5], 25) == [[0, 1, 2]]
    assert groups(10, [5, 5, 5], 24) == [[0, 1], [2]]
    assert groups(10, [50, 5], 24) == [[0], [1]]
