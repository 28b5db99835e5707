from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.records import Interval
from compress_guard.verdict import bootstrap, paired, resampling


class Mean:
    """The mean of one value per image."""

    flags = None

    def __init__(self, values):
        self.values = values

    def __call__(self, weights):
        return weights @ self.values / weights.sum(axis=1)


class Truthful:
    """The mean of one value per image over those that have one: NaN is an image without ground truth."""

    flags = None

    def __init__(self, values):
        self.values = np.asarray(values, dtype=np.float64)

    def __call__(self, weights):
        there = ~np.isnan(self.values)
        count = weights[:, there].sum(axis=1)
        mean = np.full(len(weights), np.nan)
        np.divide(weights[:, there] @ self.values[there], count, out=mean, where=count > 0)
        return mean


def of_score(scorer, images, seed=0, confidence=0.95, bounds=(0.0, 100.0)):
    value = float(scorer(np.ones((1, images)))[0])
    return bootstrap.interval(None, scorer, value, images, seed, confidence, bounds)


def of_drop(clean, compressed, images, seed=0, confidence=0.95):
    value = float(clean(np.ones((1, images)))[0] - compressed(np.ones((1, images)))[0])
    return bootstrap.interval(clean, compressed, value, images, seed, confidence, (-100.0, 100.0))


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99, 0.9987])
def test_the_interval_of_a_mean_agrees_with_the_normal_one(mean_scorer, confidence):
    values = np.random.default_rng(5).normal(60, 10, 2000)
    interval = of_score(mean_scorer(values), 2000, confidence=confidence)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * values.std(ddof=1) / 2000**0.5
    assert interval.value - interval.low == pytest.approx(reach, rel=0.1)
    assert interval.high - interval.value == pytest.approx(reach, rel=0.1)


def test_images_left_out_in_groups_reach_as_far_as_one_by_one(mean_scorer):
    values = 100.0 * np.random.default_rng(6).integers(0, 2, 5000)
    interval = of_score(mean_scorer(values), 5000)
    reach = NormalDist().inv_cdf(0.975) * values.std(ddof=1) / 5000**0.5
    assert interval.value - interval.low == pytest.approx(reach, rel=0.1)
    assert interval.high - interval.value == pytest.approx(reach, rel=0.1)


def test_both_sides_are_drawn_alike(mean_scorer):
    values = np.random.default_rng(5).uniform(0, 90, 60)
    clean, compressed = mean_scorer(values + 7), mean_scorer(values)
    drops = resampling.replicates(clean, 60, 3) - resampling.replicates(compressed, 60, 3)
    assert drops == pytest.approx(np.full(resampling.RESAMPLES, 7.0))


def test_each_draw_is_a_data_set_of_the_same_size():
    seen = []

    class Spy:
        flags = None

        def __call__(self, weights):
            seen.append(weights)
            return weights.sum(axis=1)

    resampling.replicates(Spy(), 40, 0, resamples=5000)
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
    first = resampling.replicates(mean_scorer(values), 50, seed=4)
    assert (first == resampling.replicates(mean_scorer(values), 50, seed=4)).all()
    assert (first != resampling.replicates(mean_scorer(values), 50, seed=5)).any()
    assert resampling.replicates(mean_scorer(values), 50, seed=-4).shape == (resampling.RESAMPLES,)


def test_memory_is_bounded_and_chunks_do_not_change_the_draws(mean_scorer, monkeypatch):
    scorer = mean_scorer(np.arange(30.0))
    whole = resampling.replicates(scorer, 30, seed=2, resamples=101)
    monkeypatch.setattr(resampling, "_CHUNK", 300)
    assert (resampling.replicates(scorer, 30, seed=2, resamples=101) == whole).all()
    assert scorer.calls == [(101, 30), *[(10, 30)] * 10, (1, 30)]


