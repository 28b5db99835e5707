"""Figures of score against rate: every mark at its place, bands around the marks, limits below the clean line."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.report.html.chart import charts
from compress_guard.report.html.scale import apart, rate_scale, score_scale


def places(points):
    return [tuple(map(float, point.split(","))) for point in points.split()]


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_a_scale_holds_all_scores(scores):
    scale, lines = score_scale(scores, 288, 16)
    assert scale.low <= min(scores)
    assert scale.high >= max(scores)
    assert lines == sorted(set(lines))
    assert 2 <= len(lines) <= 8
    for score in scores:
        assert 16 <= scale.place(score) <= 288


@given(st.lists(st.floats(0.01, 24), min_size=1, max_size=20))
def test_a_scale_holds_all_rates_in_their_order(rates):
    scale = rate_scale(rates, 62, 624)
    shown = [scale.place(rate) for rate in sorted(rates)]
    assert shown == sorted(shown)
    assert shown[0] >= 62
    assert shown[-1] <= 624


@given(st.lists(st.floats(0, 600), max_size=30))
def test_numbers_below_an_axis_do_not_touch(values):
    values = sorted(values)
    kept = [value for value, fits in zip(values, apart(values, 58), strict=True) if fits]
    assert all(right - left >= 58 for left, right in itertools.pairwise(kept))
    assert bool(kept) == bool(values)


def test_marks_are_at_the_rates_that_the_images_have(whole_run):
    rates, _ = charts([result for result in whole_run.cells if result.guard == "photos"])
    jpeg, webp = rates.curves
    assert [curve.name for curve in rates.curves] == ["jpeg", "webp"]
    # 0.2496 and 0.51 bpp, on a scale from 0.2496 / 1.25 to 0.51 x 1.25.
    shares = [math.log(rate / (0.2496 / 1.25)) / math.log(0.51 / 0.2496 * 1.25**2) for rate in (0.2496, 0.51)]
    assert [mark.x for mark in jpeg.marks] == pytest.approx([62 + share * 562 for share in shares], abs=0.1)
    assert jpeg.marks[0].y > jpeg.marks[1].y  # the lower score is further down
    assert jpeg.marks[0].text == ("jpeg at 0.25 bpp: top1 64.2, drop 12.0 (9.0 to 15.0), allowed 5.0, 0.25 bpp: FAIL")
    assert places(jpeg.line) == [(mark.x, mark.y) for mark in jpeg.marks]
    assert len(places(jpeg.band)) == 4
    assert len(webp.marks) == 1  # the other one has no rate


def test_the_band_is_around_the_marks_and_the_limit_below_the_clean_line(whole_run):
    rates, _ = charts([result for result in whole_run.cells if result.guard == "photos"])
    jpeg = rates.curves[0]
    outline = places(jpeg.band)
    for mark, top, bottom in zip(jpeg.marks, outline[:2], reversed(outline[2:]), strict=True):
        assert top[0] == mark.x == bottom[0]
        assert top[1] <= mark.y <= bottom[1]
    ((clean, text),) = rates.clean
    assert text == "clean 76.2"
    assert all(limit > clean for _, limit in jpeg.limits)
    failed, held = jpeg.marks
    assert failed.y > jpeg.limits[0][1]
    assert held.y < jpeg.limits[1][1]


def test_fixed_settings_have_a_figure_of_their_own_without_lines(whole_run):
    _, fixed = charts([result for result in whole_run.cells if result.guard == "photos"])
    (jpeg,) = fixed.curves
    assert (fixed.title, jpeg.line, jpeg.band, len(jpeg.marks)) == ("Score at fixed settings", "", "", 1)
    assert jpeg.marks[0].text.startswith("jpeg at quality 75: top1 75.2")


def test_an_interval_that_goes_beyond_the_scores_is_cut(cell):
    result = cell("jpeg", 0.5, drop=0.0, drop_low=-1.3, drop_high=1.3, clean=100.0, bpp_mean=0.5, max_drop=4.0)
    (chart,) = charts([result])
    assert chart.scores[-1][1] == "100"


def test_a_guard_without_scores_has_no_figure(cell):
    assert list(charts([cell("jpeg", 0.1, "unreachable", "skipped", bpp_mean=0.22)])) == []
