"""Confidence sequences for means of bounded variables by betting: intervals that hold after any number of looks.

Waudby-Smith and Ramdas 2023 (Estimating means of bounded random variables by betting, Journal of the Royal Statistical
Society B 86:1-27): a gambler who doubts that the mean is m bets on every image, at odds that are fair if it is m. Then
the capital is a martingale, and by Ville's inequality the probability that it ever reaches 2 / error times its start is
at most error / 2. Two gamblers, one for each side, reject the means outside the interval (the hedged capital of the
paper).

Each gambler here is a fund whose members always stake the same fraction (the paper's diversified Kelly bets). A fund
needs no tuning to the share of flips, its capital depends on counts and not on the order of the images, and it grows
monotonically with the distance of m from the mean, so both ends are found exactly and not on a grid.

The estimated value is the mean over images like these: the images count as independent draws, and the seeded random
order takes a part of them. The number of images in all brings no advantage.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STAKES: Final = ((0.95, 2), (0.6, 3), (0.36, 3), (0.2, 3), (0.1, 2), (0.05, 1), (0.02, 1))
"""Fractions of the largest possible stake, each with its share of the fund.

The best stake is about distance / variance: nearly all for few flips or a limit far off, a few hundredths for a fifth
of flips and a limit that 50 000 images just tell apart. Simulated cells of 5000 images, three interval widths from
their limit, took a tenth fewer images with these than with seven even halvings, and from a seventh more to a third
fewer than with the paper's aGRAPA bets, whose worst cases are worse.
"""
_HALVES: Final = np.array([1.0, 0.5, 0.0])
"""Values of a lost, an unchanged and a gained image, scaled from -1 to 1 into 0 to 1."""
_ENDS: Final = np.array([1.0, 0.0])
"""Values of a right and a wrong image."""
_HALVINGS: Final = 60
"""Number of halvings of a bracket of width 1; the rest is below the spacing of float64."""


def drop_interval(images: int, lost: int, gained: int, confidence: float) -> Interval:
    """Return the drop of a mean of flags, in points, with its interval.

    `lost` images are right when clean and wrong when compressed, `gained` the other way round, of `images` >= 1 so far;
    0 < confidence < 1. The intervals at all numbers of images together hold with this confidence.
    """
    low, high = drop_bounds(images, lost, gained, confidence)
    return ordered(100 * (lost - gained) / images, float(low), float(high))


def score_interval(images: int, right: int, confidence: float) -> Interval:
    """Return the mean of flags in points with its interval, as `drop_interval`; `right` of `images` >= 1 are set."""
    low, high = score_bounds(images, right, confidence)
    return ordered(100 * right / images, float(low), float(high))


def drop_bounds(
    images: ArrayLike, lost: ArrayLike, gained: ArrayLike, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends of the interval of (lost - gained) / images, between -1 and 1; counts are broadcast."""
    total, up, down = _counts(images, lost, gained)
    same = total - up - down
    # Swapping the sides mirrors the interval, so one end is enough and the symmetry is exact.
    low, high = lower(_HALVES, np.stack([[up, down], [same, same], [down, up]]), confidence)
    return 2 * low - 1, 1 - 2 * high


