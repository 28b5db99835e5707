from __future__ import annotations

from math import log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.coverage import intervals
from compress_guard.verdict import paired


@st.composite
def counts(draw, most=400):
    images = draw(st.integers(1, most))
    lost = draw(st.integers(0, images))
    return images, lost, draw(st.integers(0, images - lost))


def most_likely_gain(n, lost, gained, difference):
    """The share of gained images that maximises the multinomial likelihood, found by ternary search."""

    def likelihood(p):
        shares = ((lost, p + difference), (gained, p), (n - lost - gained, 1 - 2 * p - difference))
        return sum(count * log(max(share, 1e-300)) for count, share in shares if count)

    low, high = max(0.0, -difference), (1 - difference) / 2
    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if likelihood(left) >= likelihood(right) else (left, high)
    return (low + high) / 2


def surprise(n, lost, gained, difference, z):
    """The surplus of lost images in standard deviations, less what the long tail of skewed counts explains."""
    gain = most_likely_gain(n, lost, gained, difference)
    values, shares = np.array([1, 0, -1]), np.array([gain + difference, 1 - 2 * gain - difference, gain])
    variance = shares @ (values - difference) ** 2
    skewness = shares @ (values - difference) ** 3 / variance**1.5 / sqrt(n)
    return (lost - gained - n * difference) / sqrt(n * variance) - max(skewness, 0) * (z**2 - 1) / 6


@pytest.mark.parametrize(
    ("n", "lost", "gained"), [(200, 12, 5), (21, 1, 7), (50, 0, 3), (50, 4, 0), (10, 5, 5), (7, 3, 4), (1000, 40, 90)]
)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_the_ends_are_where_a_profile_likelihood_score_test_just_rejects(n, lost, gained, confidence):
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    low, high = (float(end) for end in paired.bounds(n, lost, gained, confidence))
    if low > -1:
        assert surprise(n, lost, gained, low, z) == pytest.approx(z, rel=1e-5)
    if high < 1:
        assert surprise(n, gained, lost, -high, z) == pytest.approx(z, rel=1e-5)


def test_published_interval_but_for_the_correction():
    # Airway hyper-responsiveness before and after stem cell transplantation, 1, 1, 7 and 12 children of 21: Fagerland,
    # Lydersen and Laake 2014, Statistics in Medicine 33:2850-2875, Tango's interval: -0.517 to -0.026. Where half of
    # the children or more would change, counts lean towards less change, which moves the outer end.
    interval = paired.drop_interval(21, 1, 7, 0.95)
    assert interval.value == pytest.approx(-28.571, abs=1e-3)
    assert round(interval.high, 1) == -2.6
    assert -53 < interval.low < -51.7


@pytest.mark.parametrize("n", [20, 200, 5000])
def test_without_any_flip_the_interval_has_its_closed_form(n):
    z = NormalDist().inv_cdf(0.975)
    reach = 100 * z**2 / (n + z**2)
    interval = paired.drop_interval(n, 0, 0, 0.95)
    assert (interval.low, interval.value, interval.high) == pytest.approx((-reach, 0, reach))


@pytest.mark.parametrize("n", [1, 2, 30])
def test_when_every_image_flips_the_interval_ends_at_the_edge(n):
    interval = paired.drop_interval(n, n, 0, 0.95)
    assert interval.value == interval.high == 100
    assert -100 < interval.low < 100
    assert paired.drop_interval(n, 0, n, 0.95).low == -100


@settings(deadline=None, max_examples=50)
@given(counts(), st.floats(0.5, 0.9999))
@example((1, 1, 0), 0.95)
@example((1, 0, 0), 0.9999)
def test_the_estimate_lies_inside_and_both_ends_are_differences(counted, confidence):
    n, lost, gained = counted
    interval = paired.drop_interval(n, lost, gained, confidence)
    assert interval.value == 100 * (lost - gained) / n
    assert -100 <= interval.low <= interval.value <= interval.high <= 100
    assert interval.low < interval.high


@settings(deadline=None, max_examples=50)
@given(counts(), st.floats(0.5, 0.9999))
def test_swapping_the_sides_turns_the_interval_round(counted, confidence):
    n, lost, gained = counted
    forth, back = paired.drop_interval(n, lost, gained, confidence), paired.drop_interval(n, gained, lost, confidence)
    assert (forth.low, forth.value, forth.high) == (-back.high, -back.value, -back.low)


@settings(deadline=None, max_examples=50)
@given(counts(), st.floats(0.5, 0.999), st.floats(0.5, 0.999))
def test_more_confidence_is_a_wider_interval(counted, one, other):
    n, lost, gained = counted
    narrow = paired.drop_interval(n, lost, gained, min(one, other))
    wide = paired.drop_interval(n, lost, gained, max(one, other))
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9


@settings(deadline=None, max_examples=50)
@given(counts(most=100))
def test_more_images_of_the_same_kind_narrow_the_interval(counted):
    n, lost, gained = counted
    few, many = paired.drop_interval(n, lost, gained, 0.95), paired.drop_interval(4 * n, 4 * lost, 4 * gained, 0.95)
    assert many.high - many.low < few.high - few.low


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 400), st.integers(0, 399), st.floats(0.5, 0.999))
def test_one_more_lost_image_moves_both_ends_up(n, lost, confidence):
    low, high = paired.bounds(n, [min(lost, n - 1), min(lost, n - 1) + 1], 0, confidence)
    assert low[0] <= low[1] + 1e-9
    assert high[0] <= high[1] + 1e-9


@settings(deadline=None, max_examples=50)
@given(counts(), st.floats(0.5, 0.999))
def test_tangos_interval_lies_inside(counted, confidence):
    n, lost, gained = counted
    low, high = paired.bounds(n, lost, gained, confidence)
    inner = intervals.tango(n, *(np.array(float(count)) for count in (lost, gained, 0)), confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    assert low <= inner[0] + 1e-9
    assert inner[1] - 1e-9 <= high


@settings(deadline=None, max_examples=50)
@given(st.integers(100, 400), st.floats(0.5, 0.999))
def test_as_many_gained_as_lost_images_leave_nothing_to_correct(n, confidence):
    flips = n // 8
    low, high = paired.bounds(n, flips, flips, confidence)
    expected = intervals.tango(n, *(np.array(float(count)) for count in (flips, flips, 0)), confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    assert low == pytest.approx(expected[0], abs=1e-9)
    assert high == pytest.approx(expected[1], abs=1e-9)


def test_counts_may_be_arrays():
    low, high = paired.bounds(50, [0, 3, 50], [0, 1, 0], 0.95)
    for at, (lost, gained) in enumerate([(0, 0), (3, 1), (50, 0)]):
        single = paired.bounds(50, lost, gained, 0.95)
        assert (low[at], high[at]) == (float(single[0]), float(single[1]))
