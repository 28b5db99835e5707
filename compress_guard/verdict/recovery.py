"""Recovery: the share of a drop that finetuning brought back, its interval over images, and its verdict.

The share is a ratio of two differences over the same images. Fieller (1954, Some problems in interval estimation,
Journal of the Royal Statistical Society B 16:175-185) inverts the test of numerator - share x denominator = 0: the
interval holds the shares that the test does not reject. His test is Student's, from the joint covariance of both; here
it is the interval of `bootstrap` over the joint replicates of numerator - share x denominator, with all of its
corrections (few images, skewness, bias). `python -m benchmarks.coverage.recovered` compares it with others.

Shares are tried by their angle, tan(angle) = share, between minus and plus a right angle. At a right angle the test is
that of the denominator alone: the interval has two ends exactly if the drop is clear of 0; else no share is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from math import atan2, cos, inf, isnan, pi, sin, tan
from operator import or_
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Interval, Share
from compress_guard.verdict import bootstrap, sentence
from compress_guard.verdict.grouped.groups import Sampled
from compress_guard.verdict.resampling import NOTHING, Resampled, resampled

if TYPE_CHECKING:
    from compress_guard.records import Verdict
    from compress_guard.tasks.scorer import Scorer
    from compress_guard.verdict.grouped.groups import Groups

_STEPS: Final = 64
"""Number of angles tried on either side of the value; then the step beyond the last one that holds is halved."""
_HALVINGS: Final = 30
_BOUNDS: Final = (-100.0, 100.0)


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """Two differences of scores over the same images, in points, with their resampled scores."""

    numerator: float
    denominator: float
    above: Resampled
    below: Resampled
    images: float
    """Number of images, or effective number of groups, that both were resampled from."""
    confidence: float
    """0 < confidence < 1."""

    @property
    def value(self) -> float:
        return self.numerator / self.denominator

    def divisor(self) -> Interval:
        """Return the denominator with its interval."""
        return bootstrap.interval_of(self.below, self.denominator, self.images, self.confidence, _BOUNDS)

    def ends(self) -> tuple[float, float]:
        """Return both ends of the interval of the ratio, for a denominator whose interval is above 0."""
        start = atan2(self.numerator, self.denominator)
        room = self._room(start)
        low, high = (tan(self._end(start, limit, room)) for limit in (-pi / 2, pi / 2))
        return min(low, self.value), max(high, self.value)

    def _end(self, start: float, limit: float, room: float) -> float:
        """Return the outermost angle towards the limit that the test does not reject."""
        angles = np.linspace(start, limit, _STEPS + 1).tolist()
        held = max(at for at, angle in enumerate(angles) if at == 0 or self._holds(angle, room))
        inside, outside = angles[held], angles[min(held + 1, _STEPS)]
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if self._holds(middle, room) else (inside, middle)
        return float(inside)

    def _holds(self, angle: float, room: float) -> bool:
        weights = cos(angle), sin(angle)
        rest = weights[0] * self.numerator - weights[1] * self.denominator
        if abs(rest) <= room * weights[0]:
            return True
        sample = _combined((self.above, self.below), (weights[0], -weights[1]))
        interval = bootstrap.interval_of(sample, rest, self.images, self.confidence, (-inf, inf))
        return interval.low <= 0 <= interval.high

    def _room(self, angle: float) -> float:
        """Return the points that stay open if every image recovered the very same share, such as its whole drop.

        Images with another share may have stayed unseen, as many as `bootstrap` allows for if nothing changed.
        """
        rest = _combined((self.above, self.below), (cos(angle), -sin(angle)))
        if np.ptp(rest.left_out) * len(rest.left_out) >= NOTHING:
            return 0.0
        z = NormalDist().inv_cdf((1 + self.confidence) / 2)
        return bootstrap.unseen(self.images, z)


def share(
    finetuned: Sequence[Scorer],
    compressed: Sequence[Scorer],
    whole: Sequence[Scorer],
    images: int,
    seed: int,
    confidence: float,
    groups: Groups | None = None,
) -> Share:
    """Return (finetuned - compressed) / (whole - compressed) with its interval; each side is a mean over its scorers.

    All scorers are over the same `images` images in the same order; a side has one scorer per training seed, or a
    single one (the original). The original's `compressed` and its clean score as `whole` make the share recovered, the
    control's the share beyond the control. The interval is over images at 0 < confidence < 1 and is the same for the
    same `seed`; `Share.seeds` shows how much seeds differ: those of one number are compared with each other.

    There is no value if the interval of the drop whole - compressed is not above 0, or for fewer than two images;
    `Share.reason` then says so. low <= value <= high always. With the `groups` of these images, the interval is over
    groups, of which there must be two. Pass a scorer that several shares have in common as `Remembered`. Raises
    ValueError if a side has neither one scorer nor one per seed.
    """
    sides = (finetuned, compressed, whole)
    seeds = max(len(side) for side in sides)
    if any(len(side) not in (1, seeds) for side in sides):
        raise ValueError(
            f"sides of {', '.join(str(len(side)) for side in sides)} scorers; expected one or {seeds} each"
        )
    if images < 2:
        return Share(None, reason=f"{images} {'image' if images == 1 else 'images'}: a share needs at least 2")
    if groups is not None and groups.count < 2:
        return Share(None, reason=f"all {images} images are in one group: a share needs at least 2 groups")
    scores = [[float(scorer(np.ones((1, images)))[0]) for scorer in side] for side in sides]
    if any(isnan(score) for side in scores for score in side):
        return Share(None, reason=f"a score is undefined: {images} images without ground truth for it")
    ratio = _ratio(sides, scores, Sampled(images, seed, groups), confidence)
    divisor = ratio.divisor()
    if divisor.low <= 0:
        return Share(None, reason=_no_drop(divisor, confidence))
    return Share(ratio.value, *ratio.ends(), seeds=_by_seed(scores, seeds))


def judge_recovery(
    shares: Sequence[Share], min_recovered: float | None, places: Sequence[str] = ()
) -> tuple[Verdict, str]:
    """Return the verdict on the shares that one model recovered at each rate it was trained for, and its sentence.

    With several shares, the sentence names each by its entry of `places`.

    Recovery has to be shown: `fail` if the lower end of any share's interval is below min_recovered, 0 to 1; `pass` if
    all are at or above it. `inconclusive` if a drop is too small for a share, or a share has no interval, and no other
    fails. No min_recovered: `unjudged`. Raises ValueError for no share at all.
    """
    if not shares:
        raise ValueError("no share to judge; expected one for each rate that the model was trained for")
    known = [share for share in shares if share.value is not None]
    # A reason ends with what to do; the limit must not read as a part of that.
    text = _sentence(shares, min_recovered, places) + (", " if known else "; ")
    if min_recovered is None:
        return "unjudged", f"{text}no limit is set"
    text += f"at least {_percent(min_recovered, _digits(shares, min_recovered))} % asked"
    short = [share for share in known if share.low is not None and share.low < min_recovered]
    if short:
        surprising = any(share.value is not None and share.value >= min_recovered for share in short)
        return "fail", text + (" of the lower end" if surprising else "")
    sure = len(known) == len(shares) and all(share.low is not None for share in known)
    return ("pass" if sure else "inconclusive"), text


def _ratio(
    sides: Sequence[Sequence[Scorer]], scores: Sequence[Sequence[float]], sampled: Sampled, confidence: float
) -> Ratio:
    drawn: dict[int, Resampled] = {}
    groups = sampled.groups
    for side in sides:
        for scorer in side:
            if id(scorer) not in drawn:
                drawn[id(scorer)] = resampled(scorer, sampled.images, sampled.seed, groups)
    means = [_combined([drawn[id(scorer)] for scorer in side], [1 / len(side)] * len(side)) for side in sides]
    finetuned, compressed, whole = (sum(side) / len(side) for side in scores)
    # All three sides are in both: as in Fieller's test, images that any side depends on count for the denominator too.
    above, below = _combined(means, (1, -1, 0)), _combined(means, (0, -1, 1))
    units = sampled.images if groups is None else groups.effective
    return Ratio(finetuned - compressed, whole - compressed, above, below, units, confidence)


def _combined(samples: Sequence[Resampled], weights: Sequence[float]) -> Resampled:
    """Return the weighted sum; it depends on every image that one of the samples depends on."""
    informative = [sample.informative for sample in samples if sample.informative is not None]
    return Resampled(
        np.tensordot(weights, [sample.replicates for sample in samples], axes=1),
        np.tensordot(weights, [sample.halves for sample in samples], axes=1),
        np.tensordot(weights, [sample.left_out for sample in samples], axes=1),
        reduce(or_, informative) if len(informative) == len(samples) else None,
    )


def _by_seed(scores: Sequence[Sequence[float]], seeds: int) -> tuple[float, ...]:
    """Return the share of each seed alone; none if a seed has no drop."""
    shares = []
    for number in range(seeds):
        finetuned, compressed, whole = (side[number % len(side)] for side in scores)
        if whole - compressed <= 0:
            return ()
        shares.append((finetuned - compressed) / (whole - compressed))
    return tuple(shares)


def _no_drop(drop: Interval, confidence: float) -> str:
    value, low, high = (sentence.number(end) for end in (drop.value, drop.low, drop.high))
    return (
        f"the drop of {value} points ({100 * confidence:g} % interval {low} to {high}) is too small to divide by; "
        "take more images or a lower rate"
    )


def _sentence(shares: Sequence[Share], limit: float | None, places: Sequence[str]) -> str:
    digits = _digits(shares, limit)
    names = places if len(shares) > 1 and len(places) == len(shares) else [""] * len(shares)
    placed = list(zip(shares, names, strict=True))
    parts = [
        f"{_in_words(share, digits)} of the drop{place and f' at {place}'}"
        for share, place in placed
        if share.value is not None
    ]
    reasons = [f"{place and f'at {place} '}{share.reason}" for share, place in placed if share.value is None]
    return "; ".join([*reasons, *([f"recovered {' and '.join(parts)}"] if parts else [])])


def _in_words(share: Share, digits: int) -> str:
    assert share.value is not None
    if share.low is None or share.high is None:
        return f"{_percent(share.value, digits)} % (no interval)"
    return f"{_percent(share.value, digits)} % ({_percent(share.low, digits)} to {_percent(share.high, digits)} %)"


def _percent(share: float, digits: int) -> str:
    return sentence.number(100 * share, digits)


def _digits(shares: Sequence[Share], limit: float | None) -> int:
    numbers = tuple(100 * end for share in shares for end in (share.low, share.value, share.high) if end is not None)
    return sentence.decimals(numbers, None if limit is None else 100 * limit)
