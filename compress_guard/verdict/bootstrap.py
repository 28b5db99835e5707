"""The interval of a score that is no mean of flags, or of its drop: mAP, mIoU, pixel accuracy.

One resampling of the images serves every metric, codec and rate of a guard. Plain percentiles of the replicates are not
enough: of samples of 100 out of 20 000 scenes they cover the drop in mAP 7 or 8 times in 10 where they should 19 times
in 20. `python -m benchmarks.coverage.resampled` compares them, and others, with the interval that is used here. That is
made of the standard error of the bootstrap and of three corrections:

- *Few images.* The error rests on k images, k = sum u^2 / max u^2, where u is the influence of an image (jackknife):
  all the change may come from three images of 300. The reach is Student's, with the degrees of freedom that
  Satterthwaite (1946, Biometrics Bulletin 2:110-114) gives to a variance of so few, times sqrt(1 + z^2 / 4k), which
  turns the normal interval of a Poisson count k into its score interval. Where no image changed there is no effect to
  go by: 100 points are assumed, for a share of z^2 / n of the images, as many as may have stayed unseen. That is
  Tango's interval without a flip. Images that no score rests on, as they have no ground truth, are none of the n.
- *Skewness.* The score interval of a Poisson count is also moved, by z^2 / 2 standard errors times the skewness. Here
  that is the skewness of the influences, and outwards only: few images tell too little of it to narrow an interval.
- *Bias.* mAP is higher on fewer images, precision being an upper envelope, and its drop is smaller. Halves of the
  images show how fast that goes: a bias that falls as n^-a is the difference that halving makes, over 2^a - 1. It falls
  as 1 / n for smooth scores, and as slowly as n^(-1/3) for envelopes (Prakasa Rao 1969, Sankhya A 31:23-36, for the
  estimator of Grenander). Few images do not tell which, so there is room for both. The value itself stays as it is.

No quantile of the replicates is in it: at a confidence of 0.999 the tails of 2000 of them are noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt, tan
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, final

import numpy as np

from compress_guard.records import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Scorer

RESAMPLES: Final = 2000
GROUPS: Final = 1000
"""Most parts that are left out in turn; more images than that are left out several at a time."""
_HALVINGS: Final = 50
_SLOWEST: Final = 1 / 3
_CHUNK: Final = 2_000_000
"""Weights that are drawn and scored at once: 16 MB of float64, whatever the number of images."""
_NOTHING: Final = 1e-9
"""Points of influence that are rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """The score, in points, of data sets made of the same images; NaN where one leaves it undefined.

    The difference of two over the same images with the same seed is that of the drop.
    """

    replicates: NDArray[np.float64]
    """(resamples,) as many images, drawn with replacement."""
    halves: NDArray[np.float64]
    """(2 x 50,) random halves, each followed by the other half."""
    left_out: NDArray[np.float64]
    """(min(images, GROUPS),) without one image each, or one group of images."""
    informative: NDArray[np.bool_] | None = None
    """Whether the score rests on those: not on images without ground truth. None: on all of them."""

    def __sub__(self, other: Resampled) -> Resampled:
        sides = self.informative, other.informative
        return Resampled(
            self.replicates - other.replicates,
            self.halves - other.halves,
            self.left_out - other.left_out,
            None if sides[0] is None or sides[1] is None else sides[0] | sides[1],
        )

    @property
    def parts(self) -> int:
        """How many of those the score rests on."""
        return len(self.left_out) if self.informative is None else int(self.informative.sum())

    @classmethod
    def of(cls, scorer: Scorer, images: int, seed: int, resamples: int = RESAMPLES) -> Resampled:
        """Of a scorer over at least two images."""
        left_out = np.concatenate([scorer(weights) for weights in _without(images)])
        return cls(
            replicates(scorer, images, seed, resamples),
            np.concatenate([scorer(weights) for weights in _halves(images, seed)]),
            left_out,
            _informative(scorer, images, left_out),
        )


@final
class Remembered:
    """A scorer that keeps what resampling gave: wrap the clean one, which every cell of a guard is compared with."""

    __slots__ = ("_replicates", "_resampled", "_scorer")

    def __init__(self, scorer: Scorer) -> None:
        self._scorer: Final = scorer
        self._replicates: Final[dict[tuple[int, int, int], NDArray[np.float64]]] = {}
        self._resampled: Final[dict[tuple[int, int], Resampled]] = {}

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

    def resampled(self, images: int, seed: int) -> Resampled:
        key = (images, seed)
        if key not in self._resampled:
            self._resampled[key] = Resampled.of(self, images, seed)
        return self._resampled[key]


def interval(
    clean: Scorer | None,
    compressed: Scorer,
    value: float,
    images: int,
    seed: int,
    confidence: float,
    bounds: tuple[float, float],
) -> Interval:
    """The interval of the drop from `clean` to `compressed`, or without `clean` of the score; see the module.

    Both scorers are of the same `images` images in the same order; `value` is their drop, or the score, in points, and
    `bounds` what it could be at all; 0 < confidence < 1. low <= value <= high always. The same seed gives the same
    interval. A single image, or a score that a single image decides on, says nothing: the interval is then `bounds`.
    Images without ground truth do not count.
    """
    if images < 2:
        return Interval(value, *bounds)
    sample = resampled(compressed, images, seed)
    if clean is not None:
        sample = resampled(clean, images, seed) - sample
    return interval_of(sample, value, images, confidence, bounds)


def resampled(scorer: Scorer, images: int, seed: int) -> Resampled:
    """What resampling makes of a scorer over at least two images, remembered where it is `Remembered`."""
    if isinstance(scorer, Remembered):
        return scorer.resampled(images, seed)
    return Resampled.of(scorer, images, seed)


