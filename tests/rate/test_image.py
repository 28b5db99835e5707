"""Image mode: every image at the target, the nearest step or its own end of the ladder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.rate.image import Window, bracket, normal_cdf, spread

TARGETS = (0.25, 0.5, 1.0, 2.0)


@given(
    seed=st.integers(0, 10**6),
    images=st.integers(1, 60),
    steps=st.integers(1, 100),
    plateaus=st.sampled_from([0.0, 0.2]),
)
@settings(max_examples=15, deadline=None)
def test_within_tolerance_or_at_the_nearest_step(
    bench: Any, seed: int, images: int, steps: int, plateaus: float
) -> None:
    one = bench.make(images, steps, seed, noise=0.0, plateaus=plateaus)
    nearest = [np.abs(np.log(one.bpp / target)).min(axis=1) for target in TARGETS]
    for best, rate in zip(nearest, one.plan(TARGETS, "image").rates, strict=True):
        bpp = np.array(rate.bpp)
        near = np.abs(np.log(bpp / rate.target)) <= best + 1e-3
        assert np.all(near | (np.abs(bpp / rate.target - 1) <= 0.05))


@given(seed=st.integers(0, 10**6), noise=st.sampled_from([0.02, 0.1]))
@settings(max_examples=8, deadline=None)
def test_rough_curves_end_between_neighbours(bench: Any, seed: int, noise: float) -> None:
    """An image off target has a measured crossing or is at an end of the ladder, even where sizes jump."""
    one = bench.make(30, 60, seed, noise=noise)
    planned = one.plan(TARGETS, "image")
    asked = {image: {one.step(setting) for other, setting in one.asked if other == image} for image in range(30)}
    for rate in planned.rates:
        for image, bpp in enumerate(rate.bpp):
            if abs(bpp / rate.target - 1) <= 0.05:
                continue
            below = one.bpp[image] < rate.target
            crossed = any(below[s] != below[s + 1] and {s, s + 1} <= asked[image] for s in range(59))
            ends = (0 in asked[image] and not below[0]) or (59 in asked[image] and below[59])
            assert crossed or ends


@pytest.mark.parametrize("seed", range(3))
def test_a_jagged_low_end_is_searched_step_by_step(bench: Any, seed: int) -> None:
    """Low rates of real codecs go up and down from setting to setting: no step beside the chosen one is nearer."""
    one = bench.make(60, 60, seed, low=0.08, noise=0.0)
    jagged = np.random.default_rng(seed)
    one.table[:, :7] = np.rint(one.table[:, :7] * np.exp(jagged.normal(0, 0.04, size=(60, 7))))
    target = 0.1
    (rate,) = one.plan((target,), "image").rates
    miss = np.abs(np.log(one.bpp / target))
    for image, (setting, bpp) in enumerate(zip(rate.settings, rate.bpp, strict=True)):
        step = one.step(setting)
        if abs(bpp / target - 1) > 0.05 and step <= 9:
            assert miss[image, step] <= miss[image, max(0, step - 3) : step + 4].min() + 1e-9


def test_floor_and_ceiling(bench: Any) -> None:
    one = bench.make(100, 60, 2, low=0.1, high=1.5, spread=0.4)
    for rate in one.plan((0.05, 0.12, 0.4, 2.0), "image").rates:
        stuck = one.bpp.min(axis=1) > rate.target * 1.05
        capped = one.bpp.max(axis=1) < rate.target * 0.95
        assert rate.off_target == int(np.sum(stuck)) + int(np.sum(capped))
        assert rate.reachable == (np.mean(stuck) <= 0.05)
        if rate.reachable:
            assert rate.floor is None
        else:
            assert rate.floor == pytest.approx(one.bpp.min(axis=1)[stuck].max(), rel=0.011)
    assert one.plan((9.0,), "image").rates[0].off_target == 100


@pytest.mark.parametrize(("stuck", "reachable"), [(5, True), (6, False)])
def test_five_per_cent_stuck_at_the_floor_are_borne(bench: Any, stuck: int, reachable: bool) -> None:
    one = bench.make(100, 50, 1, low=0.05, high=4.0, spread=0.1)
    table = one.table.copy()
    table[:stuck] = np.maximum(table[:stuck], (0.5 * one.pixels[:stuck, None] / 8).astype(np.int64))
    (rate,) = bench(table, one.pixels, one.ladder).plan((0.25,), "image").rates
    assert rate.off_target == stuck
    assert rate.reachable == reachable
    assert rate.floor == (None if reachable else pytest.approx(0.5, rel=0.01))


def test_images_that_cannot_be_coded_do_not_count_for_the_share(bench: Any) -> None:
    one = bench.make(50, 50, 1, low=0.05, high=4.0, spread=0.1)
    table = one.table.copy()
    table[:2] = np.maximum(table[:2], (0.5 * one.pixels[:2, None] / 8).astype(np.int64))
    (rate,) = bench(table, one.pixels, one.ladder, broken=frozenset(range(20, 50))).plan((0.25,), "image").rates
    assert not rate.reachable  # 2 of 20


@given(seed=st.integers(0, 10**6), dip=st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_a_low_end_that_runs_the_wrong_way(bench: Any, seed: int, dip: int) -> None:
    one = bench.make(40, 60, seed, dip=dip, noise=0.0, spread=0.1)
    floors = one.bpp.min(axis=1)
    (rate,) = one.plan((0.6 * float(floors.min()),), "image").rates
    assert not rate.reachable
    np.testing.assert_allclose(rate.bpp, floors, rtol=0.011)


def test_wide_steps_and_mixed_are_no_matter_of_image_mode(bench: Any) -> None:
    planned = bench.make(30, 7, 3, low=0.1, high=2.5).plan(TARGETS, "image")
    assert not any(rate.mixed for rate in planned.rates)


@pytest.mark.parametrize("images", [200, 25])
def test_economy(bench: Any, images: int) -> None:
    """Encodes per image and rate over a few ladders, the kept one included."""
    costs = []
    for seed in range(4):
        one = bench.make(images, (100, 64)[seed % 2], seed, noise=0.01, spread=(0.5, 0.8)[seed % 2])
        costs.append(np.mean([rate.encodes for rate in one.plan((0.25, 0.5, 0.75, 1.0, 2.0), "image").rates]))
    assert np.mean(costs) <= 1.55


def test_a_bracket_lies_between_the_highest_below_and_the_next_above() -> None:
    known = np.array([[1, 0, 0, 1, 0], [1, 1, 0, 0, 0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 1], [1, 0, 1, 0, 1]], dtype=bool)
    above = np.array([[0, 0, 0, 1, 1], [0, 1, 1, 1, 1], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 1]], dtype=bool)
    closed, inside = bracket(known, above)
    assert closed.tolist() == [False, True, True, True, False]
    assert [np.flatnonzero(row).tolist() for row in inside] == [[1, 2], [], [], [], [3]]


def test_rates_are_searched_from_the_middle_out() -> None:
    assert spread((0.1, 0.25, 0.5, 1.0, 2.0)) == (0.5, 0.1, 2.0, 0.25, 1.0)
    assert spread((1.0,)) == (1.0,)
    assert spread(()) == ()


@given(st.lists(st.floats(0.05, 8), unique=True, max_size=12).map(sorted))
def test_every_rate_is_searched_once(targets: list[float]) -> None:
    assert sorted(spread(tuple(targets))) == targets


def test_the_normal_distribution() -> None:
    np.testing.assert_allclose(
        normal_cdf(np.array([-40.0, -1.959964, 0.0, 1.0, 40.0])), [0, 0.025, 0.5, 0.841345, 1], atol=3e-4
    )


def test_a_window_is_relative() -> None:
    window = Window(0.5, 0.05)
    assert window.holds(0.475)
    assert window.holds(0.525)
    assert not window.holds(0.4749)
    assert not window.holds(0.5251)
