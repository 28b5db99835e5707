"""Score intervals of flags in groups, against their formula by hand, and how often they cover the truth."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from compress_guard.verdict import judge, paired, wilson
from compress_guard.verdict.bootstrap import student
from compress_guard.verdict.grouped import clustered
from compress_guard.verdict.grouped.groups import GroupCount, Groups

Z = NormalDist().inv_cdf(0.975)


def in_groups(count, size):
    return Groups.of(np.repeat(np.arange(count), size).tolist())


def by_hand(values, groups):
    """The design effect of a mean, image by image in plain Python."""
    images, mean = len(values), sum(values) / len(values)
    sums, sizes = {}, {}
    for value, group in zip(values, groups, strict=True):
        sums[group] = sums.get(group, 0) + value
        sizes[group] = sizes.get(group, 0) + 1
    alike = sum(size**2 for size in sizes.values()) / images
    variance = sum(value**2 for value in values) / images - mean**2
    squares = [(sums[group] - sizes[group] * mean) ** 2 for group in sums]
    if variance == 0:
        return alike
    observed = sum(squares) * len(sums) / (len(sums) - 1) / (images * variance)
    rests_on = sum(squares) ** 2 / sum(square**2 for square in squares) if sum(squares) else 0
    return (rests_on * max(observed, 1) + alike) / (rests_on + 1)


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_is_that_of_fewer_independent_images(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 12, 60).tolist()
    groups, clean, compressed = Groups.of(labels), rng.random(60) < 0.8, rng.random(60) < 0.7
    effect = by_hand([int(a) - int(b) for a, b in zip(clean, compressed, strict=True)], labels)
    assert clustered.drop_effect(clean, compressed, groups) == pytest.approx(effect)
    share = (Z / student(Z, groups.count - 1)) ** 2 / effect
    lost, gained = int(np.sum(clean & ~compressed)), int(np.sum(compressed & ~clean))
    low, high = paired.bounds(60 * share, lost * share, gained * share, 0.95)
    found = clustered.drop_interval(clean, compressed, groups, 0.95)
    assert (found.low, found.high) == pytest.approx((100 * float(low), 100 * float(high)))
    assert found.value == pytest.approx(100 * (lost - gained) / 60)

    effect = by_hand([int(flag) for flag in compressed], labels)
    share = (Z / student(Z, groups.count - 1)) ** 2 / effect
    low, high = wilson.bounds(60 * share, int(compressed.sum()) * share, 0.95)
    found = clustered.score_interval(compressed, groups, 0.95)
    assert (found.low, found.high) == pytest.approx((100 * float(low), 100 * float(high)))


def test_without_a_flip_groups_count_as_single_images():
    flags = np.ones(120, bool)
    for groups in (in_groups(30, 4), Groups.of([at % 30 for at in range(120)])):
        found = clustered.drop_interval(flags, flags, groups, 0.95)
        alone = clustered.independent(groups.counted, 0.95)
        assert alone == pytest.approx(30 * (Z / student(Z, 29)) ** 2)
        assert found.high == -found.low == pytest.approx(100 * float(paired.bounds(alone, 0, 0, 0.95)[1]))
        assert found.high > paired.drop_interval(30, 0, 0, 0.95).high > paired.drop_interval(120, 0, 0, 0.95).high


def test_groups_that_flip_together_widen_the_interval_and_scattered_flips_hardly_do():
    clean = np.ones(400, bool)
    together, scattered = clean.copy(), clean.copy()
    together[: 4 * 10] = False  # four groups of ten
    scattered[::10] = False  # one of each ten
    groups = in_groups(40, 10)
    naive = paired.drop_interval(400, 40, 0, 0.95)
    wide, narrow = (clustered.drop_interval(clean, side, groups, 0.95) for side in (together, scattered))
    assert wide.value == narrow.value == naive.value == 10
    assert wide.high - wide.low > 2 * (naive.high - naive.low)
    assert clustered.drop_effect(clean, together, groups) > 8
    # Groups that are all equal beside each other are no better than independent images.
    assert narrow.high - narrow.low >= naive.high - naive.low


def test_swapping_the_sides_mirrors_the_interval():
    rng = np.random.default_rng(3)
    groups, one, other = in_groups(20, 3), rng.random(60) < 0.9, rng.random(60) < 0.6
    drop, gain = (clustered.drop_interval(*sides, groups, 0.95) for sides in ((one, other), (other, one)))
    assert (drop.low, drop.high) == pytest.approx((-gain.high, -gain.low))


@pytest.mark.parametrize("confidence", [0.6, 0.95, 0.999])
def test_the_interval_holds_its_value_and_stays_in_its_range(confidence):
    rng = np.random.default_rng(0)
    for _ in range(100):
        count, size = int(rng.integers(2, 8)), int(rng.integers(2, 6))
        share = rng.choice([0.0, 0.2, 0.9, 1.0], 2)
        clean, compressed = rng.random(count * size) < share[0], rng.random(count * size) < share[1]
        drop = clustered.drop_interval(clean, compressed, in_groups(count, size), confidence)
        score = clustered.score_interval(clean, in_groups(count, size), confidence)
        assert -100 <= drop.low <= drop.value <= drop.high <= 100
        assert 0 <= score.low <= score.value <= score.high <= 100


def test_one_group_says_nothing():
    flags, groups = np.array([True, False, True]), Groups.of("aaa")
    drop, score = clustered.drop_interval(flags, ~flags, groups, 0.95), clustered.score_interval(flags, groups, 0.95)
    assert (drop.low, drop.high, score.low, score.high) == (-100, 100, 0, 100)


def test_unequal_groups_tell_less_than_equal_ones():
    equal, unequal = GroupCount(20, 20.0), GroupCount(20, 12.0)
    assert clustered.independent(unequal, 0.95) < clustered.independent(equal, 0.95) < 20


def test_a_judgement_in_groups_has_these_intervals(flag_pair):
    clean, compressed = flag_pair(60, 20, 4, 36)
    groups = Groups.of([at // 4 for at in range(120)])
    wanted = {"metric": "top1", "max_drop": 10.0, "min_score": 40.0, "min_clean": 50.0, "confidence": 0.95, "seed": 0}
    found = judge(clean, compressed, images=120, groups=groups, **wanted)
    assert found.drop == clustered.drop_interval(clean.flags, compressed.flags, groups, 0.95)
    assert found.score_interval == clustered.score_interval(compressed.flags, groups, 0.95)
    assert found.clean_interval == clustered.score_interval(clean.flags, groups, 0.95)
    alone = judge(clean, compressed, images=120, **wanted)
    assert alone.drop.high < found.drop.high


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.5])
def test_the_truth_is_covered_where_naive_intervals_miss_it(correlation):
    """Images copy a draw of their group with the root of the correlation; 40 groups of 10, a drop of 8 points."""
    rng, groups, covered, naive = np.random.default_rng(7), in_groups(40, 10), [], []
    for _ in range(300):
        kinds = rng.choice(3, (40, 10), p=[0.1, 0.02, 0.88])
        shared = rng.choice(3, (40, 1), p=[0.1, 0.02, 0.88])
        kinds = np.where(rng.random((40, 10)) < correlation**0.5, shared, kinds).reshape(-1)
        clean, compressed = kinds != 1, kinds != 0
        found = clustered.drop_interval(clean, compressed, groups, 0.95)
        single = paired.drop_interval(400, int(np.sum(kinds == 0)), int(np.sum(kinds == 1)), 0.95)
        covered.append(found.low <= 8 <= found.high)
        naive.append(single.low <= 8 <= single.high)
    assert np.mean(covered) >= 0.94
    assert correlation == 0 or np.mean(naive) < 0.8