def score_bounds(
    images: ArrayLike, right: ArrayLike, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends of the interval of right / images, between 0 and 1; counts are broadcast."""
    total, hits = _counts(images, right)
    misses = total - hits
    low, high = lower(_ENDS, np.stack([[hits, misses], [misses, hits]]), confidence)
    return low, 1 - high


def drop_sides(
    images: ArrayLike, lost: ArrayLike, gained: ArrayLike, limit: float, confidence: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether the interval of `drop_bounds` is wholly above `limit`, and whether it is at or below it.

    The ends are not computed: two capitals at one mean are enough.
    """
    total, up, down = _counts(images, lost, gained)
    same, mean = total - up - down, (1 + limit) / 2
    above = rejected_by(mean, _HALVES, np.stack([up, same, down]), confidence) | (mean < 0)
    below = rejected_by(1 - mean, _HALVES, np.stack([down, same, up]), confidence) | (mean >= 1)
    return above, below


def score_sides(
    images: ArrayLike, right: ArrayLike, limit: float, confidence: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return whether the interval of `score_bounds` is at or above `limit`, and whether it is wholly below it."""
    total, hits = _counts(images, right)
    misses = total - hits
    above = rejected_by(limit, _ENDS, np.stack([hits, misses]), confidence) | (limit <= 0)
    below = rejected_by(1 - limit, _ENDS, np.stack([misses, hits]), confidence) | (limit > 1)
    return above, below


@dataclass(frozen=True, slots=True)
class FlagCounts:
    """The numbers of images, one by one, that a run has seen so far, and bets on them."""

    images: int
    right: int
    """Right when compressed."""
    lost: int
    gained: int

    @classmethod
    def of(cls, clean: NDArray[np.bool_], compressed: NDArray[np.bool_]) -> FlagCounts:
        """Count the flags (images,) of both sides."""
        lost, gained = int(np.sum(clean & ~compressed)), int(np.sum(compressed & ~clean))
        return cls(len(clean), int(np.sum(compressed)), lost, gained)

    @property
    def known(self) -> int:
        """Number of images that are right when clean."""
        return self.right + self.lost - self.gained

    @property
    def scores(self) -> tuple[float, float]:
        """The clean and the compressed score, in points."""
        return 100 * self.known / self.images, 100 * self.right / self.images

    def drop(self, confidence: float) -> Interval:
        return drop_interval(self.images, self.lost, self.gained, confidence)

    def score(self, confidence: float) -> Interval:
        return score_interval(self.images, self.right, confidence)

    def clean(self, confidence: float) -> Interval:
        return score_interval(self.images, self.known, confidence)

    def drop_sides(self, limit: float, confidence: float) -> tuple[bool, bool]:
        above, below = drop_sides(self.images, self.lost, self.gained, limit, confidence)
        return bool(above), bool(below)

    def score_sides(self, limit: float, confidence: float) -> tuple[bool, bool]:
        above, below = score_sides(self.images, self.right, limit, confidence)
        return bool(above), bool(below)

    def clean_sides(self, limit: float, confidence: float) -> tuple[bool, bool]:
        above, below = score_sides(self.images, self.known, limit, confidence)
        return bool(above), bool(below)


def lower(
    values: NDArray[np.float64],
    counts: NDArray[np.float64],
    confidence: float,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the largest mean that the fund betting on larger means rejects, 0 if there is none.

    `values` (K,) lie between 0 and 1; `counts` (K, ...) are the numbers of images with each value, or of groups, whose
    `weights` (K,) are their shares of the full stake.
    """
    full = np.ones_like(values) if weights is None else weights
    mean = np.tensordot(values * full, counts, axes=1) / np.tensordot(full, counts, axes=1)
    # The capital against the observed mean never exceeds 1: log(1 + x) <= x, and the deviations add up to 0.
    outside, inside = np.zeros(mean.shape), mean
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        rejected = rejected_by(middle, values, counts, confidence, weights)
        outside, inside = np.where(rejected, middle, outside), np.where(rejected, inside, middle)
    return outside


def rejected_by(
    mean: NDArray[np.float64] | float,
    values: NDArray[np.float64],
    counts: NDArray[np.float64],
    confidence: float,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.bool_]:
    """Return whether the fund that bets on larger values has grown 2 / error fold against this mean."""
    needed = log(2 / (1 - confidence))
    return np.asarray(log_capital(mean, values, counts, weights) >= needed)


def log_capital(
    mean: NDArray[np.float64] | float,
    values: NDArray[np.float64],
    counts: NDArray[np.float64],
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return the log of the capital that a fund makes from 1 by betting that the mean is larger than `mean`.

    A stake of the fraction f turns 1 into 1 + f (value - mean) / mean: it is fair if the mean is `mean`, never below
    1 - f, and falls as `mean` grows. `weights` (K,), at most 1, are shares of that stake. `values` (K,) and `mean` lie
    between 0 and 1; `counts` (K, ...) as in `_lower`.
    """
    # Against a mean of 0 any larger value wins without bound, and zeros alone win nothing.
    mean = np.maximum(mean, np.finfo(np.float64).tiny)
    stakes, shares = (np.array(column).reshape(-1, *[1] * mean.ndim) for column in zip(*STAKES, strict=True))
    staked = stakes[:, np.newaxis]
    if weights is not None:
        staked = staked * weights.reshape(-1, *[1] * mean.ndim)
    logs = np.log1p(staked * (values.reshape(-1, *[1] * mean.ndim) - mean) / mean)
    gains = np.einsum("fk...,k...->f...", logs, counts)
    shares = shares.reshape(-1, *[1] * (gains.ndim - 1))
    best = gains.max(axis=0)
    fund: NDArray[np.float64] = best + np.log((shares * np.exp(gains - best)).sum(axis=0) / shares.sum())
    return fund


def _counts(*given: ArrayLike) -> list[NDArray[np.float64]]:
    arrays = (np.asarray(counts, dtype=np.float64) for counts in given)
    return [np.asarray(counts) for counts in np.broadcast_arrays(*arrays)]


def ordered(value: float, low: float, high: float) -> Interval:
    """Return the interval in points, in order despite rounding."""
    return Interval(value, min(100 * low, value), max(100 * high, value))
