"""Interpolation and the order of cells, for any numbers."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compress_guard.thresholds import load
from compress_guard.thresholds.keys.curve import Curve

RATES = st.floats(0.02, 8)
POINTS = st.floats(0, 100)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    rates = sorted(draw(st.lists(RATES, min_size=2, max_size=6, unique=True)))
    return Curve(tuple(draw(POINTS) for _ in rates), tuple(rates))


@given(curves())
def test_a_curve_is_exact_at_its_points(curve):
    assert [curve.at(rate) for rate in curve.rates] == list(curve.values)


@given(curves(), st.data())
def test_a_curve_is_monotone_between_two_points_and_never_leaves_them(curve, data):
    index = data.draw(st.integers(0, len(curve.rates) - 2))
    low, high = curve.rates[index : index + 2]
    start, end = curve.values[index : index + 2]
    rates = sorted(data.draw(st.lists(st.floats(low, high), min_size=2, max_size=8)))
    values = [curve.at(rate) for rate in (low, *rates, high)]
    assert all(min(start, end) <= value <= max(start, end) for value in values)
    steps = [later - earlier for earlier, later in itertools.pairwise(values)]
    assert all(step * (end - start) >= 0 for step in steps)


@given(curves(), st.floats(0, 1))
def test_a_curve_is_linear_in_log_rate(curve, share):
    (low, high), (start, end) = curve.rates[:2], curve.values[:2]
    rate = min(max(math.exp(math.log(low) + share * (math.log(high) - math.log(low))), low), high)
    moved = math.log(rate / low) / math.log(high / low)
    assert curve.at(rate) == pytest.approx(start + moved * (end - start), abs=1e-9)


@given(curves(), RATES)
def test_a_curve_has_no_value_outside_its_points(curve, rate):
    assert (curve.at(rate) is None) == (not curve.rates[0] <= rate <= curve.rates[-1])


@given(POINTS, RATES)
def test_one_number_holds_at_every_rate(value, rate):
    assert Curve((value,)).at(rate) == value


FILE = "version: 1\nguards: {{a: {{task: detection, model: m:f, data: d:f, codecs: [{}], bpp: [{}], max_drop: {}}}}}\n"


def cells(folder: Path, codecs: list[str], rates: list[str], max_drop: str) -> list[tuple[str, float | None]]:
    path = folder / "thresholds.yaml"
    path.write_text(FILE.format(", ".join(codecs), ", ".join(rates), max_drop))
    (guard,) = load(path).guards
    return [(cell.label, cell.max_drop) for cell in guard.cells]


@quick
@given(st.lists(RATES, min_size=1, max_size=6, unique=True), st.permutations(["jpeg", "webp", "jp2"]), st.data())
def test_cells_do_not_depend_on_the_order_of_rates_and_follow_that_of_codecs(tmp_path, rates, codecs, data):
    points = [f"{rate!r}: {data.draw(POINTS)!r}" for rate in rates]
    shuffled, other = data.draw(st.permutations(rates)), data.draw(st.permutations(points))
    found = cells(tmp_path, codecs, [repr(rate) for rate in rates], f"{{{', '.join(points)}}}")
    assert found == cells(tmp_path, codecs, [repr(rate) for rate in shuffled], f"{{{', '.join(other)}}}")
    assert [label for label, _ in found] == [f"{name}-{rate!r}bpp" for name in codecs for rate in sorted(rates)]


def spellings(number: int) -> st.SearchStrategy[str]:
    written = [f"{number}", f"{number}.", f"{number}.0", f"{number}.00", f"+{number}", f"{number}e0", f"{number}0e-1"]
    return st.sampled_from(written)


@quick
@given(st.data(), st.integers(1, 8))
def test_one_rate_is_one_rate_however_it_is_spelled(tmp_path, data, number):
    written, other = data.draw(spellings(number)), data.draw(spellings(number))
    assert cells(tmp_path, ["jpeg"], [written], f"{{{other}: 3}}") == [(f"jpeg-{number}.0bpp", 3.0)]
    for rates, max_drop in (([written, other], "3"), ([written], f"{{{written}: 3, {other}: 3}}")):
        with pytest.raises(Exception, match=r"is given twice|is the same as"):
            cells(tmp_path, ["jpeg"], rates, max_drop)