def test_a_remembered_scorer_is_resampled_once(mean_scorer):
    scorer = mean_scorer(np.arange(30.0))
    remembered = resampling.Remembered(scorer)
    first = resampling.replicates(remembered, 30, seed=2)
    sample = resampling.resampled(remembered, 30, seed=2)
    calls = len(scorer.calls)
    assert (resampling.replicates(remembered, 30, seed=2) == first).all()
    assert resampling.resampled(remembered, 30, seed=2) is sample
    assert (sample.replicates == first).all()
    assert len(scorer.calls) == calls
    assert (resampling.replicates(scorer, 30, seed=2) == first).all()
    assert (resampling.replicates(remembered, 30, seed=3) != first).any()
    assert remembered.flags is None
    assert remembered(np.ones((1, 30))) == pytest.approx(14.5)


@pytest.mark.parametrize("images", [2, 7, 40])
def test_two_halves_are_the_whole(images):
    pairs = list(resampling._halves(images, seed=1))
    assert all((pair.sum(axis=0) == 1).all() for pair in pairs)
    assert all(pair.sum(axis=1).tolist() == [images / 2] * 2 for pair in pairs)
    assert len({pair.tobytes() for pair in pairs}) > 1


@pytest.mark.parametrize("images", [2, 30, 1000, 2345])
def test_each_image_is_left_out_once(images):
    weights = np.concatenate(list(resampling._without(images)))
    assert weights.shape == (min(images, resampling.PARTS), images)
    assert ((1 - weights).sum(axis=0) == 1).all()
    assert (1 - weights).sum(axis=1).max() <= -(-images // resampling.PARTS)


@given(
    st.integers(2, 40),
    st.integers(0, 2**32),
    st.floats(0.5, 0.9999),
    st.sampled_from([0.0, 1e-12, 0.1, 1.0]),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_the_estimate_always_lies_inside(images, seed, confidence, share, paired):
    generator = np.random.default_rng(seed)
    values = generator.uniform(0, 100, images)
    changed = np.where(generator.random(images) < share, generator.uniform(0, 100, images), values)
    clean, compressed = Mean(values), Mean(changed)
    if paired:
        found, lowest = of_drop(clean, compressed, images, seed, confidence), -100
    else:
        found, lowest = of_score(compressed, images, seed, confidence), 0
    assert lowest <= found.low <= found.value <= found.high <= 100
    assert found.low < found.high


@given(st.integers(2, 200), st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_more_confidence_is_a_wider_interval(images, seed):
    generator = np.random.default_rng(seed)
    sample = resampling.Resampled.of(Mean(generator.uniform(0, 100, images) ** 2 / 100), images, seed)
    value = float(sample.replicates.mean())
    found = [bootstrap.interval_of(sample, value, images, one, (-1e9, 1e9)) for one in (0.8, 0.9, 0.95, 0.99, 0.9987)]
    assert [one.low for one in found] == sorted((one.low for one in found), reverse=True)
    assert [one.high for one in found] == sorted(one.high for one in found)


def test_swapping_the_sides_turns_the_interval_round():
    generator = np.random.default_rng(3)
    clean, compressed = Mean(generator.uniform(20, 90, 80)), Mean(generator.uniform(10, 80, 80))
    drop, rise = of_drop(clean, compressed, 80), of_drop(compressed, clean, 80)
    assert (drop.low, drop.value, drop.high) == pytest.approx((-rise.high, -rise.value, -rise.low))


def test_where_no_image_changed_some_may_have_stayed_unseen():
    values = np.random.default_rng(1).uniform(30, 90, 300)
    found = of_drop(Mean(values), Mean(values.copy()), 300)
    flags = paired.drop_interval(300, 0, 0, 0.95)
    assert found.value == 0
    assert (found.low, found.high) == pytest.approx((flags.low, flags.high), rel=0.03)
    assert of_drop(Mean(values), Mean(values.copy()), 300, confidence=0.99).high > found.high


@pytest.mark.parametrize("lost", [1, 3, 10, 40])
def test_a_few_images_that_lose_all_are_no_surer_than_as_many_flags(lost):
    values = np.full(300, 100.0)
    changed = np.where(np.arange(300) < lost, 0.0, values)
    found, flags = of_drop(Mean(values), Mean(changed), 300), paired.drop_interval(300, lost, 0, 0.95)
    assert found.value == pytest.approx(flags.value)
    assert found.high >= flags.high * 0.97
    assert found.high - found.low <= 2.2 * (flags.high - flags.low)


def test_a_change_that_comes_from_few_images_is_less_sure_than_its_error_says():
    """Four images of 300 that change by as much, two each way: Student's t with 8 degrees of freedom, and a count."""
    values = np.full(300, 50.0)
    changed = values + np.concatenate([[20.0, 20.0, -20.0, -20.0], np.zeros(296)])
    sample = resampling.Resampled.of(Mean(values), 300, 0) - resampling.Resampled.of(Mean(changed), 300, 0)
    found = bootstrap.interval_of(sample, 0.0, 300, 0.95, (-100.0, 100.0))
    error = sample.replicates.std()
    assert (-found.low / error, found.high / error) == pytest.approx((2.30 * 1.113, 2.30 * 1.113), rel=0.01)


def test_no_confidence_asks_for_more_than_the_images_can_bear():
    """One image of 100 lost all its points; as many losses as that may mean, at 100 points each, and no more."""
    values = np.full(100, 100.0)
    found = of_drop(Mean(values), Mean(np.where(np.arange(100) < 1, 0.0, values)), 100, confidence=0.9987)
    flags = paired.drop_interval(100, 1, 0, 0.9987)
    assert flags.high < found.high < 1.25 * flags.high


def test_a_bias_larger_than_the_error_does_not_leave_the_value_outside():
    generator = np.random.default_rng(4)
    sample = resampling.Resampled(
        generator.normal(40, 0.1, 500), np.full(100, 43.0), 40 + generator.normal(0, 0.001, 300)
    )
    found = bootstrap.interval_of(sample, 40.0, 300, 0.95, (0.0, 100.0))
    assert found.low < 37 - 8 < 40 == found.value == found.high


def test_the_bias_of_few_images_widens_the_interval_on_its_side():
    """The best of some noisy values, say: the fewer images, the higher it seems."""
    noise = np.random.default_rng(1).normal(0, 1, (60, 400))

    class Highest:
        flags = None

        def __call__(self, weights):
            return 50 + (weights @ noise.T / weights.sum(axis=1)[:, None]).max(axis=1) * 10

    sample = resampling.Resampled.of(Highest(), 400, 0)
    value = float(Highest()(np.ones((1, 400)))[0])
    found = bootstrap.interval_of(sample, value, 400, 0.95, (0, 100))
    assert sample.halves.mean() > value
    assert found.value - found.low > 1.5 * (found.high - found.value)
    assert found.low <= 50 <= found.high
    assert not value - 1.96 * sample.replicates.std() <= 50  # what would have been said without


def test_undefined_draws_are_left_out():
    generator = np.random.default_rng(2)
    values = generator.uniform(20, 90, 50)
    sample = resampling.Resampled.of(Mean(values), 50, 0)
    holed = resampling.Resampled(
        np.append(sample.replicates, np.nan), np.append(sample.halves, np.nan), sample.left_out
    )
    value = values.mean()
    whole = bootstrap.interval_of(sample, value, 50, 0.9, (-100, 100))
    assert bootstrap.interval_of(holed, value, 50, 0.9, (-100, 100)) == whole


def test_what_says_nothing_could_be_anything(rare_scorer):
    """One image; or one on which all depends; or a score that no draw defines."""
    assert of_drop(Mean(np.array([3.0])), Mean(np.array([1.0])), 1) == Interval(2.0, -100.0, 100.0)
    assert of_drop(rare_scorer(40.0), rare_scorer(38.0), 5) == Interval(2.0, -100.0, 100.0)
    nothing = np.full(8, np.nan)
    sample = resampling.Resampled(nothing, nothing, np.zeros(8))
    assert bootstrap.interval_of(sample, 4.0, 8, 0.95, (0.0, 100.0)) == Interval(4.0, 0.0, 100.0)


def test_two_images_with_ground_truth_are_two_images_whatever_stands_beside_them():
    """Student's t with one degree of freedom, of the drops 50 and 30, in a count of two: never 40 points surely."""
    clean, compressed = np.full(100, np.nan), np.full(100, np.nan)
    clean[:2], compressed[:2] = (100, 50), (50, 20)
    found = of_drop(Truthful(clean), Truthful(compressed), 100)
    assert found.value == 40
    assert found.value - found.low >= 12.7 * 10 / 2**0.5
    assert found.high - found.value >= min(12.7 * 10 / 2**0.5, 60)


@pytest.mark.parametrize("truthful", [3, 5, 20])
@pytest.mark.parametrize("images", [100, 1500])
def test_images_without_ground_truth_make_no_interval_shorter(truthful, images):
    values = np.random.default_rng(2).uniform(40, 90, truthful)
    changed = values - np.random.default_rng(3).uniform(5, 15, truthful)
    beside = np.full(images - truthful, np.nan)
    alone = of_drop(Truthful(values), Truthful(changed), truthful)
    found = of_drop(Truthful(np.append(values, beside)), Truthful(np.append(changed, beside)), images)
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.5)
    assert found.high - found.low > 0.98 * (alone.high - alone.low)


def test_unchanged_images_without_ground_truth_show_nothing():
    values = np.append(np.random.default_rng(1).uniform(30, 90, 30), np.full(270, np.nan))
    found = of_drop(Truthful(values), Truthful(values.copy()), 300)
    assert found.high == -found.low == pytest.approx(100 * 1.96**2 / 30, rel=1e-3)


def test_images_that_are_as_good_as_the_mean_do_count():
    """Leaving out one of these changes neither score; they have ground truth all the same."""
    values = np.full(300, 50.0)
    changed = values + np.concatenate([[20.0, -20.0], np.zeros(298)])
    sample = resampling.Resampled.of(Mean(values), 300, 0) - resampling.Resampled.of(Mean(changed), 300, 0)
    assert sample.parts == 300
    some = Truthful(np.append(changed, np.full(20, np.nan)))
    assert resampling.Resampled.of(some, 320, 0).parts == 300


@pytest.mark.parametrize("images", [3000, 2345])
def test_in_groups_one_image_with_ground_truth_counts_for_its_group(images):
    values = np.full(images, np.nan)
    values[[0, 7, 1007, 1999]] = 10, 20, 30, 40
    sample = resampling.Resampled.of(Truthful(values), images, 0, 50)
    assert np.flatnonzero(sample.informative).tolist() == [0, 7, 999]
    both = sample - resampling.Resampled.of(Truthful(np.arange(float(images))), images, 0, 50)
    assert both.parts == 1000
    assert (sample - resampling.Resampled(sample.replicates, sample.halves, sample.left_out)).parts == 1000


def test_a_single_image_that_tells_something_says_nothing():
    sample = resampling.Resampled(np.full(50, 40.0), np.full(100, 40.0), np.full(9, 40.0), np.arange(9) == 2)
    assert bootstrap.interval_of(sample, 40.0, 9, 0.95, (0.0, 100.0)) == Interval(40.0, 0.0, 100.0)


@pytest.mark.parametrize(
    ("freedom", "published"),
    [(1, 12.7062), (2, 4.3027), (5, 2.5706), (9, 2.2622), (29, 2.0452), (99, 1.9842), (999, 1.9623)],
)
def test_students_t(freedom, published):
    quantile = bootstrap.student(NormalDist().inv_cdf(0.975), freedom)
    assert quantile == pytest.approx(published, rel=1e-2 if freedom == 2 else 5e-3)
