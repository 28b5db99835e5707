"""Score intervals of flags whose images come in groups: those of `paired` and `wilson` at an effective size.

Images of one group tell less than as many single ones. The design effect says how much less: the variance of the mean
over random groups, as the sums of the groups show it, over the variance of as many independent images. As Rao and Scott
(1992, A simple method for the analysis of clustered binary data, Biometrics 48:577-585) do, all counts are divided by
it, and then the interval is that of independent images. Three corrections, each of which only widens:

- *Few changes.* The sums of groups without a flip say nothing about the design effect of flips. So one group is added
  whose images are all alike (the largest possible effect) to those that the estimate rests on, k = (sum r^2)^2 / sum
  r^4, where r is the deviation of a group's sum. Without a flip k is 0, and the groups count as single images.
- *Few groups.* Their variance is itself an estimate: the effective size shrinks by (z / t)^2, t being Student's for one
  degree of freedom less than groups (Korn and Graubard 1998, Confidence intervals for proportions with small expected
  number of positive counts estimated from survey data, Survey Methodology 24:193-201).
- An effect below 1, which only chance or stratified groups can give, counts as 1.

`python -m benchmarks.coverage.grouped` counts how often the interval covers the truth.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from compress_guard.records import Interval
from compress_guard.verdict import paired, wilson
from compress_guard.verdict.bootstrap import student

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.verdict.grouped.groups import GroupCount, Groups


def drop_interval(
    clean: NDArray[np.bool_], compressed: NDArray[np.bool_], groups: Groups, confidence: float
) -> Interval:
    """Return the drop of a mean of flags (images,), in points, with its interval; 0 < confidence < 1.

    One group alone says nothing about others: the interval is then -100 to 100.
    """
    lost, gained = int(np.sum(clean & ~compressed)), int(np.sum(compressed & ~clean))
    value = 100 * (lost - gained) / groups.images
    if groups.count < 2:
        return Interval(value, -100.0, 100.0)
    share = effective_share(drop_effect(clean, compressed, groups), groups.count, confidence)
    low, high = paired.bounds(groups.images * share, lost * share, gained * share, confidence)
    return Interval(value, min(100 * float(low), value), max(100 * float(high), value))


def score_interval(flags: NDArray[np.bool_], groups: Groups, confidence: float) -> Interval:
    """Return the mean of flags (images,) in points with its interval, as `drop_interval`."""
    right = int(np.sum(flags))
    value = 100 * right / groups.images
    if groups.count < 2:
        return Interval(value, 0.0, 100.0)
    share = effective_share(design_effect(flags.astype(np.float64), groups), groups.count, confidence)
    low, high = wilson.bounds(groups.images * share, right * share, confidence)
    return Interval(value, min(100 * float(low), value), max(100 * float(high), value))


def drop_effect(clean: NDArray[np.bool_], compressed: NDArray[np.bool_], groups: Groups) -> float:
    """Return the design effect of the drop between two sides of flags (images,)."""
    return design_effect(clean.astype(np.float64) - compressed, groups)


def design_effect(values: NDArray[np.float64], groups: Groups) -> float:
    """Return the design effect of the mean of these values (images,) over at least two groups, 1 or more."""
    mean = float(values.mean())
    squares = (groups.sums(values) - groups.sizes * mean) ** 2
    variance, between = float(np.mean(values**2)) - mean**2, float(squares.sum())
    if variance <= 0 or between <= 0:
        # Without any difference between groups the effect is below 1 wherever images differ at all.
        return groups.alike if variance <= 0 else _shrunk(1.0, 0.0, groups)
    count = groups.count
    observed = between * count / (count - 1) / (groups.images * variance)
    return _shrunk(max(observed, 1.0), between**2 / float(np.sum(squares**2)), groups)


def _shrunk(observed: float, rests_on: float, groups: Groups) -> float:
    """Return the mean of an observed effect, of so many groups, and of one group whose images are alike."""
    return (rests_on * observed + groups.alike) / (rests_on + 1)


def independent(groups: GroupCount, confidence: float) -> float:
    """Return the number of independent images that tell as much as these groups if all images of a group are alike.

    So few count where no prediction changes, and before anything is known of the changes.
    """
    return groups.effective * effective_share(1.0, groups.count, confidence)


def effective_share(effect: float, count: int, confidence: float) -> float:
    """Return the number of independent images that one image stands for, at most 1, where there are `count` groups."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return (z / student(z, count - 1)) ** 2 / effect
