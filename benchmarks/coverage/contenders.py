"""Intervals of a resampled score: the one that verdicts use, first, and those that it is compared with.

Efron and Tibshirani (1993, An Introduction to the Bootstrap, chapters 12 to 14) have the plain ones; for the expanded
percentile see Hesterberg (2015, The American Statistician 69:371-386, section 5.3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.verdict import bootstrap, resampling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.verdict.resampling import Resampled

Ends = tuple[float, float]
NORMAL: Final = NormalDist()
VERDICTS: Final = "of the verdicts"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A score, or a drop, with what resampling with this seed made of it."""

    resampled: Resampled
    value: float
    images: int
    seed: int
    bounds: Ends = (0.0, 100.0)
    """Possible range of the value."""

    def __sub__(self, other: Sample) -> Sample:
        return Sample(
            self.resampled - other.resampled, self.value - other.value, self.images, self.seed, (-100.0, 100.0)
        )

    @property
    def influences(self) -> NDArray[np.float64]:
        left_out = self.resampled.left_out
        influences: NDArray[np.float64] = (len(left_out) - 1) * (left_out.mean() - left_out)
        return influences

    @property
    def jackknife(self) -> float:
        """Standard error by leaving out one image at a time."""
        influences = self.influences
        return sqrt(float(np.sum(influences**2)) / (len(influences) * (len(influences) - 1)))

    def quantiles(self, *shares: float) -> tuple[float, ...]:
        return tuple(float(one) for one in np.quantile(self.resampled.replicates, shares))


def chosen(sample: Sample, confidence: float) -> Ends:
    found = bootstrap.interval_of(sample.resampled, sample.value, sample.images, confidence, sample.bounds)
    return found.low, found.high


def percentile(sample: Sample, confidence: float) -> Ends:
    tail = (1 - confidence) / 2
    low, high = sample.quantiles(tail, 1 - tail)
    return low, high


def expanded_percentile(sample: Sample, confidence: float) -> Ends:
    n = sample.images
    reach = sqrt(n / (n - 1)) * bootstrap.student(NORMAL.inv_cdf((1 + confidence) / 2), n - 1)
    low, high = sample.quantiles(NORMAL.cdf(-reach), NORMAL.cdf(reach))
    return low, high


def basic(sample: Sample, confidence: float) -> Ends:
    low, high = percentile(sample, confidence)
    return 2 * sample.value - high, 2 * sample.value - low


def bca(sample: Sample, confidence: float) -> Ends:
    replicates, influences = sample.resampled.replicates, sample.influences
    squares = float(np.sum(influences**2))
    acceleration = float(np.sum(influences**3)) / (6 * squares**1.5) if squares > 0 else 0.0
    below = float(np.mean(replicates < sample.value) + np.mean(replicates == sample.value) / 2)
    start = NORMAL.inv_cdf(min(max(below, 1 / len(replicates)), 1 - 1 / len(replicates)))
    z = NORMAL.inv_cdf((1 + confidence) / 2)
    shares = (NORMAL.cdf(start + (start + end) / (1 - acceleration * (start + end))) for end in (-z, z))
    low, high = sample.quantiles(*shares)
    return low, high


def studentised(sample: Sample, confidence: float) -> Ends:
    """Return the bootstrap-t interval; a replicate's standard error is that of the influences that are drawn."""
    n, influences, error = sample.images, sample.influences, sample.jackknife
    weights = np.concatenate(list(resampling.draws(n, sample.seed)))
    variances = weights @ influences**2 / n - (weights @ influences / n) ** 2
    errors = np.sqrt(np.maximum(variances, 0.0) / (n - 1))
    usable = errors > 0
    if not usable.any():
        return sample.value, sample.value
    tail = (1 - confidence) / 2
    ratios = (sample.resampled.replicates[usable] - sample.value) / errors[usable]
    low, high = np.quantile(ratios, [tail, 1 - tail])
    return sample.value - float(high) * error, sample.value - float(low) * error


def normal(sample: Sample, confidence: float) -> Ends:
    reach = NORMAL.inv_cdf((1 + confidence) / 2) * sample.jackknife
    return sample.value - reach, sample.value + reach


CONTENDERS: Final[Mapping[str, Callable[[Sample, float], Ends]]] = {
    VERDICTS: chosen,
    "percentile": percentile,
    "expanded percentile": expanded_percentile,
    "basic": basic,
    "BCa": bca,
    "studentised": studentised,
    "normal, jackknife": normal,
}
