"""The change of a drop, and unpaired differences, against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.records import Interval
from compress_guard.verdict.grouped.groups import Groups, Sampled
from compress_guard.verdict.releases import drop_change, unpaired


class Flags:
    """A mean of flags, as a scorer."""

    def __init__(self, flags):
        self.flags = np.asarray(flags, dtype=bool)

    def __call__(self, weights):
        return 100 * (weights @ self.flags) / weights.sum(axis=1)


class Means(Flags):
    """A scorer of the mean that does not say that it is a mean of flags."""

    def __init__(self, values):
        super().__init__(np.zeros(len(values)))
        self.values = np.asarray(values, dtype=float)
        self.flags = None

    def __call__(self, weights):
        return (weights @ self.values) / weights.sum(axis=1)


FALL = Interval(1.0, 0.5, 1.5)
SIDES = st.integers(2, 40).flatmap(
    lambda images: st.tuples(*[st.lists(st.booleans(), min_size=images, max_size=images) for _ in range(4)])
)


@settings(max_examples=40, deadline=None)
@given(SIDES)
def test_the_change_is_the_mean_of_the_differences_of_differences(sides):
    a, b, c, d = (np.array(side, dtype=float) for side in sides)
    before, now = (Flags(sides[0]), Flags(sides[1])), (Flags(sides[2]), Flags(sides[3]))
    change = drop_change(before, now, FALL, Sampled(len(a), 0), 0.95)
    if (a == c).all():
        assert change is FALL
        return
    assert change.value == pytest.approx(100 * np.mean((c - d) - (a - b)))
    assert -200 <= change.low <= change.value <= change.high <= 200


@settings(max_examples=20, deadline=None)
@given(SIDES)
def test_exchanging_the_releases_mirrors_the_change(sides):
    before, now = (Flags(sides[0]), Flags(sides[1])), (Flags(sides[2]), Flags(sides[3]))
    if sides[0] == sides[2]:
        return
    sampled = Sampled(len(sides[0]), 3)
    there, back = drop_change(before, now, FALL, sampled, 0.9), drop_change(now, before, FALL, sampled, 0.9)
    mirrored = (-back.value, -back.high, -back.low)
    assert (there.value, there.low, there.high) == pytest.approx(mirrored)


def test_the_interval_is_about_the_standard_error_of_many_images():
    noise = np.random.default_rng(0)
    a, b, c, d = (noise.random(4000) < share for share in (0.8, 0.7, 0.8, 0.6))
    values = 100.0 * ((c.astype(float) - d) - (a.astype(float) - b))
    change = drop_change((Flags(a), Flags(b)), (Flags(c), Flags(d)), FALL, Sampled(4000, 1), 0.95)
    reach = 1.96 * values.std() / np.sqrt(len(values))
    assert change.value - change.low == pytest.approx(reach, rel=0.08)
    assert change.high - change.value == pytest.approx(reach, rel=0.08)


def test_it_covers_the_truth_as_often_as_it_promises():
    noise = np.random.default_rng(5)
    truth, covered = 100 * (0.05 - 0.02), 0
    for seed in range(120):
        clean = noise.random(200) < 0.8
        lost = [clean & (noise.random(200) >= share) for share in (0.02 / 0.8, 0.05 / 0.8)]
        other = clean.copy()
        other[:2] ^= True  # the clean answers differ a little, so that nothing is taken from the fall
        other[2:4] ^= True
        change = drop_change(
            (Flags(clean), Flags(lost[0])), (Flags(other), Flags(lost[1])), FALL, Sampled(200, seed), 0.9
        )
        moved = 100 * (other.mean() - clean.mean())
        covered += change.low <= truth + moved <= change.high
    assert covered / 120 > 0.83


def test_groups_count_as_one_and_widen_the_interval():
    noise = np.random.default_rng(2)
    a, b, c, d = (np.repeat(noise.random(60) < share, 5) for share in (0.8, 0.7, 0.82, 0.6))
    sides = (Means(100.0 * a), Means(100.0 * b)), (Means(100.0 * c), Means(100.0 * d))
    groups = Groups.of([at // 5 for at in range(300)])
    alone, together = (drop_change(*sides, FALL, Sampled(300, 0, part), 0.95) for part in (None, groups))
    assert together.value == pytest.approx(alone.value)
    assert together.high - together.low > 1.8 * (alone.high - alone.low)


def test_one_image_says_nothing():
    change = drop_change((Flags([1]), Flags([1])), (Flags([0]), Flags([1])), FALL, Sampled(1, 0), 0.95)
    assert (change.value, change.low, change.high) == (-100, -200, 200)


POINTS = st.floats(0, 100)


@given(st.tuples(POINTS, POINTS, POINTS).map(sorted), st.tuples(POINTS, POINTS, POINTS).map(sorted))
def test_an_unpaired_difference_squares_and_adds(first, second):
    (low, value, high), (down, middle, up) = first, second
    made = unpaired(Interval(value, low, high), Interval(middle, down, up))
    assert made.value == pytest.approx(value - middle)
    assert made.value - made.low == pytest.approx(np.hypot(value - low, up - middle))
    assert made.high - made.value == pytest.approx(np.hypot(high - value, middle - down))
