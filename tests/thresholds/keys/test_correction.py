"""`correction: bonferroni`: what it counts, and what it makes of the confidence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.records import Cell, CodecSpec, Guard, Rate, SliceLimit
from compress_guard.thresholds.keys.correction import corrected

SMALL = "task: detection, model: m:f, data: d:f, codecs: [jpeg, webp], bpp: [0.25, 0.5]"


def with_cells(name, judged, unjudged=0, confidence=0.95, correction="bonferroni", floors=0):
    """A guard whose first `floors` judged cells have a min_score beside their max_drop."""
    limits = [2.0] * judged + [None] * unjudged
    cells = tuple(
        Cell(name, CodecSpec("jpeg", "jpeg"), Rate(0.1 * (at + 1)), limit, 60.0 if at < floors else None, None, 1)
        for at, limit in enumerate(limits)
    )
    return Guard(name, "detection", "map", "m:f", "d:f", cells, confidence=confidence, correction=correction)


def test_all_judged_limits_of_the_file_share_the_error(read):
    file = read(
        f"""\
version: 1
defaults: {{correction: bonferroni, confidence: 0.9}}
guards:
  a: {{{SMALL}, max_drop: 3}}
  b: {{{SMALL}, max_drop: {{jpeg: 3}}}}
  c: {{{SMALL}, min_score: {{0.5: 40}}}}
  d: {{{SMALL}}}
  e: {{{SMALL}, max_drop: 3, min_score: {{0.5: 40}}}}
  f: {{{SMALL}, min_score: 40, min_clean: 60}}
  g: {{{SMALL}, max_drop: 3, min_clean: 0}}
"""
    )
    assert [sum(cell.judged_limits for cell in one.cells) for one in file.guards] == [4, 2, 2, 0, 6, 8, 4]
    assert [one.confidence for one in file.guards] == pytest.approx([1 - 0.1 / 26] * 7)
    assert {one.correction for one in file.guards} == {"bonferroni"}


def test_guards_that_do_not_ask_neither_change_nor_count(read):
    a, b, c = read(
        f"""\
version: 1
guards:
  a: {{{SMALL}, max_drop: 3, correction: bonferroni}}
  b: {{{SMALL}, max_drop: 3}}
  c: {{{SMALL}, max_drop: 3, correction: bonferroni, confidence: 0.8}}
"""
    ).guards
    assert (a.confidence, b.confidence, c.confidence) == pytest.approx((1 - 0.05 / 8, 0.95, 1 - 0.2 / 8))
    assert [one.correction for one in (a, b, c)] == ["bonferroni", "none", "bonferroni"]


def test_without_the_key_nothing_is_corrected(guard):
    found = guard("max_drop: 3")
    assert (found.correction, found.confidence) == ("none", 0.95)


@pytest.mark.parametrize("judged", [0, 1])
def test_one_limit_needs_no_correction(judged):
    (found,) = corrected((with_cells("a", judged, unjudged=3),))
    assert found.confidence == 0.95


def test_one_cell_with_two_limits_needs_one():
    (found,) = corrected((with_cells("a", 1, unjudged=3, floors=1),))
    assert found.confidence == pytest.approx(0.975)


def test_a_cell_is_judged_where_it_has_a_limit():
    limits = [None, 0.0, 50.0]
    for max_drop in limits:
        for min_score in limits:
            for min_clean in limits:
                cell = Cell(
                    "a", CodecSpec("jpeg", "jpeg"), Rate(1.0), max_drop, min_score, None, 1, min_clean=min_clean
                )
                assert cell.judged == (cell.judged_limits > 0)


def test_limits_of_slices_are_part_of_their_cell_and_not_counted():
    (plain,) = corrected((with_cells("a", 3),))
    sliced = with_cells("a", 3)
    limits = (SliceLimit("weather", None, 5.0), SliceLimit("weather", "night", 9.0))
    (found,) = corrected((replace(sliced, cells=tuple(replace(one, slice_limits=limits) for one in sliced.cells)),))
    assert found.confidence == plain.confidence


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans()), max_size=6), st.floats(0.51, 0.999))
def test_the_errors_of_all_intervals_together_are_what_one_was_allowed(wanted, confidence):
    guards = tuple(
        with_cells(str(at), judged, 1, confidence, "bonferroni" if asks else "none", min(floors, judged))
        for at, (judged, floors, asks) in enumerate(wanted)
    )
    asking = [one for one in corrected(guards) if one.correction == "bonferroni"]
    intervals = [
        1 - one.confidence
        for one in asking
        for cell in one.cells
        for limit in (cell.max_drop, cell.min_score)
        if limit is not None
    ]
    spent = sum(intervals)
    assert spent == pytest.approx(1 - confidence if any(cell.judged for one in asking for cell in one.cells) else 0)
    assert [one for one in corrected(guards) if one.correction == "none"] == [
        one for one in guards if one.correction == "none"
    ]
