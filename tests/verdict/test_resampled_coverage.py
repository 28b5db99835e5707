"""Coverage of the interval of a drop in mIoU, on generated populations.

A quick version of `benchmarks.coverage.resampled`, which needs the evidence of 20 000 rendered scenes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from compress_guard.tasks.segmentation import MeanIoU
from compress_guard.verdict import bootstrap, resampling

IMAGES = 20_000
CLASSES = 3
SAMPLES = 150
RESAMPLES = 400


@dataclass
class Drawn:
    clean: MeanIoU
    compressed: MeanIoU

    def sample(self, positions):
        return [
            MeanIoU(whole.intersection[positions], whole.union[positions], whole.truth[positions])
            for whole in (self.clean, self.compressed)
        ]


def population(share: float, loss: float) -> Drawn:
    """Objects of three classes in half of the images each; compression hurts a share of the images.

    There it takes away a random part of what was found of an object, up to `loss` of it.
    """
    generator = np.random.default_rng(11)
    truth = generator.gamma(2, 500, (IMAGES, CLASSES)) * (generator.random((IMAGES, CLASSES)) < 0.5)
    intersection = truth * generator.beta(18, 2, truth.shape)
    union = truth + generator.exponential(30, truth.shape)
    hurt = (generator.random((IMAGES, 1)) < share) * generator.uniform(0, loss, truth.shape)
    return Drawn(MeanIoU(intersection, union, truth), MeanIoU(intersection * (1 - hurt), union, truth))


def score(scorer, images: int) -> float:
    return float(scorer(np.ones((1, images)))[0])


def coverage(drawn: Drawn, size: int) -> tuple[float, float]:
    """Shares of samples whose interval, and whose plain percentiles, hold the drop of the population."""
    true = score(drawn.clean, IMAGES) - score(drawn.compressed, IMAGES)
    generator = np.random.default_rng(size)
    held = plain = 0
    for seed in range(SAMPLES):
        clean, compressed = drawn.sample(generator.choice(IMAGES, size, replace=False))
        value = score(clean, size) - score(compressed, size)
        sides = [resampling.Resampled.of(scorer, size, seed, RESAMPLES) for scorer in (clean, compressed)]
        found = bootstrap.interval_of(sides[0] - sides[1], value, size, 0.95, (-100.0, 100.0))
        held += found.low <= true <= found.high
        low, high = np.quantile((sides[0] - sides[1]).replicates, [0.025, 0.975])
        plain += low <= true <= high
    return held / SAMPLES, plain / SAMPLES


@pytest.mark.parametrize("size", [30, 80])
def test_the_interval_holds_the_truth_where_all_images_lose(size):
    held, _ = coverage(population(1.0, 0.5), size)
    assert held >= 0.92


@pytest.mark.parametrize("size", [60, 200])
def test_the_interval_holds_the_truth_where_one_image_in_a_hundred_loses(size):
    held, plain = coverage(population(0.01, 1.0), size)
    assert held >= 0.92
    assert plain < 0.87  # the same bar tells an interval that is not good enough
