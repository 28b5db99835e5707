"""The interval of a score that is not a mean of flags (mAP, mIoU, pixel accuracy), or of its drop.

Plain percentiles of the replicates are not enough: in samples of 100 out of 20 000 scenes they cover the drop in mAP 7
or 8 times in 10 where they should 19 times in 20. `python -m benchmarks.coverage.resampled` compares them, and others,
with the interval used here, which is made of the standard error of the bootstrap and of three corrections:

- *Few images.* The error rests on k images, k = sum u^2 / max u^2, where u is the influence of an image (jackknife):
  all the change may come from three images of 300. The reach is Student's, with the degrees of freedom that
  Satterthwaite (1946, Biometrics Bulletin 2:110-114) gives to a variance of so few, times sqrt(1 + z^2 / 4k), which
  turns the normal interval of a Poisson count k into its score interval. If no image changed there is no effect to
  measure: 100 points are assumed for a share of z^2 / n of the images, the share that may have stayed unseen. That is
  Tango's interval without a flip. Images without ground truth, on which no score depends, do not count in n.
- *Skewness.* The score interval of a Poisson count is also moved, by z^2 / 2 standard errors times the skewness. Here
  that is the skewness of the influences, and outwards only: few images say too little about it to narrow an interval.
- *Bias.* mAP is higher on fewer images, precision being an upper envelope, and its drop is smaller. Halves of the
  images show how fast that goes: a bias that falls as n^-a is the difference that halving makes, over 2^a - 1. It falls
  as 1 / n for smooth scores, and as slowly as n^(-1/3) for envelopes (Prakasa Rao 1969, Sankhya A 31:23-36, for the
  estimator of Grenander). Few images do not show which, so there is room for both. The value itself is not changed.

The loss of images too rare to be drawn is not included, unless nothing changed at all: `unseen_drop` in `power` says
how large it may be, and docs/explanation/verdicts.md why the interval is not widened by it.

No quantile of the replicates is used: at a confidence of 0.999 the tails of 2000 of them are noise.
"""

from __future__ import annotations

from math import inf, pi, sqrt, tan
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Interval
from compress_guard.verdict.resampling import NOTHING, resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.scorer import Scorer
    from compress_guard.verdict.grouped.groups import Groups
    from compress_guard.verdict.resampling import Resampled

_SLOWEST: Final = 1 / 3


def interval(  # noqa: PLR0913 - two samples of one score and how they are resampled
    clean: Scorer | None,
    compressed: Scorer,
    value: float,
    images: int,
    seed: int,
    confidence: float,
    bounds: tuple[float, float],
    groups: Groups | None = None,
) -> Interval:
    """Return the interval of the drop from `clean` to `compressed`, or of the score if `clean` is None.

    Both scorers are of the same `images` images in the same order; `value` is their drop, or the score, in points, and
    `bounds` is its possible range; 0 < confidence < 1. low <= value <= high always. The same seed gives the same
    interval. A single image, or a score that depends on a single image, says nothing: the interval is then `bounds`.
    Images without ground truth do not count. With `groups` all of this holds for groups in the place of images.
    """
    if images < 2 or (groups is not None and groups.count < 2):
        return Interval(value, *bounds)
    sample = resampled(compressed, images, seed, groups)
    if clean is not None:
        sample = resampled(clean, images, seed, groups) - sample
    return interval_of(sample, value, images if groups is None else groups.effective, confidence, bounds)


def interval_of(
    sample: Resampled,
    value: float,
    images: float,
    confidence: float,
    bounds: tuple[float, float],
    *,
    rare: bool = True,
    image: float = 0.0,
) -> Interval:
    """Return the interval of resampled scores, see `interval`; of groups, `images` is their effective number.

    `image` is what a single image may change, in points of its own, where that is known and may be more than any image
    of the sample shows: 100 for means of flags, of which an image may lose some or all.

    Without `rare` no room is left for images of large effect that the sample does not show: a score that no image moves
    has an interval of no width, and one that a single image moves has a narrow one.
    """
    drawn = sample.replicates[np.isfinite(sample.replicates)]
    if not drawn.size or sample.parts < 2 or not np.isfinite(sample.left_out).all():
        return Interval(value, *bounds)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    influences = (len(sample.left_out) - 1) * (sample.left_out.mean() - sample.left_out)
    # The number of images that leaves this many groups empty; with one image in each group, the number itself.
    quiet, size = 1 - sample.parts / len(influences), max(1.0, images / len(influences))
    informative = images * (1 - quiet ** (1 / size))
    error = float(drawn.std()) * sqrt(informative / (informative - 1))
    influence = max(float(np.abs(influences).max()), image / size)
    below, above = _reach(influences, error, (sample.parts, influence), informative if rare else inf, z)
    bias = _bias(sample.halves, value)
    low = max(value - max(bias) - below, bounds[0])
    high = min(value - min(bias) + above, bounds[1])
    return Interval(value, min(low, value), max(high, value), informative)


def unseen(images: float, z: float) -> float:
    """Return the reach of the interval to either side, in points, if none of `images` informative images changed."""
    return 100 * z * z / images


def _reach(
    influences: NDArray[np.float64], error: float, bulk: tuple[int, float], informative: float, z: float
) -> tuple[float, float]:
    """Return the reach of the interval below and above, in points, without bias.

    The influences have mean 0. `bulk` says how many of them belong to the `informative` images, whose number is
    infinite if nothing may have stayed unseen, and the largest influence that there may be.
    """
    parts, largest = bulk
    if float(np.abs(influences).max()) < NOTHING:
        return unseen(informative, z), unseen(informative, z)
    squares = float(np.sum(influences**2))
    k = squares / largest**2
    freedom = min(2 / max(1 / k - 1 / parts, 1e-12), informative - 1)
    reach = error * student(z, freedom) * sqrt(1 + z * z / (4 * k))
    skew = error * z * z / 2 * float(np.sum(influences**3)) / squares**1.5
    # At a high confidence Student's t for the variance of one or two images is longer than any k images allow.
    rarest = 0.0 if informative == inf else 100 / parts
    most = max(rarest, largest / len(influences)) * (z * z / 2 + z * sqrt(k + z * z / 4))
    return min(reach + max(-skew, 0.0), most), min(reach + max(skew, 0.0), most)


def _bias(halves: NDArray[np.float64], value: float) -> tuple[float, float]:
    """Return the bias of the score in points if it falls as 1 / images, and if it falls as slowly as possible."""
    defined = halves[np.isfinite(halves)]
    if not defined.size:
        return 0.0, 0.0
    halving = float(defined.mean()) - value
    return halving, halving / (2**_SLOWEST - 1)


def student(z: float, freedom: float) -> float:
    """Return Student's t quantile for the normal quantile z (Abramowitz and Stegun 1964, 26.7.5).

    The error is below 1 % for 95 % and 2 degrees of freedom, and smaller above. Below that the series is too short, and
    the quantile is that of one degree, Cauchy's.
    """
    if freedom < 1.5:
        return tan(pi * (NormalDist().cdf(z) - 0.5))
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, start=1))
