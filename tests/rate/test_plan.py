"""Properties of every rate plan, whatever the mode."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.rate import plan
from compress_guard.records import ImageInfo, Rate, RateMode

MODES: tuple[RateMode, ...] = ("dataset", "image")
TARGETS = (0.25, 0.5, 1.0, 2.0)
modes = st.sampled_from(MODES)


@given(mode=modes, seed=st.integers(0, 10**6), images=st.integers(1, 40), steps=st.integers(1, 60))
@settings(max_examples=15, deadline=None)
def test_every_stream_is_asked_for_once_and_counted(
    bench: Any, mode: RateMode, seed: int, images: int, steps: int
) -> None:
    one = bench.make(images, steps, seed, plateaus=0.1, broken=[i for i in range(images) if i % 7 == 3])
    planned = one.plan(TARGETS, mode)
    assert len(one.asked) == len(set(one.asked))
    pixels = sum(int(one.pixels[image]) for image, _ in one.asked) / int(one.pixels.sum())
    assert sum(rate.encodes for rate in planned.rates) == pytest.approx(pixels, abs=1e-9)
    asked = set(one.asked)
    for rate in planned.rates:
        for image in range(images):
            if image in one.broken:
                assert (rate.settings[image], rate.lengths[image], rate.bpp[image]) == (None, None, None)
                continue
            setting = rate.settings[image]
            assert (image, setting) in asked
            length = one.table[image, one.step(setting)]
            assert rate.lengths[image] == length
            assert rate.bpp[image] == pytest.approx(8 * length / one.pixels[image])
    for image in one.broken:
        assert sum(asked_image == image for asked_image, _ in one.asked) <= len(one.ladder)


@given(mode=modes, seed=st.integers(0, 10**6), shuffle=st.randoms(use_true_random=False))
@settings(max_examples=8, deadline=None)
def test_order_of_the_images_changes_nothing(bench: Any, mode: RateMode, seed: int, shuffle: Any) -> None:
    one = bench.make(25, 50, seed)
    order = list(range(25))
    shuffle.shuffle(order)
    names = tuple(f"image-{i}" for i in order)
    other = bench(one.table[order], one.pixels[order], one.ladder, names=names)
    first, second = one.plan(TARGETS, mode), other.plan(TARGETS, mode)
    for before, after in zip(first.rates, second.rates, strict=True):
        assert after.settings == tuple(before.settings[i] for i in order)
        assert after.encodes == pytest.approx(before.encodes)


@pytest.mark.parametrize("mode", MODES)
def test_the_same_call_gives_the_same_plan(bench: Any, mode: RateMode) -> None:
    one = bench.make(30, 100, 5)
    first = one.plan(TARGETS, mode)
    asked = list(one.asked)
    assert one.plan(TARGETS[::-1], mode) == first
    assert one.asked == asked


@pytest.mark.parametrize("mode", MODES)
def test_rates_ascend_and_can_be_looked_up(bench: Any, mode: RateMode) -> None:
    planned = bench.make(12, 40, 1).plan((1.0, 0.25, 1.0), mode)
    assert [rate.target for rate in planned.rates] == [0.25, 1.0]
    assert planned.at(Rate(1.0)).target == 1.0
    assert planned.mode == mode


@pytest.mark.parametrize("mode", MODES)
def test_no_targets_no_encodes(bench: Any, mode: RateMode) -> None:
    one = bench.make(5, 10, 1)
    assert one.plan((), mode).rates == ()
    assert one.asked == []


@pytest.mark.parametrize("mode", MODES)
def test_images_that_cannot_be_coded_leave_the_others_as_they_were(bench: Any, mode: RateMode) -> None:
    broken = bench.make(40, 60, 3, broken=range(40))
    planned = broken.plan(TARGETS, mode)
    for rate in planned.rates:
        assert set(rate.settings) == {None}
        assert rate.bpp_mean is None
        assert (rate.reachable, rate.floor, rate.off_target, rate.mixed) == (True, None, 0, False)


@pytest.mark.parametrize("mode", MODES)
def test_one_step_ladder(bench: Any, mode: RateMode) -> None:
    one = bench.make(6, 1, 2, low=0.5, high=0.5, spread=0.01)
    above, at, below = one.plan((0.25, 0.5, 1.0), mode).rates
    assert not above.reachable
    assert above.floor == pytest.approx(one.means[0] if mode == "dataset" else one.bpp.max())
    assert at.reachable
    assert at.off_target == 0
    assert below.reachable
    assert below.off_target == 6
    assert len(one.asked) == 6


@pytest.mark.parametrize("mode", MODES)
def test_one_step_ladder_of_many_images(bench: Any, mode: RateMode) -> None:
    one = bench.make(40, 1, 2, low=0.3, high=0.3, broken=[3, 30])
    assert not one.plan((0.1,), mode).rates[0].reachable
    assert len(one.asked) == 40


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("images", [1, 2])
def test_very_few_images(bench: Any, mode: RateMode, images: int) -> None:
    one = bench.make(images, 100, 8, noise=0.0)
    for rate in one.plan(TARGETS, mode).rates:
        nearest = np.abs(np.log(one.bpp / rate.target)).min(axis=1)
        if images == 1:
            assert abs(np.log(rate.bpp_mean / rate.target)) == pytest.approx(nearest[0]) or abs(
                rate.bpp_mean / rate.target - 1
            ) <= (0.02 if mode == "dataset" else 0.05)
        else:
            assert rate.bpp_mean == pytest.approx(rate.target, rel=0.05)


@pytest.mark.parametrize("mode", MODES)
def test_long_ladder_of_nominal_rates(bench: Any, mode: RateMode) -> None:
    """As JPEG 2000's: 700 steps of 1 %, met almost exactly by every image."""
    one = bench.make(60, 700, 4, low=0.02, high=16.0, spread=0.0, noise=0.002)
    planned = one.plan(TARGETS, mode)
    assert sum(rate.encodes for rate in planned.rates) / 4 < 1.5
    for rate in planned.rates:
        assert rate.bpp_mean == pytest.approx(rate.target, rel=0.05)


@pytest.mark.parametrize(
    ("images", "ladder", "targets", "tolerance", "found"),
    [
        ([], (1.0,), (0.5,), 0.02, "a rate plan needs images and a ladder, found 0 images and 1 settings"),
        ([ImageInfo("a", 9)], (), (0.5,), 0.02, "a rate plan needs images and a ladder, found 1 images and 0 settings"),
        ([ImageInfo("a", 9)], (1.0,), (0.0,), 0.02, "targets and tolerance must be positive, found [0.0] and 0.02"),
        ([ImageInfo("a", 9)], (1.0,), (0.5,), 0.0, "targets and tolerance must be positive, found [0.5] and 0.0"),
    ],
)
def test_arguments_that_make_no_sense(images: Any, ladder: Any, targets: Any, tolerance: float, found: str) -> None:
    with pytest.raises(ValueError, match="found") as caught:
        plan(
            images, ladder, targets, mode="image", tolerance=tolerance, seed=0, encode=lambda wanted: [1] * len(wanted)
        )
    assert str(caught.value) == found


def test_an_encoder_that_loses_an_answer_is_named() -> None:
    with pytest.raises(ValueError, match="encode gave 0 lengths for"):
        plan([ImageInfo("a", 9)], (1.0, 2.0), (0.5,), mode="image", tolerance=0.05, seed=0, encode=lambda wanted: [])
