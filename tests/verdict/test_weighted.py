"""The mean drop over several cells against plain loops."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from compress_guard.verdict import bootstrap, paired, resampling
from compress_guard.verdict.grouped import clustered
from compress_guard.verdict.grouped.groups import Groups, Sampled
from compress_guard.verdict.weighted import weighted_drop


class Flags:
    """The share of flags, in points."""

    def __init__(self, flags):
        self.flags = np.asarray(flags, dtype=bool)

    def __call__(self, weights):
        return 100 * (weights @ self.flags) / weights.sum(axis=1)


class Means:
    """The mean of a value per image, in points; no flags."""

    flags = None

    def __init__(self, values):
        self.values = np.asarray(values, dtype=np.float64)

    def __call__(self, weights):
        return weights @ self.values / weights.sum(axis=1)


def flags(images, *losses, seed=3):
    """Clean flags, and compressed ones that lose these shares of the images, harder cells more of the same."""
    generator = np.random.default_rng(seed)
    clean, luck = generator.random(images) < 0.8, generator.random(images)
    return Flags(clean), [Flags(clean & (luck >= loss)) for loss in losses]


def test_the_mean_of_flags_is_that_of_each_image():
    clean, sides = flags(200, 0.3, 0.1, 0.02)
    weights = [0.2, 0.5, 0.1]
    total = 0.0
    for at in range(200):
        mean = sum(
            weight * (int(clean.flags[at]) - int(side.flags[at])) for side, weight in zip(sides, weights, strict=True)
        )
        total += mean / 0.8
    found = weighted_drop([(clean, 1.0)], list(zip(sides, weights, strict=True)), Sampled(200, 0), 0.95)
    assert found.value == pytest.approx(100 * total / 200)
    assert found.low <= found.value <= found.high


def test_each_cell_may_have_a_clean_side_of_its_own():
    first, (second, low, lower) = flags(200, 0.2, 0.3, 0.5)
    found = weighted_drop([(first, 0.6), (second, 0.2)], [(low, 0.6), (lower, 0.2)], Sampled(200, 3), 0.95)
    total = 0.0
    for at in range(200):
        total += 0.75 * (int(first.flags[at]) - int(low.flags[at]))
        total += 0.25 * (int(second.flags[at]) - int(lower.flags[at]))
    assert found.value == pytest.approx(100 * total / 200)
    assert found.low < found.value < found.high
    same = weighted_drop([(first, 0.6), (first, 0.2)], [(low, 0.6), (lower, 0.2)], Sampled(200, 3), 0.95)
    once = weighted_drop([(first, 0.8)], [(low, 0.6), (lower, 0.2)], Sampled(200, 3), 0.95)
    assert dataclasses.astuple(same) == pytest.approx(dataclasses.astuple(once))
    assert found.value < same.value


def test_one_cell_has_the_interval_that_it_is_judged_by():
    clean, (side,) = flags(120, 0.1)
    lost = int((clean.flags & ~side.flags).sum())
    assert weighted_drop([(clean, 1.0)], [(side, 0.3)], Sampled(120, 0), 0.95) == paired.drop_interval(
        120, lost, 0, 0.95
    )
    values = np.random.default_rng(0).normal(60, 10, 80)
    one = weighted_drop([(Means(values), 1.0)], [(Means(values - 3), 0.4)], Sampled(80, 5), 0.9)
    assert one == bootstrap.interval(Means(values), Means(values - 3), one.value, 80, 5, 0.9, (-100.0, 100.0))


def test_cells_are_resampled_together_as_a_plain_loop_does():
    generator = np.random.default_rng(2)
    clean, sides = generator.normal(60, 10, 50), [generator.normal(55, 10, 50), generator.normal(40, 10, 50)]
    weights = np.array([0.6, 0.3])
    counts = np.concatenate(list(resampling.draws(50, 7)))
    replicates = [
        sum(
            share / weights.sum() * ((draw @ clean) / draw.sum() - (draw @ side) / draw.sum())
            for share, side in zip(weights, sides, strict=True)
        )
        for draw in counts
    ]
    weighed = [(Means(side), weight) for side, weight in zip(sides, weights, strict=True)]
    found = weighted_drop([(Means(clean), 1.0)], weighed, Sampled(50, 7), 0.95)
    combined = Means(clean - (weights / weights.sum()) @ np.stack(sides))
    assert np.std(replicates) == pytest.approx(resampling.Resampled.of(combined, 50, 7).replicates.std())
    alone = bootstrap.interval(None, combined, found.value, 50, 7, 0.95, (-100.0, 100.0))
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high))


def test_cells_that_lose_the_same_images_do_not_narrow_the_interval():
    clean, (side,) = flags(150, 0.2)
    once = weighted_drop([(clean, 1.0)], [(side, 1.0), (Flags(side.flags), 1.0)], Sampled(150, 0), 0.95)
    more = weighted_drop([(clean, 1.0)], [(Flags(side.flags), 0.25)] * 4, Sampled(150, 0), 0.95)
    assert (once.low, once.high) == pytest.approx((more.low, more.high))
    judged = paired.drop_interval(150, int((clean.flags & ~side.flags).sum()), 0, 0.95)
    assert once.high - once.low > 0.85 * (judged.high - judged.low)


def test_without_a_flip_the_interval_is_that_of_one_cell():
    clean, _ = flags(100)
    none = weighted_drop([(clean, 1.0)], [(Flags(clean.flags), 0.5), (Flags(clean.flags), 0.5)], Sampled(100, 0), 0.95)
    one = paired.drop_interval(100, 0, 0, 0.95)
    assert none.value == 0
    assert none.high >= one.high - 0.2
    assert none.low <= one.low + 0.2


def test_images_that_lost_at_a_rare_cell_alone_leave_room_for_one_that_loses_everywhere():
    clean = Flags(np.ones(300))
    rare = np.ones(300, dtype=bool)
    rare[:2] = False
    found = weighted_drop([(clean, 1.0)], [(Flags(rare), 0.02), (Flags(np.ones(300)), 0.98)], Sampled(300, 0), 0.95)
    assert found.value == pytest.approx(100 * 0.02 * 2 / 300)
    assert found.high >= paired.drop_interval(300, 0, 0, 0.95).high


def test_a_score_that_is_undefined_has_no_mean(rare_scorer):
    undefined = rare_scorer(float("nan"))
    assert weighted_drop([(undefined, 1.0)], [(undefined, 1.0), (undefined, 1.0)], Sampled(20, 0), 0.95) is None


def test_one_image_says_nothing():
    found = weighted_drop([(Flags([True]), 1.0)], [(Flags([False]), 1.0), (Flags([True]), 1.0)], Sampled(1, 0), 0.95)
    assert (found.value, found.low, found.high) == (50.0, -100.0, 100.0)


def test_the_interval_holds_the_truth():
    # Nested losses of 20, 5 and 1 %: images lost at every cell are too rare to be in most samples.
    weights, losses, hits = (0.2, 0.5, 0.3), (0.2, 0.05, 0.01), 0
    truth = 80 * sum(weight * loss for weight, loss in zip(weights, losses, strict=True))
    for seed in range(60):
        clean, sides = flags(100, *losses, seed=seed)
        found = weighted_drop([(clean, 1.0)], list(zip(sides, weights, strict=True)), Sampled(100, 0), 0.95)
        hits += found.low <= truth <= found.high
    assert hits >= 54


def test_groups_of_equal_images_tell_as_much_as_one_image_each():
    clean, sides = flags(60, 0.3, 0.1)
    alone = weighted_drop([(clean, 1.0)], [(sides[0], 0.5), (sides[1], 0.5)], Sampled(60, 0), 0.95)
    four = [Flags(np.repeat(side.flags, 4)) for side in (clean, *sides)]
    groups = Groups.of(np.repeat(np.arange(60), 4).tolist())
    together = weighted_drop([(four[0], 1.0)], [(four[1], 0.5), (four[2], 0.5)], Sampled(240, 0, groups), 0.95)
    assert (together.value, together.low, together.high) == pytest.approx((alone.value, alone.low, alone.high))
    careless = weighted_drop([(four[0], 1.0)], [(four[1], 0.5), (four[2], 0.5)], Sampled(240, 0), 0.95)
    assert careless.high - careless.low < 0.7 * (together.high - together.low)


def test_one_cell_of_groups_has_the_interval_that_it_is_judged_by():
    clean, (side,) = flags(120, 0.2)
    groups = Groups.of([at // 4 for at in range(120)])
    judged = clustered.drop_interval(clean.flags, side.flags, groups, 0.95)
    assert weighted_drop([(clean, 1.0)], [(side, 0.3)], Sampled(120, 0, groups), 0.95) == judged
