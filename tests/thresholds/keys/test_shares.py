"""Limits that look like a share, 0.05 for 5 points: noted with the cells that they hold in, each with its line."""

from __future__ import annotations

import pytest

HALF = "bpp: [0.5]"


def doubts(guard):
    return {cell.label: cell.doubts for cell in guard.cells if cell.codec.alias == "jpeg"}


def said(line, key, given, meant):
    return f"thresholds.yaml:{line}: {key} is {given} points and looks like a share: write {meant} for {meant} points"


@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [
        ("max_drop", "0.05", 5),
        ("max_drop", "0.19", 19),
        ("max_drop", "1e-3", 0.1),
        ("min_score", "0.6", 60),
        ("min_clean", "0.99", 99),
    ],
)
def test_a_limit_that_looks_like_a_share_is_doubted_with_its_line(guard, key, given, meant):
    found = doubts(guard(HALF, f"{key}: {given}"))
    assert found == {"jpeg-0.5bpp": (said(8, key, f"{float(given):g}", meant),)}


@pytest.mark.parametrize(
    "line",
    ["max_drop: 0", "max_drop: 0.2", "max_drop: 5", "min_score: 0", "min_score: 1", "min_score: 60", "min_clean: 0"],
)
def test_points_are_not(guard, line):
    assert set(doubts(guard(HALF, line)).values()) == {()}


def test_each_rate_is_looked_at_by_itself(guard):
    found = doubts(guard("bpp: [0.25, 0.5, 1, 2]", "max_drop:", "  0.25: 5", "  1: 0.05", "  2: 3"))
    small = said(10, "max_drop", "0.05", 5)
    assert found == {"jpeg-0.25bpp": (), "jpeg-0.5bpp": (small,), "jpeg-1.0bpp": (small,), "jpeg-2.0bpp": ()}


def test_a_rate_between_two_of_them_has_both(guard):
    found = doubts(guard(HALF, "max_drop:", "  0.25: 0.1", "  1: 0.05"))
    assert found["jpeg-0.5bpp"] == (said(9, "max_drop", "0.1", 10), said(10, "max_drop", "0.05", 5))


def test_each_codec_is_looked_at_by_itself(guard):
    found = guard(HALF, "max_drop:", "  webp: 0.05", "  default: 5")
    assert {cell.codec.alias: bool(cell.doubts) for cell in found.cells} == {"jpeg": False, "webp": True, "avif": False}


def test_those_of_the_task_count_as_far_as_they_reach_a_guard(guard):
    before = "thresholds:\n  classification:\n    max_drop: 0.05\n"
    assert doubts(guard(HALF, before=before)) == {"jpeg-0.5bpp": (said(4, "max_drop", "0.05", 5),)}
    assert set(doubts(guard(HALF, "max_drop: 5", before=before)).values()) == {()}
    other = "thresholds:\n  detection:\n    max_drop: 0.05\n"
    assert set(doubts(guard(HALF, before=other)).values()) == {()}


def test_a_clean_floor_of_the_defaults_counts(guard):
    before = "defaults: {min_clean: 0.7}\n"
    assert doubts(guard(HALF, "max_drop: 5", before=before)) == {"jpeg-0.5bpp": (said(2, "min_clean", "0.7", 70),)}


def test_limits_of_slices_count(guard):
    found = doubts(guard(HALF, "max_drop: 5", "slices:", "  class: {by: label, max_drop: {'3': 0.05, default: 9}}"))
    assert found["jpeg-0.5bpp"] == (said(10, "max_drop of slice class=3", "0.05", 5),)
    found = doubts(guard(HALF, "max_drop: 5", "slices:", "  class: {by: label, max_drop: 0.1}"))
    assert found["jpeg-0.5bpp"] == (said(10, "max_drop of slice class", "0.1", 10),)
