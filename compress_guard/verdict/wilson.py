"""The score interval of one proportion (Wilson 1927, Journal of the American Statistical Association 22:209-212)."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

from compress_guard.records import Interval


def score_interval(images: int, right: int, confidence: float) -> Interval:
    """The mean of flags in points, `right` of `images` >= 1 being set, with its interval; 0 < confidence < 1."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = right / images
    centre = share + z * z / (2 * images)
    reach = z * sqrt(share * (1 - share) / images + (z / (2 * images)) ** 2)
    scale = 1 + z * z / images
    low, high = (centre - reach) / scale, (centre + reach) / scale
    # At 0 and at all the formula gives the end itself but for rounding.
    return Interval(100 * share, 100 * max(0.0, min(low, share)), 100 * min(1.0, max(high, share)))
