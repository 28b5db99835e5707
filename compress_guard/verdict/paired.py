"""The interval of a paired difference of proportions: a score interval, corrected for skewness where it matters.

The base is Tango's score interval (1998, Statistics in Medicine 17:891-908), which holds its coverage where a Wald or
bootstrap interval collapses to a point: with no flip at all, or only flips. Its lower end is too high where few images
flip and nearly all of them the same way: lost images are then close to Poisson, whose upper tail is longer than the
normal one. The first term of the Cornish-Fisher expansion corrects that (Laud 2017, Pharmaceutical Statistics
16:334-348, for other designs). It is applied only where it widens the interval: otherwise it grows without bound as the
variance goes to 0, and the interval misses losses that a sample happens not to show.
`python -m benchmarks.coverage.top1` compares it with others.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_HALVINGS: Final = 60
"""Number of halvings of a bracket of width 2; the rest is below the spacing of float64."""


def drop_interval(images: float, lost: int, gained: int, confidence: float) -> Interval:
    """Return the drop of a mean of flags, in points, with its interval; low <= value <= high.

    `lost` images are right when clean and wrong when compressed, `gained` the other way round, of `images` >= 1 in all;
    0 < confidence < 1.
    """
    low, high = bounds(images, lost, gained, confidence)
    return Interval(100 * (lost - gained) / images, 100 * float(low), 100 * float(high))


def bounds(
    images: ArrayLike, lost: ArrayLike, gained: ArrayLike, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both ends of the interval of (lost - gained) / images, between -1 and 1; counts are broadcast."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    n, lost, gained = np.broadcast_arrays(*(np.asarray(counts, dtype=np.float64) for counts in (images, lost, gained)))
    # Swapping the sides mirrors the interval, so one end is enough and the symmetry is exact.
    return _lower(n, lost, gained, z), -_lower(n, gained, lost, z)


def _lower(
    n: NDArray[np.float64], lost: NDArray[np.float64], gained: NDArray[np.float64], z: float
) -> NDArray[np.float64]:
    """Return the smallest true difference that does not reject the observed surplus of lost images."""
    surplus = lost - gained
    correction = max(z * z - 1, 0.0) / 6
    outside, inside = np.full(surplus.shape, -1.0), surplus / n
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        variance, lean = _moments(middle, n, lost, gained)
        rejected = surplus - n * middle > z * np.sqrt(n * variance) + correction * np.maximum(lean, 0.0)
        outside, inside = np.where(rejected, middle, outside), np.where(rejected, inside, middle)
    return outside


def _moments(
    difference: NDArray[np.float64], n: NDArray[np.float64], lost: NDArray[np.float64], gained: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variance of one image under a true difference, and its third moment divided by the variance.

    An image is 1 if lost, -1 if gained, else 0. p is the most likely share of gained images under that difference: the
    larger root of 2n p^2 + b p + c (Tango 1998, section 3).
    """
    b = -lost - gained + (2 * n - lost + gained) * difference
    c = -gained * difference * (1 - difference)
    root = np.sqrt(np.maximum(b * b - 8 * n * c, 0.0))
    # (root - b) cancels where b > 0; the same root is then -2c / (root + b), c being at most 0 there.
    p = np.where(b > 0, -2 * c / np.where(b > 0, root + b, 1.0), (root - b) / (4 * n))
    variance = np.maximum(2 * p + difference * (1 - difference), 0.0)
    third = difference * (1 - 3 * (2 * p + difference) + 2 * difference**2)
    return variance, np.divide(third, variance, out=np.zeros_like(third), where=variance > 0)
