"""The score interval of a paired difference of proportions (Tango 1998, Statistics in Medicine 17:891-908).

It holds its coverage where a Wald or bootstrap interval collapses to a point: with no flip at all, or only flips.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_HALVINGS: Final = 60
"""Halvings of a bracket of width 2 at most: what is left is below the spacing of float64."""


def drop_interval(images: int, lost: int, gained: int, confidence: float) -> Interval:
    """The drop of a mean of flags, in points, with its interval.

    `lost` images are right when clean and wrong when compressed, `gained` the other way round, of `images` >= 1 in all;
    0 < confidence < 1.
    """
    low, high = bounds(images, lost, gained, confidence)
    return Interval(100 * (lost - gained) / images, 100 * float(low), 100 * float(high))


def bounds(
    images: int, lost: ArrayLike, gained: ArrayLike, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both ends of the interval of (lost - gained) / images, between -1 and 1; counts broadcast against each other."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    lost, gained = np.broadcast_arrays(np.asarray(lost, dtype=np.float64), np.asarray(gained, dtype=np.float64))
    # Swapping the sides turns the interval round, so that one end is enough and the symmetry is exact.
    return _lower(images, lost, gained, z), -_lower(images, gained, lost, z)


def _lower(n: int, lost: NDArray[np.float64], gained: NDArray[np.float64], z: float) -> NDArray[np.float64]:
    """Where the score statistic, which falls as the difference grows, comes down to z: left of the estimate."""
    surplus = lost - gained
    outside, inside = np.full(surplus.shape, -1.0), surplus / n
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        rejected = surplus - n * middle > z * np.sqrt(n * _variance(middle, n, lost, gained))
        outside, inside = np.where(rejected, middle, outside), np.where(rejected, inside, middle)
    return outside


def _variance(
    difference: NDArray[np.float64], n: int, lost: NDArray[np.float64], gained: NDArray[np.float64]
) -> NDArray[np.float64]:
    """n times the variance of the estimate where the true difference is the one given (Tango 1998, section 3).

    p is the most likely share of gained images under that difference: the larger root of 2n p^2 + B p + C.
    """
    b = -lost - gained + (2 * n - lost + gained) * difference
    c = -gained * difference * (1 - difference)
    root = np.sqrt(np.maximum(b * b - 8 * n * c, 0.0))
    # (root - b) cancels where b > 0; the same root is then -2c / (root + b), c being at most 0 there.
    p = np.where(b > 0, -2 * c / np.where(b > 0, root + b, 1.0), (root - b) / (4 * n))
    return np.maximum(2 * p + difference * (1 - difference), 0.0)
