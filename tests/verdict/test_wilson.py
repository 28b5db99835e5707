from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.verdict import wilson


@st.composite
def counts(draw):
    images = draw(st.integers(1, 1000))
    return images, draw(st.integers(0, images))


@given(counts(), st.floats(0.5, 0.9999))
def test_the_estimate_lies_inside(counted, confidence):
    images, right = counted
    interval = wilson.score_interval(images, right, confidence)
    assert interval.value == 100 * (right / images)
    assert 0 <= interval.low <= interval.value <= interval.high <= 100
    assert interval.low < interval.high


@given(counts(), st.floats(0.5, 0.9999))
def test_the_ends_are_where_the_score_test_just_rejects(counted, confidence):
    images, right = counted
    interval = wilson.score_interval(images, right, confidence)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    for end in (interval.low / 100, interval.high / 100):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(right / images - end) / sqrt(end * (1 - end) / images) == pytest.approx(z, rel=1e-5)


def test_published_interval():
    # Newcombe 1998, Statistics in Medicine 17:857-872, table I, method 3: 81 of 263 is 0.2553 to 0.3662, and 0 of 20 is
    # 0 to 0.1611.
    interval = wilson.score_interval(263, 81, 0.95)
    assert (round(interval.low, 2), round(interval.high, 2)) == (25.53, 36.62)
    interval = wilson.score_interval(20, 0, 0.95)
    assert (interval.low, round(interval.high, 2)) == (0, 16.11)
