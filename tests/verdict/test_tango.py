from __future__ import annotations

from math import exp, lgamma, log, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from compress_guard.verdict import tango


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


def statistic(n, lost, gained, difference):
    p = most_likely_gain(n, lost, gained, difference)
    variance = 2 * p + difference - difference**2
    return (lost - gained - n * difference) / sqrt(n * variance)


@pytest.mark.parametrize(
    ("n", "lost", "gained"), [(200, 12, 5), (21, 1, 7), (50, 0, 3), (50, 4, 0), (10, 5, 5), (7, 3, 4), (1000, 40, 90)]
)
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
def test_the_ends_are_where_a_profile_likelihood_score_test_just_rejects(n, lost, gained, confidence):
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    low, high = tango.bounds(n, lost, gained, confidence)
    for end, expected in ((low, z), (high, -z)):
        if abs(end) < 1:
            assert statistic(n, lost, gained, float(end)) == pytest.approx(expected, rel=1e-5)


def test_published_interval():
    # Airway hyper-responsiveness before and after stem cell transplantation, 1, 1, 7 and 12 children of 21: Fagerland,
    # Lydersen and Laake 2014, Statistics in Medicine 33:2850-2875, Tango's interval: -0.517 to -0.026.
    interval = tango.drop_interval(21, 1, 7, 0.95)
    assert interval.value == pytest.approx(-28.571, abs=1e-3)
    assert (round(interval.low, 1), round(interval.high, 1)) == (-51.7, -2.6)


@pytest.mark.parametrize("n", [1, 20, 200, 5000])
def test_without_any_flip_the_interval_has_its_closed_form(n):
    z = NormalDist().inv_cdf(0.975)
    reach = 100 * z**2 / (n + z**2)
    interval = tango.drop_interval(n, 0, 0, 0.95)
    assert (interval.low, interval.value, interval.high) == pytest.approx((-reach, 0, reach))


@pytest.mark.parametrize("n", [1, 2, 30])
def test_when_every_image_flips_the_interval_ends_at_the_edge(n):
    interval = tango.drop_interval(n, n, 0, 0.95)
    assert interval.value == interval.high == 100
    assert -100 < interval.low < 100
    assert tango.drop_interval(n, 0, n, 0.95).low == -100


@given(counts(), st.floats(0.5, 0.9999))
@example((1, 1, 0), 0.95)
@example((1, 0, 0), 0.9999)
def test_the_estimate_lies_inside_and_both_ends_are_differences(counted, confidence):
    n, lost, gained = counted
    interval = tango.drop_interval(n, lost, gained, confidence)
    assert interval.value == 100 * (lost - gained) / n
    assert -100 <= interval.low <= interval.value <= interval.high <= 100
    assert interval.low < interval.high


@given(counts(), st.floats(0.5, 0.9999))
def test_swapping_the_sides_turns_the_interval_round(counted, confidence):
    n, lost, gained = counted
    forth, back = tango.drop_interval(n, lost, gained, confidence), tango.drop_interval(n, gained, lost, confidence)
    assert (forth.low, forth.value, forth.high) == (-back.high, -back.value, -back.low)


@given(counts(), st.floats(0.5, 0.99), st.floats(0.5, 0.99))
def test_more_confidence_is_a_wider_interval(counted, one, other):
    n, lost, gained = counted
    narrow = tango.drop_interval(n, lost, gained, min(one, other))
    wide = tango.drop_interval(n, lost, gained, max(one, other))
    assert wide.low <= narrow.low + 1e-9
    assert narrow.high <= wide.high + 1e-9


@given(counts(most=100))
def test_more_images_of_the_same_kind_narrow_the_interval(counted):
    n, lost, gained = counted
    few, many = tango.drop_interval(n, lost, gained, 0.95), tango.drop_interval(4 * n, 4 * lost, 4 * gained, 0.95)
    assert many.high - many.low < few.high - few.low


def test_counts_may_be_arrays():
    low, high = tango.bounds(50, [0, 3, 50], [0, 1, 0], 0.95)
    for at, (lost, gained) in enumerate([(0, 0), (3, 1), (50, 0)]):
        single = tango.bounds(50, lost, gained, 0.95)
        assert (low[at], high[at]) == (float(single[0]), float(single[1]))


@pytest.mark.parametrize("n", [50, 120])
@pytest.mark.parametrize(
    ("lose", "gain"), [(0.0, 0.0), (0.02, 0.0), (0.02, 0.02), (0.1, 0.05), (0.3, 0.0), (0.25, 0.25)]
)
def test_coverage_by_exact_enumeration(n, lose, gain):
    pairs = [(lost, gained) for lost in range(n + 1) for gained in range(n + 1 - lost)]
    lost, gained = np.array(pairs).T

    def weight(a, b):
        rest, stay = n - a - b, 1 - lose - gain
        if (a and not lose) or (b and not gain) or (rest and not stay):
            return 0.0
        terms = ((a, lose), (b, gain), (rest, stay))
        logs = sum(count * log(share) - lgamma(count + 1) for count, share in terms if count)
        return exp(lgamma(n + 1) + logs)

    probability = np.array([weight(a, b) for a, b in pairs])
    assert probability.sum() == pytest.approx(1)
    low, high = tango.bounds(n, lost, gained, 0.95)
    truth = lose - gain
    assert probability[(low <= truth) & (truth <= high)].sum() >= 0.93
