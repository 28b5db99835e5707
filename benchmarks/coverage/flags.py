"""Samples of flags, counted or drawn, and what intervals make of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log, sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.coverage.intervals import Counts, Ends, Method
from compress_guard.verdict import wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TABULATED: Final = 300
"""Largest number of images for which the ends of all outcomes are computed at once."""
_NEGLIGIBLE: Final = 1e-11
"""Probability below which outcomes are left out."""
_SLACK: Final = 1e-12
"""Tolerance for rounding: an end this near to the truth covers it."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Outcomes: counts of images and how probable they are, four arrays of one shape."""

    lost: Counts
    gained: Counts
    both: Counts
    """Images that are right both times; 0 if the outcomes are of pairs alone."""
    weight: NDArray[np.float64]

    def of_pairs(self, images: int) -> Sample:
        """Return the sample with one outcome for each pair of lost and gained images."""
        pairs, at = np.unique(self.lost * (images + 1) + self.gained, return_inverse=True)
        weight = np.bincount(at, weights=self.weight).astype(np.float64)
        return Sample(pairs // (images + 1), pairs % (images + 1), np.zeros(len(pairs)), weight)


class Tabulated:
    """Ends of a method's intervals for outcomes, looked up in a table if there are few enough."""

    def __init__(self, method: Method, images: int, confidence: float) -> None:
        self._method, self._images, self._confidence = method, images, confidence
        self._ends: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        if method.pairs and images <= _TABULATED:
            lost, gained = np.nonzero(np.add.outer(np.arange(images + 1), np.arange(images + 1)) <= images)
            low, high = (np.full((images + 1, images + 1), np.nan) for _ in range(2))
            counts = lost.astype(np.float64), gained.astype(np.float64)
            low[lost, gained], high[lost, gained] = method.bounds(images, *counts, np.zeros(len(lost)), confidence)
            self._ends = low, high

    def __call__(self, sample: Sample) -> Ends:
        if self._ends is not None:
            at = sample.lost.astype(np.intp), sample.gained.astype(np.intp)
            return self._ends[0][at], self._ends[1][at]
        return self._method.bounds(self._images, sample.lost, sample.gained, sample.both, self._confidence)


def counted(images: int, shares: Sequence[float], *, pairs: bool) -> Sample:
    """Return every outcome with its probability, except outcomes that together have less than 1e-4 (pairs: 1e-6).

    `shares` are those of lost and gained images and of images right and wrong both times.
    """
    lost, gained, both, neither = shares
    if pairs:
        (some, others, _), weight = _multinomial(images, (lost, gained, both + neither), reach=7.0)
        return Sample(some, others, np.zeros_like(some), weight)
    (some, others, right, _), weight = _multinomial(images, (lost, gained, both, neither), reach=4.8)
    return Sample(some, others, right, weight)


def drawn(images: int, shares: Sequence[float], draws: int, seed: Sequence[int]) -> Sample:
    """Draw this many outcomes."""
    counts = np.random.default_rng(list(seed)).multinomial(images, shares, size=draws).astype(np.float64)
    return Sample(counts[:, 0], counts[:, 1], counts[:, 2], np.full(draws, 1 / draws))


def _multinomial(n: int, shares: Sequence[float], reach: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return counts (categories, outcomes), all but the last within `reach` standard deviations, and probabilities."""
    factorials = _log_factorials(n)
    starts, left, logs = [], np.array(n), np.array(factorials[n])
    for share in shares[:-1]:
        spread = reach * sqrt(n * share * (1 - share)) + 2 * reach if share > 0 else 0.0
        counts = np.arange(max(0, floor(n * share - spread)), min(n, ceil(n * share + spread)) + 1)
        starts.append(counts[0])
        left = np.subtract.outer(left, counts)
        logs = np.add.outer(logs, counts * np.log(share or 1.0) - factorials[counts])
    possible = (left >= 0) & ((left == 0) | (shares[-1] > 0))
    logs = logs + np.where(possible, left * np.log(shares[-1] or 1.0) - factorials[np.maximum(left, 0)], -np.inf)
    kept = np.nonzero(logs > log(_NEGLIGIBLE))
    counts = np.stack([*(at + start for at, start in zip(kept, starts, strict=True)), left[kept]])
    return counts.astype(np.float64), np.exp(logs[kept])


def _log_factorials(n: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])


def _score(images: int, confidence: float) -> Ends:
    """Return Wilson's interval as published (1927), for every number of right images."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    right = np.arange(images + 1)
    share, scale = right / images, 1 + z * z / images
    centre = (share + z * z / (2 * images)) / scale
    reach = z * np.sqrt(share * (1 - share) / images + (z / (2 * images)) ** 2) / scale
    return centre - reach, centre + reach


def _ours(images: int, confidence: float) -> Ends:
    return wilson.bounds(images, np.arange(images + 1), confidence)


ONE_SAMPLE: Final[Mapping[str, Callable[[int, float], Ends]]] = {"Wilson": _score, "compress_guard": _ours}
"""Intervals of one score: the ends for 0 to `images` right answers."""


def misses(images: int, scores: NDArray[np.float64], ends: Ends) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the binomial probabilities that the interval is wholly above, and wholly below, each true score."""
    low, high = ends
    right = np.arange(images + 1)
    factorials = _log_factorials(images)
    choices = factorials[images] - factorials[right] - factorials[images - right]
    above, below = np.zeros_like(scores), np.zeros_like(scores)
    for at, score in enumerate(scores):
        if 0 < score < 1:
            weight = np.exp(choices + right * np.log(score) + (images - right) * np.log1p(-score))
        else:
            weight = (right == images * score).astype(np.float64)
        above[at] = weight[low > score + _SLACK].sum()
        below[at] = weight[high < score - _SLACK].sum()
    return above, below
