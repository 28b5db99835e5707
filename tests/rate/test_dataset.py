"""Dataset mode: the mean over the images, by two adjacent settings mixed by hash."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.records import PlannedRate, seeded_fraction

TARGETS = (0.25, 0.5, 1.0, 2.0)


def places(one: Any, rate: PlannedRate) -> list[int]:
    """Return the positions of the used settings among all distinct means."""
    distinct = np.unique(np.round(one.means, 12))
    used = [one.step(setting) for setting in rate.setting_counts]
    return sorted(int(np.searchsorted(distinct, np.round(one.means[step], 12))) for step in used)


@given(
    seed=st.integers(0, 10**6),
    images=st.integers(3, 90),
    steps=st.integers(4, 100),
    plateaus=st.sampled_from([0.0, 0.1]),
)
@settings(max_examples=15, deadline=None)
def test_the_mean_meets_the_target_wherever_adjacent_settings_can(
    bench: Any, seed: int, images: int, steps: int, plateaus: float
) -> None:
    one = bench.make(images, steps, seed, plateaus=plateaus, noise=0.002)
    order = np.argsort(one.means, kind="stable")
    for rate in one.plan(TARGETS, "dataset").rates:
        place = int(np.searchsorted(one.means[order], rate.target))
        if place in (0, steps):
            end = one.means[order[0] if place == 0 else order[-1]]
            assert rate.bpp_mean == pytest.approx(rate.target, rel=0.02) or rate.bpp_mean == pytest.approx(end)
            continue
        possible = one.mixes(int(order[place - 1]), int(order[place]))
        if min(abs(mean / rate.target - 1) for mean in possible) <= 0.02:
            assert abs(rate.bpp_mean / rate.target - 1) <= 0.02
        assert rate.reachable
        assert rate.off_target == 0


@given(seed=st.integers(0, 10**6), images=st.integers(20, 90), steps=st.integers(5, 100))
@settings(max_examples=15, deadline=None)
def test_at_most_two_settings_and_these_adjacent_in_mean(bench: Any, seed: int, images: int, steps: int) -> None:
    one = bench.make(images, steps, seed, noise=0.001)
    for rate in one.plan(TARGETS, "dataset").rates:
        used = places(one, rate)
        assert len(used) <= 2
        assert used[-1] - used[0] <= 1


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_the_mix_is_by_hash_and_never_by_size(bench: Any, seed: int) -> None:
    one = bench.make(60, 12, seed)
    lower_rates, upper_rates = [], []
    for rate in one.plan(TARGETS, "dataset", seed=seed).rates:
        if len(rate.setting_counts) < 2:
            continue
        steps = sorted((one.step(setting) for setting in rate.setting_counts), key=lambda step: one.means[step])
        lower, upper = (one.ladder[step] for step in steps)
        hashes = [seeded_fraction(seed, info.id) for info in one.infos]
        up = [h for h, setting in zip(hashes, rate.settings, strict=True) if setting == upper]
        down = [h for h, setting in zip(hashes, rate.settings, strict=True) if setting == lower]
        assert max(up) < min(down)
        lower_rates += down
        upper_rates += up
    assert not lower_rates or upper_rates


def test_images_of_one_hash_are_coded_alike(bench: Any) -> None:
    one = bench.make(20, 10, 3)
    twins = bench(one.table, one.pixels, one.ladder, names=tuple(f"image-{i // 2}" for i in range(20)))
    for rate in twins.plan(TARGETS, "dataset").rates:
        assert rate.settings[::2] == rate.settings[1::2]


def test_below_the_floor(bench: Any) -> None:
    one = bench.make(50, 80, 7, low=0.2)
    low, floor, high = one.plan((0.1, float(one.means[0]), 1.0), "dataset").rates
    assert (low.reachable, low.floor) == (False, pytest.approx(one.means.min()))
    assert low.setting_counts == {1.0: 50}
    assert low.off_target == int(np.sum(one.bpp[:, 0] > 0.1 * 1.02))
    assert (floor.reachable, floor.floor, floor.off_target) == (True, None, 0)
    assert floor.bpp_mean == pytest.approx(floor.target, rel=0.02)
    assert (high.reachable, high.floor) == (True, None)


def test_a_floor_within_tolerance_is_reachable(bench: Any) -> None:
    one = bench.make(50, 80, 7, low=0.2)
    (rate,) = one.plan((float(one.means[0]) / 1.015,), "dataset").rates
    assert rate.reachable
    assert rate.off_target == 0


def test_above_the_ceiling(bench: Any) -> None:
    one = bench.make(50, 80, 7, high=1.5)
    (rate,) = one.plan((9.0,), "dataset").rates
    assert (rate.reachable, rate.floor) == (True, None)
    assert rate.setting_counts == {80.0: 50}
    assert rate.off_target == int(np.sum(one.bpp[:, -1] < 9.0 * 0.98))


@given(seed=st.integers(0, 10**6), dip=st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_a_low_end_that_runs_the_wrong_way(bench: Any, seed: int, dip: int) -> None:
    one = bench.make(40, 60, seed, dip=dip, noise=0.0005)
    floor = float(one.means.min())
    below, inside = one.plan((0.7 * floor, 1.1 * floor), "dataset").rates
    assert not below.reachable
    assert below.floor == pytest.approx(floor)
    assert inside.bpp_mean == pytest.approx(inside.target, rel=0.02)
    assert places(one, inside)[-1] - places(one, inside)[0] <= 1


def test_wide_steps_are_flagged(bench: Any) -> None:
    levels = bench.make(80, 7, 3, low=0.1, high=2.5)
    fine = bench.make(80, 100, 3)
    assert all(rate.mixed for rate in levels.plan((0.2, 0.5, 1.0), "dataset").rates)
    assert not any(rate.mixed for rate in fine.plan((0.2, 0.5, 1.0), "dataset").rates)


@pytest.mark.parametrize(("images", "bar"), [(200, 1.25), (25, 1.45)])
def test_economy(bench: Any, images: int, bar: float) -> None:
    """Encodes per image and rate over a few ladders, the kept one included."""
    costs = []
    for seed in range(4):
        one = bench.make(images, (100, 64)[seed % 2], seed, noise=0.01, spread=(0.5, 0.8)[seed % 2])
        costs.append(np.mean([rate.encodes for rate in one.plan((0.25, 0.5, 0.75, 1.0, 2.0), "dataset").rates]))
    assert np.mean(costs) <= bar


def test_a_few_unlike_images_are_seen_once_before_any_is_seen_twice(bench: Any) -> None:
    """At a single rate nothing is known of most images, and looking at the same ones again would tell little."""
    costs = [
        bench.make(25, 150, seed, noise=0.01, spread=0.8).plan((1.0,), "dataset").rates[0].encodes for seed in range(6)
    ]
    assert np.mean(costs) <= 2.6
