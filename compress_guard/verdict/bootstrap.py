"""The paired image bootstrap: one resampling of the images serves every metric, codec and rate of a guard."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, final

import numpy as np

from compress_guard.records import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Scorer

RESAMPLES: Final = 2000
_CHUNK: Final = 2_000_000
"""Weights that are drawn and scored at once: 16 MB of float64, whatever the number of images."""


@final
class Remembered:
    """A scorer that keeps its replicates: wrap the clean one, which every cell of a guard is compared with."""

    __slots__ = ("_replicates", "_scorer")

    def __init__(self, scorer: Scorer) -> None:
        self._scorer: Final = scorer
        self._replicates: Final[dict[tuple[int, int, int], NDArray[np.float64]]] = {}

    @property
    def flags(self) -> NDArray[np.bool_] | None:
        return self._scorer.flags

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._scorer(weights)

    def replicates(self, images: int, seed: int, resamples: int) -> NDArray[np.float64]:
        key = (images, seed, resamples)
        if key not in self._replicates:
            self._replicates[key] = replicates(self._scorer, images, seed, resamples)
        return self._replicates[key]


def replicates(scorer: Scorer, images: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """The score, in points, of `resamples` data sets drawn with replacement from the images: shape (resamples,).

    Replicate r of two scorers over the same images with the same seed rests on the same draw, so that their difference
    is a paired replicate of the drop. NaN where a draw leaves the score undefined.
    """
    if isinstance(scorer, Remembered):
        return scorer.replicates(images, seed, resamples)
    return np.concatenate([scorer(weights) for weights in _weights(images, seed, resamples)])


def _weights(images: int, seed: int, resamples: int) -> Iterator[NDArray[np.float64]]:
    """How often each image stands in each draw: (R, images) in chunks; multinomial, the same for any chunk size."""
    generator = np.random.default_rng(seed % 2**64)
    chunk = max(1, _CHUNK // images)
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = generator.integers(0, images, size=(rows, images)) + images * np.arange(rows)[:, np.newaxis]
        counts = np.bincount(drawn.reshape(-1), minlength=rows * images)
        yield counts.reshape(rows, images).astype(np.float64)


def percentile_interval(
    value: float, replicates: NDArray[np.float64], images: int, confidence: float, bounds: tuple[float, float]
) -> Interval:
    """The expanded percentile interval of an estimate; low <= value <= high always.

    Plain percentiles are too narrow by sqrt((n - 1) / n) and by the ratio of Student's t to the normal quantile; the
    expanded ones (Hesterberg 2015, The American Statistician 69:371-386, section 5.3) look further out to make up
    for both. Undefined replicates are left out. A single image, or no defined replicate, says nothing: the interval is
    then `bounds`, all that the estimate could be.
    """
    defined = replicates[np.isfinite(replicates)]
    if images < 2 or not defined.size:
        return Interval(value, *bounds)
    tail = _expanded_tail((1 - confidence) / 2, images)
    low, high = (float(end) for end in np.quantile(defined, [tail, 1 - tail]))
    return Interval(value, min(low, value), max(high, value))


def _expanded_tail(tail: float, images: int) -> float:
    """What a percentile interval over `images` >= 2 images has to leave out on each side to cover 1 - 2 tail."""
    normal = NormalDist()
    return normal.cdf(-sqrt(images / (images - 1)) * _student(-normal.inv_cdf(tail), images - 1))


def _student(z: float, freedom: int) -> float:
    """Student's t quantile that belongs to the normal quantile z (Abramowitz and Stegun 1964, 26.7.5).

    Within 0.5 % of t for 95 % and 5 degrees of freedom, closer above.
    """
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, start=1))
