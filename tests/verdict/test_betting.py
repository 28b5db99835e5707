from __future__ import annotations

from itertools import product
from math import comb, exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.verdict import betting, paired

CONFIDENCES = st.floats(0.5, 0.9999)


@st.composite
def drops(draw):
    images = draw(st.integers(1, 3000))
    lost = draw(st.integers(0, images))
    return images, lost, draw(st.integers(0, images - lost))


@st.composite
def scores(draw):
    images = draw(st.integers(1, 3000))
    return images, draw(st.integers(0, images))


@settings(deadline=None, max_examples=50)
@given(drops(), CONFIDENCES)
def test_a_drop_lies_inside_its_interval(counted, confidence):
    images, lost, gained = counted
    interval = betting.drop_interval(*counted, confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    assert interval.value == 100 * (lost - gained) / images
    assert -100 <= interval.low <= interval.value <= interval.high <= 100
    assert interval.low < interval.high


@settings(deadline=None, max_examples=50)
@given(scores(), CONFIDENCES)
def test_a_score_lies_inside_its_interval(counted, confidence):
    images, right = counted
    interval = betting.score_interval(*counted, confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    assert interval.value == 100 * right / images
    assert 0 <= interval.low <= interval.value <= interval.high <= 100
    assert interval.low < interval.high


@settings(deadline=None, max_examples=50)
@given(drops(), CONFIDENCES)
def test_swapping_the_sides_turns_a_drop_round(counted, confidence):
    images, lost, gained = counted
    there, back = (betting.drop_interval(images, *pair, confidence) for pair in ((lost, gained), (gained, lost)))
    assert (there.low, there.high) == (-back.high, -back.low)


@settings(deadline=None, max_examples=50)
@given(scores(), CONFIDENCES)
def test_swapping_right_and_wrong_turns_a_score_round(counted, confidence):
    images, right = counted
    low, high = betting.score_bounds(images, right, confidence)
    assert betting.score_bounds(images, images - right, confidence) == pytest.approx((1 - high, 1 - low), abs=1e-15)


@settings(deadline=None, max_examples=50)
@given(drops(), CONFIDENCES, st.floats(-1.1, 1.1))
def test_a_limit_is_decided_as_the_interval_says(counted, confidence, limit):
    low, high = betting.drop_bounds(*counted, confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    above, below = betting.drop_sides(*counted, limit, confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    if min(abs(low - limit), abs(high - limit)) > 1e-12:
        assert (above, below) == (low > limit, high <= limit)


@settings(deadline=None, max_examples=50)
@given(scores(), CONFIDENCES, st.floats(-0.1, 1.1))
def test_a_floor_is_decided_as_the_interval_says(counted, confidence, limit):
    low, high = betting.score_bounds(*counted, confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    above, below = betting.score_sides(*counted, limit, confidence)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    if min(abs(low - limit), abs(high - limit)) > 1e-12:
        assert (above, below) == (low >= limit, high < limit)


@pytest.mark.parametrize("counted", [(200, 0, 0), (200, 200, 0), (200, 0, 200), (1, 1, 0)])
def test_limits_that_no_drop_can_miss(counted):
    assert betting.drop_sides(*counted, 1.0, 0.95) == (False, True)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    assert betting.drop_sides(*counted, -1.01, 0.95) == (True, False)  # type: ignore[call-arg]  # mypy cannot count what a star brings


@pytest.mark.parametrize("right", [0, 100, 200])
def test_floors_that_no_score_can_miss(right):
    assert betting.score_sides(200, right, 0.0, 0.95) == (True, False)
    assert betting.score_sides(200, right, 1.01, 0.95) == (False, True)


def by_hand(mean: float, images: list[float]) -> float:
    """The fund's capital, a gambler and an image at a time."""
    capitals = {stake: 1.0 for stake, _ in betting.STAKES}
    for value in images:
        for stake in capitals:
            capitals[stake] *= 1 + stake * (value - mean) / mean
    return sum(share * capitals[stake] for stake, share in betting.STAKES) / sum(share for _, share in betting.STAKES)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=60), st.floats(0.05, 0.95))
def test_counts_say_what_betting_image_by_image_does(images, mean):
    values = np.array([1.0, 0.5, 0.0])
    counts = np.array([images.count(value) for value in values], dtype=float)
    assert betting.log_capital(mean, values, counts) == pytest.approx(log(by_hand(mean, images)), abs=1e-9)


@pytest.mark.parametrize(("lost", "gained"), [(0.3, 0.0), (0.2, 0.2), (0.05, 0.4), (0.0, 0.0)])
@pytest.mark.parametrize("images", [1, 9])
def test_the_game_is_fair(lost, gained, images):
    # Exactly: the mean of the capital over all that so many images can be is 1 where the mean is the one bet against.
    values, mean = np.array([1.0, 0.5, 0.0]), (1 + lost - gained) / 2
    total = 0.0
    for up, down in product(range(images + 1), repeat=2):
        same = images - up - down
        if same >= 0:
            chance = comb(images, up) * comb(images - up, down) * lost**up * gained**down * (1 - lost - gained) ** same
            total += chance * exp(betting.log_capital(mean, values, np.array([up, same, down], dtype=float)))
    assert total == pytest.approx(1, abs=1e-12)


def ever_wrong(lost: float, gained: float, bounds, *, sequences: int = 1000, images: int = 500) -> float:
    """The share of sequences in which the truth is outside at some image, looking at every one."""
    drawn = np.random.default_rng(7).choice([1, 0, -1], (sequences, images), p=[lost, 1 - lost - gained, gained])
    seen = np.arange(1, images + 1)
    outside = bounds(seen, np.cumsum(drawn == 1, axis=1), np.cumsum(drawn == -1, axis=1), lost - gained)
    return float(outside.any(axis=1).mean())


@pytest.mark.parametrize(("lost", "gained"), [(0.02, 0.0), (0.05, 0.02), (0.25, 0.15), (0.4, 0.0)])
def test_looking_at_every_image_is_safe(lost, gained):
    def outside(seen, up, down, truth):
        above, below = betting.drop_sides(seen, up, down, truth, 0.9)
        return above | below

    assert ever_wrong(lost, gained, outside) <= 0.1 + 0.02


def test_looking_at_every_image_is_not_safe_with_the_interval_of_a_single_look():
    def outside(seen, up, down, truth):
        z = 1.645
        spread = np.sqrt(np.maximum(up + down - (up - down) ** 2 / seen, 1e-9)) / seen
        return (np.abs((up - down) / seen - truth) > z * spread) & (seen > 50)

    assert ever_wrong(0.25, 0.15, outside) > 0.4


def test_a_score_may_be_looked_at_after_every_image():
    drawn = np.random.default_rng(3).random((1000, 500)) < 0.9
    seen = np.arange(1, 501)
    # At or above and wholly below: the truth itself counts as above, so ask just beside it.
    above, _ = betting.score_sides(seen, np.cumsum(drawn, axis=1), 0.9 + 1e-9, 0.9)
    _, below = betting.score_sides(seen, np.cumsum(drawn, axis=1), 0.9, 0.9)
    assert (above | below).any(axis=1).mean() <= 0.1 + 0.02


def test_the_price_of_looking_at_will_is_less_than_twice_the_width():
    for images, lost, gained in ((300, 12, 3), (1000, 40, 10), (5000, 250, 50), (5000, 0, 0)):
        often = np.diff(betting.drop_bounds(images, lost, gained, 0.95), axis=0)
        once = np.diff(paired.bounds(images, lost, gained, 0.95), axis=0)
        assert 1 < often / once < 2 + (lost == 0)


def test_arrays_are_judged_one_by_one():
    images, lost = np.array([100, 500]), np.array([[3, 40], [0, 7]])
    low, high = betting.drop_bounds(images, lost, 2, 0.95)
    above, below = betting.drop_sides(images, lost, 2, 0.05, 0.95)
    assert low.shape == above.shape == (2, 2)
    for row, column in np.ndindex(2, 2):
        one = (images[column], lost[row, column], 2)
        assert (low[row, column], high[row, column]) == betting.drop_bounds(*one, 0.95)
        assert (above[row, column], below[row, column]) == betting.drop_sides(*one, 0.05, 0.95)
