"""Intervals of a paired difference of proportions that the product does not use, to compare its own with.

All take the number of images, float arrays of one shape that count lost ones (right clean, wrong compressed), gained
ones (the other way round) and those right both times, and the confidence; all give both ends, between -1 and 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from compress_guard.verdict import paired

Counts: TypeAlias = NDArray[np.float64]
Ends: TypeAlias = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Method:
    """A way to make an interval of counted images."""

    name: str
    bounds: Callable[[int, Counts, Counts, Counts, float], Ends]
    pairs: bool = True
    """True if the method uses only lost and gained images, not those that are right both times."""


def wald(images: int, lost: Counts, gained: Counts, both: Counts, confidence: float) -> Ends:
    """Return the estimate and z standard errors either way: what a bootstrap comes to."""
    del both
    return _symmetric(lost / images, gained / images, images, confidence)


def bonett_price(images: int, lost: Counts, gained: Counts, both: Counts, confidence: float) -> Ends:
    """Return Wald's interval with one lost and one gained image more (2012, J. Educ. Behav. Stat. 37:479)."""
    del both
    return _symmetric((lost + 1) / (images + 2), (gained + 1) / (images + 2), images + 2, confidence)


def tango(images: int, lost: Counts, gained: Counts, both: Counts, confidence: float) -> Ends:
    """Return Tango's score interval (1998, Statistics in Medicine 17:891-908)."""
    del both
    return _score_ends(images, lost, gained, confidence, skewness=False)


def skewed(images: int, lost: Counts, gained: Counts, both: Counts, confidence: float) -> Ends:
    """Return Tango's interval, corrected for skewness at both ends, narrower or wider (Laud 2017)."""
    del both
    return _score_ends(images, lost, gained, confidence, skewness=True)


def newcombe(images: int, lost: Counts, gained: Counts, both: Counts, confidence: float) -> Ends:
    """Return the hybrid of two Wilson intervals, method 10 of Newcombe (1998, Statistics in Medicine 17:2635-2650)."""
    neither = images - lost - gained - both
    clean, compressed = both + lost, both + gained
    low, high = _wilson(images, clean, confidence)
    low_compressed, high_compressed = _wilson(images, compressed, confidence)
    product = clean * (images - clean) * compressed * (images - compressed)
    surplus = both * neither - lost * gained
    surplus = np.where(surplus > 0, np.maximum(surplus - images / 2, 0.0), surplus)
    phi = np.divide(surplus, np.sqrt(product), out=np.zeros_like(product), where=product > 0)
    difference = (clean - compressed) / images
    fall, rise = clean / images - low, high - clean / images
    fall_compressed, rise_compressed = compressed / images - low_compressed, high_compressed - compressed / images
    below = np.sqrt(np.maximum(fall**2 - 2 * phi * fall * rise_compressed + rise_compressed**2, 0.0))
    above = np.sqrt(np.maximum(rise**2 - 2 * phi * rise * fall_compressed + fall_compressed**2, 0.0))
    return difference - below, difference + above


def ours(images: int, lost: Counts, gained: Counts, both: Counts, confidence: float) -> Ends:
    """Return the interval that the product uses."""
    del both
    return paired.bounds(images, lost, gained, confidence)


TANGO = Method("Tango", tango)
CHOICE = Method("compress_guard", ours)
WALD = Method("Wald", wald)
METHODS = (
    WALD,
    Method("Bonett-Price", bonett_price),
    Method("Newcombe", newcombe, pairs=False),
    TANGO,
    Method("Tango, skewness at both ends", skewed),
    CHOICE,
)


def _symmetric(lost: Counts, gained: Counts, images: int, confidence: float) -> Ends:
    difference = lost - gained
    reach = _z(confidence) * np.sqrt(np.maximum(lost + gained - difference**2, 0.0) / images)
    return np.maximum(difference - reach, -1.0), np.minimum(difference + reach, 1.0)


def _wilson(images: int, right: Counts, confidence: float) -> Ends:
    z = _z(confidence)
    share, scale = right / images, 1 + z * z / images
    centre = (share + z * z / (2 * images)) / scale
    reach = z * np.sqrt(share * (1 - share) / images + (z / (2 * images)) ** 2) / scale
    return np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)


def _score_ends(images: int, lost: Counts, gained: Counts, confidence: float, *, skewness: bool) -> Ends:
    z = _z(confidence)
    factor = (z * z - 1) / 6 if skewness else 0.0
    return _score_end(images, lost, gained, z, factor), -_score_end(images, gained, lost, z, factor)


def _score_end(n: int, lost: Counts, gained: Counts, z: float, factor: float) -> NDArray[np.float64]:
    """Return the lower end by bisection, from the formulas in the paper's own form."""
    surplus = lost - gained
    outside, inside = np.full(surplus.shape, -1.0), surplus / n
    for _ in range(50):
        delta = (outside + inside) / 2
        b = (2 * n - surplus) * delta - lost - gained
        p = (np.sqrt(np.maximum(b * b + 8 * n * gained * delta * (1 - delta), 0.0)) - b) / (4 * n)
        variance = np.maximum(2 * p + delta * (1 - delta), 1e-12)
        third = delta - 3 * delta * (2 * p + delta) + 2 * delta**3
        rejected = surplus - n * delta - factor * third / variance > z * np.sqrt(n * variance)
        outside, inside = np.where(rejected, delta, outside), np.where(rejected, inside, delta)
    return outside


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
