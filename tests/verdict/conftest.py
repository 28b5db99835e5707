from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest


@dataclass
class MeanScorer:
    """A metric without flags: the weighted mean of one value per image, in points."""

    values: np.ndarray
    calls: list[tuple[int, ...]] = field(default_factory=list)
    flags = None

    def __call__(self, weights):
        self.calls.append(weights.shape)
        return weights @ self.values / weights.sum(axis=1)


@dataclass
class FlagScorer:
    flags: np.ndarray

    def __call__(self, weights):
        return 100 * (weights @ self.flags) / weights.sum(axis=1)


@dataclass
class RareScorer:
    """Defined only where the one image with ground truth is drawn."""

    value: float
    truth: int = 0
    flags = None

    def __call__(self, weights):
        return np.where(weights[:, self.truth] > 0, self.value, np.nan)


@pytest.fixture(scope="session")
def mean_scorer():
    return MeanScorer


@pytest.fixture(scope="session")
def rare_scorer():
    return RareScorer


@pytest.fixture(scope="session")
def flag_pair():
    """Clean and compressed flags with so many images of each kind."""

    def make(both: int, lost: int, gained: int, neither: int):
        clean = np.repeat([True, True, False, False], [both, lost, gained, neither])
        compressed = np.repeat([True, False, True, False], [both, lost, gained, neither])
        return FlagScorer(clean), FlagScorer(compressed)

    return make
