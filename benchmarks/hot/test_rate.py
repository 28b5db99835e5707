"""Arithmetic of rate control: the cost of a plan if encoding costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pytest

from compress_guard.rate import plan
from compress_guard.rate.curve import Curves
from compress_guard.records import ImageInfo, RateMode

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

IMAGES = 200
LADDER = tuple(float(quality) for quality in range(1, 96))
RATES = (0.25, 0.5, 0.75, 1.0, 2.0)
PIXELS = 500 * 375


@dataclass(frozen=True)
class MadeUp:
    """A codec whose stream lengths are all known: log size bends along the ladder, differently for each image."""

    lengths: NDArray[np.int64]
    """Lengths in bytes, (images, steps)."""

    @classmethod
    def make(cls) -> MadeUp:
        draw = np.random.default_rng(0)
        along = np.linspace(0, 1, len(LADDER))
        curve = np.log(0.08) + np.log(5 / 0.08) * (along + 0.1 * np.sin(np.pi * along))
        own = 0.4 * draw.normal(size=(IMAGES, 1)) + 0.2 * draw.normal(size=(IMAGES, 1)) * along
        rates = np.exp(curve + own + 0.005 * draw.normal(size=(IMAGES, len(LADDER))))
        return cls(np.rint(rates * PIXELS / 8).astype(int))

    def encode(self, requests: Sequence[tuple[int, float]]) -> list[int | None]:
        return [int(self.lengths[at, int(setting) - 1]) for at, setting in requests]


@pytest.fixture(scope="module")
def codec() -> MadeUp:
    return MadeUp.make()


@pytest.mark.parametrize(("mode", "tolerance"), [("dataset", 0.02), ("image", 0.05)])
def test_plan(benchmark: BenchmarkFixture, codec: MadeUp, mode: RateMode, tolerance: float) -> None:
    """Time a whole plan, 200 images at five rates: the cost of the search itself, without its encodes."""
    images = [ImageInfo(str(at), PIXELS) for at in range(IMAGES)]

    def planned() -> float:
        found = plan(images, LADDER, RATES, mode=mode, tolerance=tolerance, seed=0, encode=codec.encode)
        return sum(rate.encodes for rate in found.rates) / len(RATES)

    encodes = benchmark(planned)
    benchmark.extra_info["encodes per image and rate"] = round(encodes, 3)
    assert encodes < 3


def _measured(codec: MadeUp, points: int) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return steps, log bpp and the number of points of each image, as a ledger keeps them."""
    steps = np.sort(np.random.default_rng(1).permuted(np.tile(np.arange(len(LADDER)), (IMAGES, 1)), axis=1)[:, :points])
    logs = np.log(8 * np.take_along_axis(codec.lengths, steps, axis=1) / PIXELS)
    return steps, logs, np.full(IMAGES, points)


def test_learn(benchmark: BenchmarkFixture, codec: MadeUp) -> None:
    """Time refitting the size curves to three points of each image, as after each batch of encodes."""
    measured = _measured(codec, 3)
    curves = Curves(len(LADDER))
    benchmark(curves.learn, *measured)
    assert curves.predict(*measured)[0].shape == (IMAGES, len(LADDER))


def test_predict(benchmark: BenchmarkFixture, codec: MadeUp) -> None:
    """Time predicting every image's size at every step from its own three points."""
    measured = _measured(codec, 3)
    curves = Curves(len(LADDER))
    curves.learn(*measured)
    mean, deviation = benchmark(curves.predict, *measured)
    assert np.abs(np.exp(mean) * PIXELS / 8 / codec.lengths - 1).mean() < 0.1
    assert (deviation == 0).sum() == 3 * IMAGES
