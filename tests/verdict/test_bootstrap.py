from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.verdict import bootstrap


def test_the_interval_of_a_mean_agrees_with_the_normal_one(mean_scorer):
    values = np.random.default_rng(5).normal(60, 10, 400)
    drawn = bootstrap.replicates(mean_scorer(values), 400, seed=1)
    interval = bootstrap.percentile_interval(values.mean(), drawn, 400, 0.95, (0, 100))
    reach = 1.96 * values.std(ddof=1) / 20
    assert (interval.low, interval.high) == pytest.approx(
        (values.mean() - reach, values.mean() + reach), abs=0.1 * reach
    )


def test_the_interval_covers_a_mean_of_few_images_as_often_as_it_says(mean_scorer):
    generator = np.random.default_rng(7)
    covered = 0
    for seed in range(400):
        values = generator.normal(50, 10, 10)
        drawn = bootstrap.replicates(mean_scorer(values), 10, seed, resamples=1000)
        interval = bootstrap.percentile_interval(values.mean(), drawn, 10, 0.95, (0, 100))
        covered += interval.low <= 50 <= interval.high
    assert 0.92 * 400 <= covered <= 0.98 * 400  # plain percentiles: 0.90


def test_both_sides_are_drawn_alike(mean_scorer):
    values = np.random.default_rng(5).uniform(0, 90, 60)
    clean, compressed = mean_scorer(values + 7), mean_scorer(values)
    drops = bootstrap.replicates(clean, 60, 3) - bootstrap.replicates(compressed, 60, 3)
    assert drops == pytest.approx(np.full(bootstrap.RESAMPLES, 7.0))


def test_each_draw_is_a_data_set_of_the_same_size():
    seen = []

    class Spy:
        flags = None

        def __call__(self, weights):
            seen.append(weights)
            return weights.sum(axis=1)

    bootstrap.replicates(Spy(), 40, 0, resamples=5000)
    weights = np.concatenate(seen)
    assert weights.shape == (5000, 40)
    assert weights.dtype == np.float64
    assert (weights >= 0).all()
    assert (weights == weights.round()).all()
    assert (weights.sum(axis=1) == 40).all()
    assert weights.mean(axis=0) == pytest.approx(np.ones(40), abs=0.08)
    assert weights.var() == pytest.approx(1 - 1 / 40, abs=0.03)  # multinomial


def test_the_seed_decides_and_nothing_else(mean_scorer):
    values = np.arange(50.0)
    first = bootstrap.replicates(mean_scorer(values), 50, seed=4)
    assert (first == bootstrap.replicates(mean_scorer(values), 50, seed=4)).all()
    assert (first != bootstrap.replicates(mean_scorer(values), 50, seed=5)).any()
    assert bootstrap.replicates(mean_scorer(values), 50, seed=-4).shape == (bootstrap.RESAMPLES,)


def test_memory_is_bounded_and_chunks_do_not_change_the_draws(mean_scorer, monkeypatch):
    scorer = mean_scorer(np.arange(30.0))
    whole = bootstrap.replicates(scorer, 30, seed=2, resamples=101)
    monkeypatch.setattr(bootstrap, "_CHUNK", 300)
    assert (bootstrap.replicates(scorer, 30, seed=2, resamples=101) == whole).all()
    assert scorer.calls == [(101, 30), *[(10, 30)] * 10, (1, 30)]


def test_a_remembered_scorer_is_resampled_once(mean_scorer):
    scorer = mean_scorer(np.arange(30.0))
    remembered = bootstrap.Remembered(scorer)
    first = bootstrap.replicates(remembered, 30, seed=2)
    calls = len(scorer.calls)
    assert (bootstrap.replicates(remembered, 30, seed=2) == first).all()
    assert len(scorer.calls) == calls
    assert (bootstrap.replicates(scorer, 30, seed=2) == first).all()
    assert (bootstrap.replicates(remembered, 30, seed=3) != first).any()
    assert remembered.flags is None
    assert remembered(np.ones((1, 30))) == pytest.approx(14.5)


@given(
    st.floats(-100, 100),
    st.lists(st.floats(-100, 100) | st.just(float("nan")), min_size=1, max_size=50),
    st.integers(1, 300),
    st.floats(0.5, 0.999),
)
def test_the_estimate_always_lies_inside(value, drawn, images, confidence):
    interval = bootstrap.percentile_interval(value, np.array(drawn), images, confidence, (-100.0, 100.0))
    assert -100 <= interval.low <= interval.value == value <= interval.high <= 100


def test_undefined_replicates_are_left_out():
    drawn = np.arange(1000.0) / 100
    holed = np.where(np.arange(2000) % 2, np.nan, np.repeat(drawn, 2))
    whole = bootstrap.percentile_interval(5, drawn, 50, 0.9, (-100, 100))
    assert bootstrap.percentile_interval(5, holed, 50, 0.9, (-100, 100)) == whole


@pytest.mark.parametrize(("drawn", "images"), [([np.nan, np.nan], 20), ([3.0, 3.0], 1)])
def test_what_says_nothing_could_be_anything(drawn, images):
    interval = bootstrap.percentile_interval(3.0, np.array(drawn), images, 0.95, (-100.0, 100.0))
    assert (interval.low, interval.value, interval.high) == (-100, 3, 100)


@pytest.mark.parametrize(
    ("freedom", "published"), [(5, 2.5706), (9, 2.2622), (29, 2.0452), (99, 1.9842), (999, 1.9623)]
)
def test_students_t(freedom, published):
    assert bootstrap._student(NormalDist().inv_cdf(0.975), freedom) == pytest.approx(published, rel=5e-3)
