"""What images may lose that are too rare to be among those drawn: said beside the interval, which does not cover it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.coverage import rare
from compress_guard.records import Interval
from compress_guard.tasks.segmentation import MeanIoU
from compress_guard.verdict import judge, power


@given(st.floats(1, 1e6), st.floats(0.5, 0.9999))
def test_with_the_share_a_sample_without_any_is_as_rare_as_a_miss_at_one_end(images, confidence):
    share = power.unseen_share(images, confidence)
    assert 0 < share < 1
    assert (1 - share) ** images == pytest.approx((1 - confidence) / 2)


def test_at_95_percent_it_is_about_four_in_the_number_of_images():
    assert power.unseen_share(1000, 0.95) == pytest.approx(3.69 / 1000, rel=0.01)


def judged(clean, compressed, images):
    return judge(
        clean, compressed, metric="miou", max_drop=None, min_score=None, confidence=0.95, seed=0, images=images
    )


def test_the_drop_grows_by_what_that_share_scores(mean_scorer):
    clean = np.linspace(70, 90, 100)
    judgement = judged(mean_scorer(clean), mean_scorer(clean - 2), 100)
    assert judgement.drop.informative == pytest.approx(100)
    expected = 2 + power.unseen_share(100, 0.95) * 78
    assert power.unseen_drop(judgement.drop, judgement.score, 0.95) == pytest.approx(expected)


def test_images_without_ground_truth_rule_nothing_out():
    truth = np.where(np.arange(100)[:, np.newaxis] < 25, 64.0, 0.0)
    judgement = judged(MeanIoU(0.9 * truth, truth, truth), MeanIoU(0.8 * truth, truth, truth), 100)
    assert judgement.drop.informative == pytest.approx(25)
    unseen = power.unseen_drop(judgement.drop, judgement.score, 0.95)
    assert unseen == pytest.approx(10 + power.unseen_share(25, 0.95) * 80)


def test_of_a_metric_with_flags_nothing_is_said_since_its_interval_covers_it(flag_pair):
    drop = judged(*flag_pair(100, 0, 0, 0), 100).drop  # type: ignore[call-arg]  # mypy cannot count what a star brings
    assert power.unseen_drop(drop, 100.0, 0.95) is None
    assert drop.high >= 100 * power.unseen_share(100, 0.95)


def test_an_interval_is_the_same_whoever_counted_its_images():
    assert Interval(1.0, 0.0, 2.0, 25.0) == Interval(1.0, 0.0, 2.0)


def test_rare_losses_are_missed_by_the_interval_and_not_by_what_is_said_beside_it():
    population = rare.Population.of(0.01, 0.003, images=5000)
    covered, width, then, wide = rare.row(population, 50, 60)
    assert covered < 75
    assert then >= 95
    assert wide > width


def test_where_all_images_lose_as_much_it_adds_nothing():
    covered, width, then, wide = rare.row(rare.Population.of(0.0, 0.2, images=5000), 100, 40)
    assert (then, wide) == (covered, width)
    assert covered >= 90


def test_the_table_goes_between_its_marks(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(rare, "IMAGES", 500)
    monkeypatch.setattr(rare, "OTHERS", (0.003,))
    page = tmp_path / "verdicts.md"
    page.write_text("before\n<!-- rare -->\nstale\n<!-- end of rare -->\nafter\n", encoding="utf-8")
    rare.main(["--sizes", "10", "--samples", "2", "--write", str(page)])
    text = page.read_text(encoding="utf-8")
    assert capsys.readouterr().out.strip() in text
    assert "stale" not in text
    assert "| 1 % |" in text
    page.write_text("", encoding="utf-8")
    with pytest.raises(SystemExit, match="does not have"):
        rare.main(["--write", str(page)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sizes", "1"], "--sizes: [1] are not all from 2 to 20000, the population"),
        (["--samples", "0"], "--samples: 0 is not a whole number of at least 1"),
    ],
)
def test_what_cannot_be_drawn_is_refused(capsys, arguments, message):
    with pytest.raises(SystemExit):
        rare.main(arguments)
    assert message in capsys.readouterr().err