def interval_of(
    sample: Resampled, value: float, images: int, confidence: float, bounds: tuple[float, float]
) -> Interval:
    """See `interval`."""
    drawn = sample.replicates[np.isfinite(sample.replicates)]
    if not drawn.size or sample.parts < 2 or not np.isfinite(sample.left_out).all():
        return Interval(value, *bounds)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    influences = (len(sample.left_out) - 1) * (sample.left_out.mean() - sample.left_out)
    # As many images as leave so many groups without one; that is the number itself where each is left out on its own.
    quiet, size = 1 - sample.parts / len(influences), images / len(influences)
    informative = images * (1 - quiet ** (1 / size))
    error = float(drawn.std()) * sqrt(informative / (informative - 1))
    below, above = _reach(influences, error, sample.parts, informative, z)
    bias = _bias(sample.halves, value)
    low = max(value - max(bias) - below, bounds[0])
    high = min(value - min(bias) + above, bounds[1])
    return Interval(value, min(low, value), max(high, value))


def unseen(images: float, z: float) -> float:
    """How far the interval reaches either way where none of `images` informative images changed, in points."""
    return 100 * z * z / images


def _reach(
    influences: NDArray[np.float64], error: float, parts: int, informative: float, z: float
) -> tuple[float, float]:
    """How far the interval reaches below and above, in points, without bias.

    The influences have mean 0; `parts` of them are of images that tell something, of which there are `informative`.
    """
    largest = float(np.abs(influences).max())
    if largest < _NOTHING:
        return unseen(informative, z), unseen(informative, z)
    squares = float(np.sum(influences**2))
    k = squares / largest**2
    freedom = min(2 / max(1 / k - 1 / parts, 1e-12), informative - 1)
    reach = error * student(z, freedom) * sqrt(1 + z * z / (4 * k))
    skew = error * z * z / 2 * float(np.sum(influences**3)) / squares**1.5
    # Student's t for the variance of one or two images is far longer at a high confidence than any k images can bear.
    most = max(100 / parts, largest / len(influences)) * (z * z / 2 + z * sqrt(k + z * z / 4))
    return min(reach + max(-skew, 0.0), most), min(reach + max(skew, 0.0), most)


def _bias(halves: NDArray[np.float64], value: float) -> tuple[float, float]:
    """The bias of the score in points if it falls as 1 / images, and if it falls as slowly as it may."""
    defined = halves[np.isfinite(halves)]
    if not defined.size:
        return 0.0, 0.0
    halving = float(defined.mean()) - value
    return halving, halving / (2**_SLOWEST - 1)


def replicates(scorer: Scorer, images: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.float64]:
    """The score, in points, of `resamples` data sets drawn with replacement from the images: shape (resamples,).

    Replicate r of two scorers over the same images with the same seed rests on the same draw, so that their difference
    is a paired replicate of the drop. NaN where a draw leaves the score undefined.
    """
    if isinstance(scorer, Remembered):
        return scorer.replicates(images, seed, resamples)
    return np.concatenate([scorer(weights) for weights in draws(images, seed, resamples)])


def draws(images: int, seed: int, resamples: int = RESAMPLES) -> Iterator[NDArray[np.float64]]:
    """How often each image stands in each draw: (R, images) in chunks; multinomial, the same for any chunk size."""
    generator = np.random.default_rng(seed % 2**64)
    chunk = max(1, _CHUNK // images)
    for start in range(0, resamples, chunk):
        rows = min(chunk, resamples - start)
        drawn = generator.integers(0, images, size=(rows, images)) + images * np.arange(rows)[:, np.newaxis]
        counts = np.bincount(drawn.reshape(-1), minlength=rows * images)
        yield counts.reshape(rows, images).astype(np.float64)


def _halves(images: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """Random halves (2, images) by twos: an image is in one of them, the last of an odd number half in both.

    So the mean of two halves is the whole for a score that is linear in the weights: only bias is left.
    """
    generator = np.random.default_rng([seed % 2**64, images])
    for _ in range(_HALVINGS):
        order = generator.permutation(images)
        weights = np.zeros((2, images))
        weights[0, order[: images // 2]] = 1
        weights[1, order[images // 2 : images // 2 * 2]] = 1
        weights[:, order[images // 2 * 2 :]] = 0.5
        yield weights


def _without(images: int) -> Iterator[NDArray[np.float64]]:
    """All images but one, or but those of a group: (R, images) in chunks, each image left out once."""
    groups = np.arange(images) % min(images, GROUPS)
    chunk = max(1, _CHUNK // images)
    for start in range(0, groups.max() + 1, chunk):
        left_out = np.arange(start, min(start + chunk, groups.max() + 1))
        yield (groups != left_out[:, np.newaxis]).astype(np.float64)


def _informative(scorer: Scorer, images: int, left_out: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the parts that are left out in turn the score rests on: (min(images, GROUPS),).

    Those that change it, and those that have a score on their own: an image that is just as good as the mean of all
    does not change it either.
    """
    found: NDArray[np.bool_] = np.abs(left_out - scorer(np.ones((1, images)))) >= _NOTHING
    found |= np.isnan(left_out)
    start = 0
    for weights in _without(images):
        quiet = start + np.flatnonzero(~found[start : start + len(weights)])
        if quiet.size:
            found[quiet] = np.isfinite(scorer(1 - weights[quiet - start]))
        start += len(weights)
    return found


def student(z: float, freedom: float) -> float:
    """Student's t quantile that belongs to the normal quantile z (Abramowitz and Stegun 1964, 26.7.5).

    Within 1 % of t for 95 % and 2 degrees of freedom, closer above. Below that the series is too short: the quantile is
    the one of a single degree, Cauchy's.
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
