from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.verdict import wilson


@st.composite
def counts(draw):
    images = draw(st.integers(1, 1000))
    return images, draw(st.integers(0, images))


@settings(deadline=None, max_examples=50)
@given(counts(), st.floats(0.5, 0.9999))
def test_the_estimate_lies_inside(counted, confidence):
    images, right = counted
    interval = wilson.score_interval(images, right, confidence)
    assert interval.value == 100 * (right / images)
    assert 0 <= interval.low <= interval.value <= interval.high <= 100
    assert interval.low < interval.high


def surprise(images, right, share, z):
    """The surplus of right images in standard deviations, less what the long tail of skewed counts explains."""
    skewness = (1 - 2 * share) / sqrt(images * share * (1 - share))
    return (right / images - share) / sqrt(share * (1 - share) / images) - max(skewness, 0) * max(z**2 - 1, 0) / 6


@settings(deadline=None, max_examples=50)
@given(counts(), st.floats(0.5, 0.9999))
def test_the_ends_are_where_the_score_test_just_rejects(counted, confidence):
    images, right = counted
    interval = wilson.score_interval(images, right, confidence)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    low, high = interval.low / 100, interval.high / 100
    if low > 1e-9:
        assert surprise(images, right, low, z) == pytest.approx(z, rel=1e-5)
    if high < 1 - 1e-9:
        assert surprise(images, images - right, 1 - high, z) == pytest.approx(z, rel=1e-5)


def test_published_intervals_where_nothing_is_corrected():
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3: 81 of 263 is 0.2553 to 0.3662, and 0 of 20 is
    # 0 to 0.1611. The correction moves the end that lies towards the nearer edge.
    interval = wilson.score_interval(263, 81, 0.95)
    assert round(interval.high, 2) == 36.62
    assert 25.4 < interval.low < 25.53
    interval = wilson.score_interval(20, 0, 0.95)
    assert (interval.low, round(interval.high, 2)) == (0, 16.11)


@settings(deadline=None, max_examples=50)
@given(counts(), st.floats(0.5, 0.9999))
def test_right_and_wrong_images_mirror_each_other(counted, confidence):
    images, right = counted
    forth, back = (wilson.score_interval(images, count, confidence) for count in (right, images - right))
    assert (forth.low, forth.high) == pytest.approx((100 - back.high, 100 - back.low))


@settings(deadline=None, max_examples=50)
@given(counts(), st.floats(0.5, 0.9999), st.floats(0.5, 0.9999))
def test_more_confidence_is_a_wider_interval(counted, one, other):
    images, right = counted
    narrow = wilson.score_interval(images, right, min(one, other))
    wide = wilson.score_interval(images, right, max(one, other))
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9


def test_counts_may_be_arrays():
    low, high = wilson.bounds(50, [0, 3, 50], 0.95)
    assert np.all(np.diff(low) > 0)
    assert np.all(np.diff(high) > 0)
    for at, right in enumerate([0, 3, 50]):
        single = wilson.score_interval(50, right, 0.95)
        assert (100 * low[at], 100 * high[at]) == pytest.approx((single.low, single.high))
