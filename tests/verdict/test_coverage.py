"""The tables of `benchmarks.coverage.top1` on a coarser grid: the bars hold, and they can be missed."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from benchmarks import document
from benchmarks.coverage import flags, intervals, top1
from benchmarks.coverage.intervals import CHOICE, TANGO, WALD, Method
from benchmarks.coverage.top1 import Scenario
from compress_guard.errors import UsageError
from compress_guard.verdict import paired

DROPS = tuple(np.array([0, 0.1, 0.2, 0.5, 1, 2, 3, 4, 5, 6.5, 8, 10, 13, 16, 20, 25, 30]) / 100)
GAINS = (0.0, 0.1, 1.0)


@pytest.fixture(scope="module")
def scenarios():
    return top1.grid((50, 200), DROPS, GAINS)


@pytest.fixture(scope="module")
def found(scenarios):
    return top1.measure(scenarios, (WALD, TANGO, CHOICE), 0.95)


def test_the_bars_hold(found):
    assert top1.broken(found[CHOICE.name], found[TANGO.name]) == []


def test_there_is_room_below(found):
    assert found[CHOICE.name].coverage.min() > 0.938
    assert found[CHOICE.name].above.max() < 0.04
    assert found[CHOICE.name].passed.max() < 0.035


@pytest.mark.parametrize(("confidence", "least", "most"), [(0.99, 0.988, 0.008), (0.9987, 0.9986, 0.001)])
def test_more_confidence_is_worth_its_name(scenarios, confidence, least, most):
    found = top1.measure(scenarios, (CHOICE,), confidence)[CHOICE.name]
    assert found.coverage.min() >= least
    assert found.above.max() <= most
    assert found.passed.max() <= most


def test_the_grid_goes_on_to_where_the_interval_covers_least():
    """Half of 50 images lost, and nearly all: the table has to show what these drops bring."""
    few = [one for one in top1.grid((50,)) if one.gains == 0]
    assert max(one.drop for one in few) == 0.995
    assert all(one.drop <= one.accuracy for one in few)
    found = top1.measure(few, (CHOICE,), 0.95)[CHOICE.name]
    assert (found.where.images, found.where.drop) == (50, 0.5)
    assert found.coverage.min() == pytest.approx(0.9351, abs=1e-4)


def test_fewer_images_than_the_table_has_cover_hardly_less():
    few = [Scenario(images, 1.0, drop / 100, 0.0) for images in range(10, 51) for drop in range(1, 100)]
    found = top1.measure(few, (CHOICE,), 0.95)[CHOICE.name]
    assert found.where == Scenario(37, 1.0, 0.46, 0.0)
    assert found.coverage.min() == pytest.approx(0.9318, abs=1e-4)


def test_walds_interval_misses_the_same_bars(found):
    failures = top1.broken(found[WALD.name], found[TANGO.name])
    assert [failure.split()[0] for failure in failures] == ["covers", "covers", "passes"]


def test_an_interval_that_is_a_little_too_high_misses_a_bar(scenarios, found):
    def shifted(images, lost, gained, both, confidence):
        low, high = paired.bounds(images, lost, gained, confidence)
        return low + 1 / images, high + 1 / images

    one = top1.measure(scenarios, (Method("shifted", shifted),), 0.95)["shifted"]
    assert any(failure.startswith("fails falsely") for failure in top1.broken(one, found[TANGO.name]))


def test_an_interval_that_is_too_wide_misses_a_bar(scenarios, found):
    wide = Method("wide", lambda images, lost, gained, both, _: paired.bounds(images, lost, gained, 0.98))
    one = top1.measure(scenarios, (wide,), 0.95)["wide"]
    assert top1.broken(one, found[TANGO.name]) == ["is 1.27 times as wide as Tango's"]


def test_the_interval_of_a_score_covers_it_up_to_the_edges():
    for images in (50, 200, 1000):
        rare = np.geomspace(0.001, 30, 200) / images
        scores = np.concatenate([rare, np.linspace(0, 1, 101), 1 - rare])
        names = ("compress_guard", "Wilson")
        ours, wilson = (flags.misses(images, scores, flags.ONE_SAMPLE[name](images, 0.95)) for name in names)
        assert (1 - ours[0] - ours[1]).min() >= 0.93
        assert max(ours[0].max(), ours[1].max()) <= 0.056
        assert (1 - wilson[0] - wilson[1]).min() < 0.87


def test_shares_are_those_of_the_scenario():
    lost, gained, both, neither = Scenario(100, 0.9, 0.05, 1.0).shares
    assert (lost - gained, lost + both) == pytest.approx((0.05, 0.9))
    assert gained == pytest.approx(0.1 * 0.85)
    assert lost + gained + both + neither == pytest.approx(1)
    assert Scenario(100, 1.0, 0.05, 0.0).shares == pytest.approx((0.05, 0, 0.95, 0))


def test_at_a_clean_accuracy_of_all_nothing_can_be_gained(scenarios):
    assert {one.gains for one in scenarios if one.accuracy == 1} == {0.0}
    assert all(one.shares[1] == 0 for one in scenarios if one.accuracy == 1)


@pytest.mark.parametrize("pairs", [True, False])
@pytest.mark.parametrize(
    "scenario", [Scenario(12, 0.5, 0.1, 1.0), Scenario(12, 0.9, 0.0, 0.5), Scenario(12, 1.0, 0.3, 0.0)]
)
def test_counted_outcomes_have_multinomial_probabilities(scenario, pairs):
    sample = flags.counted(12, scenario.shares, pairs=pairs)
    assert sample.weight.sum() == pytest.approx(1, abs=1e-9)
    lost, gained, both, neither = scenario.shares
    counts = np.stack([sample.lost, sample.gained, sample.both], axis=1).astype(int).tolist()
    for (a, b, c), weight in zip(counts, sample.weight, strict=True):
        ways = comb(12, a) * comb(12 - a, b)
        if pairs:
            expected = ways * lost**a * gained**b * (both + neither) ** (12 - a - b)
        else:
            expected = ways * comb(12 - a - b, c) * lost**a * gained**b * both**c * neither ** (12 - a - b - c)
        assert weight == pytest.approx(expected)


def test_counting_and_drawing_agree(monkeypatch):
    scenarios = [Scenario(60, 0.9, drop, gains) for drop in (0.02, 0.1) for gains in (0.0, 0.5)]
    exact = top1.measure(scenarios, intervals.METHODS, 0.95)
    monkeypatch.setattr(top1, "MOST_COUNTED", 0)
    sampled = top1.measure(scenarios, intervals.METHODS, 0.95, draws=40_000, seed=3)
    for method in intervals.METHODS:
        one, other = exact[method.name], sampled[method.name]
        assert one.coverage == pytest.approx(other.coverage, abs=0.006)
        assert one.width == pytest.approx(other.width, rel=0.01)


def ends(bounds, *counts):
    low, high = bounds(*counts[:1], *(np.array([float(count)]) for count in counts[1:]), 0.95)
    return round(float(low[0]), 3), round(float(high[0]), 3)


def test_published_intervals():
    # Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33:2850-2875: 1, 1, 7 and 12 children of 21.
    assert ends(intervals.wald, 21, 1, 7, 1) == (-0.520, -0.052)
    assert ends(intervals.bonett_price, 21, 1, 7, 1) == (-0.508, -0.013)
    assert ends(intervals.newcombe, 21, 1, 7, 1) == (-0.507, -0.026)
    assert ends(intervals.tango, 21, 1, 7, 1) == (-0.517, -0.026)
    # The same authors' R package contingencytables: 59, 6, 16 and 80 patients of 161.
    assert ends(intervals.newcombe, 161, 6, 16, 59) == (-0.119, -0.005)


def test_the_tables_go_between_their_marks(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(top1, "DROPS", (0.0, 0.1))
    monkeypatch.setattr(top1, "FEWER_DROPS", (0.1,))
    page = tmp_path / "verdicts.md"
    page.write_text("before\n<!-- top1 -->\nstale\n<!-- end of top1 -->\nafter\n", encoding="utf-8")
    top1.main(["--images", "20", "--write", str(page)])
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before\n<!-- top1 -->\n\n`python -m benchmarks.coverage.top1 --images 20 --write ")
    assert text.endswith(" |\n\n<!-- end of top1 -->\nafter\n")
    assert "stale" not in text
    assert capsys.readouterr().out.strip() in text
    assert "| compress_guard |" in text
    assert "| 20 | 99 |" in text


def test_a_document_without_marks_is_refused_before_the_run(tmp_path):
    page = tmp_path / "verdicts.md"
    remedy = "once each; add these two lines"
    with pytest.raises(UsageError, match="No such file"):
        document.put(page, "top1", [])
    page.write_text("<!-- end of top1 --> <!-- top1 -->", encoding="utf-8")
    with pytest.raises(SystemExit) as error:
        top1.main(["--write", str(page)])
    assert str(error.value) == f"--write: {page} does not have <!-- top1 --> and then <!-- end of top1 -->, {remedy}"
