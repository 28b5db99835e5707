"""Knowledge of a model: whether its answers to clean images are better than answers without any knowledge.

A model that is wrong everywhere has nothing to lose: its drop is 0 whatever a codec does. There is one test for each
kind of evidence; each asks whether the *whole* interval lies where an answer without knowledge lies:

- *Labels*: Cohen's kappa at or below 0. Kappa is the agreement beyond chance: (p_o - p_e) / (1 - p_e), p_o the share of
  images where both labels agree and p_e the share to expect if the same labels were dealt out at random. A constant
  answer has exactly 0, on an imbalanced set too, and a model that finds some rare images has more. The interval is by
  Fleiss, Cohen and Everitt (1969, Large sample standard errors of kappa and weighted kappa, Psychological Bulletin
  72:323-327).
- *A score and that of the best constant answer*: their paired difference at or below 0, by the bootstrap.
- *A score alone*: below a least value, by the bootstrap.

Unlike those of verdicts, these intervals leave no room for what the sample does not show: no right answer on any image
means no knowledge. Instead a least number of images is required. With `FEWEST` images and none of them right, a model
that is right one time in ten is ruled out at 97.5 % (0.9^36 = 0.023); with `FEWEST_TELLING` rare images and none of
them found, a detector that finds four of five is ruled out (0.2^5 = 0.0003). `python -m benchmarks.coverage.knowledge`
counts how often a model that knows something is called one that knows nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Interval
from compress_guard.tasks.skill import Agreement, Margin, Skill
from compress_guard.verdict import bootstrap, sentence
from compress_guard.verdict.resampling import NOTHING, resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST: Final = 36
"""Number of images that it takes to say that a model knows nothing."""
FEWEST_TELLING: Final = 5
"""Number of them on which an answer without knowledge is wrong."""
_BOUNDS: Final = (-100.0, 100.0)


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The knowledge that a model showed, with its interval and the least value that counts."""

    name: str
    interval: Interval
    least: float
    reached: bool
    """True if `least` itself is enough; else the value has to exceed it."""
    digits: int
    unit: str = ""

    @property
    def none(self) -> bool:
        """True if the whole interval lies where an answer without knowledge lies."""
        high, least = self.interval.high, self.least
        return high < least - NOTHING if self.reached else high <= least + NOTHING

    @property
    def some(self) -> bool:
        """True if the whole interval lies above an answer without knowledge."""
        low, least = self.interval.low, self.least
        return low >= least + NOTHING if self.reached else low > least + NOTHING

    def sentence(self, confidence: float) -> str:
        """Return ``Cohen's kappa -0.011, 95 % interval -0.013 to -0.010, expected above 0``."""
        numbers = (self.interval.value, self.interval.low, self.interval.high)
        value, low, high = (sentence.number(number, self.digits) for number in numbers)
        wanted = f"{self.least:g} or more" if self.reached else f"above {self.least:g}"
        level = f"{100 * confidence:g} % interval"
        return f"{self.name} {value}{self.unit}, {level} {low} to {high}, expected {wanted}"


def too_few(skill: Skill, images: int) -> str | None:
    """Return why there are too few images to test the knowledge of a model; None if there are enough."""
    if images < FEWEST:
        return f"there {'is 1 image' if images == 1 else f'are {images} images'}, and it takes {FEWEST}"
    if skill.telling < FEWEST_TELLING:
        have = f"{skill.telling} of {images} images {'has' if skill.telling == 1 else 'have'}"
        return f"{have} {skill.told_by}, and it takes {FEWEST_TELLING}"
    return None


def knowledge(skill: Skill, images: int, seed: int, confidence: float, *, sure: bool = True) -> Knowledge | None:
    """Return the knowledge that a model showed on at least one image; None if undefined, as without ground truth.

    The interval holds with 0 < confidence < 1, and is the same for the same seed. Unless `sure`, a value above the
    least gets an interval of no width: resampling takes time, and `none` is False in any case.
    """
    if isinstance(skill.test, Agreement):
        agreement = kappa(skill.test.predicted, skill.test.target, confidence)
        return None if agreement is None else Knowledge("Cohen's kappa", agreement, 0.0, reached=False, digits=3)
    margin = skill.test
    value = _value(margin, images)
    if isnan(value):
        return None
    interval = Interval(value, value, value)  # no sample of a constant answer is another answer
    above = value >= margin.least if margin.baseline is None else value > margin.least + NOTHING
    if not skill.constant and (sure or not above):
        interval = _resampled(margin, value, images, seed, confidence)
    return Knowledge(margin.name, interval, margin.least, margin.baseline is None, digits=2, unit=" points")


def kappa(predicted: NDArray[np.int64], target: NDArray[np.int64], confidence: float) -> Interval | None:
    """Return Cohen's kappa of two labels per image with its interval; None if all labels of both sides are equal.

    The influence of an image is its part of the agreement minus its part of the agreement by chance; their variance is
    that of Fleiss, Cohen and Everitt.
    """
    images = len(target)
    labels, places = np.unique(np.concatenate([predicted, target]), return_inverse=True)
    answers, truth = places[:images], places[images:]
    shares = [np.bincount(side, minlength=len(labels)) / images for side in (answers, truth)]
    # Whole numbers, so that a constant answer has exactly 0, without rounding.
    counts = [np.bincount(side, minlength=len(labels)) for side in (answers, truth)]
    chance, whole = int(np.dot(*counts)), images * images
    if chance == whole:
        return None
    agree = answers == truth
    value = (images * int(agree.sum()) - chance) / (whole - chance)
    by_chance = shares[1][answers] + shares[0][truth]
    influences = (agree - agree.mean()) - (1 - value) * (by_chance - by_chance.mean())
    error = float(np.sqrt(np.mean(influences**2) / images)) / (1 - chance / whole)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    reach = reach if reach > NOTHING else 0.0
    # Without any agreement kappa is at most 0, although with many classes the expected share is uncertain.
    most = 1.0 if agree.any() else 0.0
    return Interval(value, max(value - reach, -1.0), min(value + reach, most))


def _value(margin: Margin, images: int) -> float:
    """Return the score, minus that of the baseline if there is one."""
    weights = np.ones((1, images))
    value = float(margin.scorer(weights)[0])
    return value if margin.baseline is None else value - float(margin.baseline(weights)[0])


def _resampled(margin: Margin, value: float, images: int, seed: int, confidence: float) -> Interval:
    """Return the bootstrap interval of `_value`."""
    if images < 2:
        return Interval(value, *_BOUNDS)
    sample = resampled(margin.scorer, images, seed)
    if margin.baseline is not None:
        sample = sample - resampled(margin.baseline, images, seed)
    return bootstrap.interval_of(sample, value, images, confidence, _BOUNDS, rare=False)
