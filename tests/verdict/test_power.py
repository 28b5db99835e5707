from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compress_guard.records import Interval
from compress_guard.verdict import bootstrap, judge, paired, power

Z = NormalDist().inv_cdf
DRAWS = 4000


def clear(images, lose, gain, limit, confidence=0.95):
    """The share of samples with a clear verdict, each of so many images of a population with such flips."""
    drawn = np.random.default_rng(0).multinomial(images, [lose, gain, 1 - lose - gain], size=DRAWS)
    counts, times = np.unique(drawn, axis=0, return_counts=True)
    low, high = paired.bounds(images, counts[:, 0], counts[:, 1], confidence)
    return float(((100 * high <= limit) | (100 * low > limit)) @ times / DRAWS)


def judged(pair, images, limit, confidence=0.95):
    return judge(*pair, metric="top1", max_drop=limit, min_score=None, confidence=confidence, seed=0, images=images)


def test_these_intervals_are_those_of_a_verdict(flag_pair):
    judgement = judged(flag_pair(184, 12, 4, 0), 200, 5.0)
    assert judgement.drop == paired.drop_interval(200, 12, 4, 0.95)


@pytest.mark.parametrize(("images", "confidence"), [(100, 0.95), (200, 0.95), (200, 0.999), (1000, 0.95)])
def test_a_limit_at_the_resolvable_distance_is_told_apart_four_times_in_five(images, confidence):
    distance = power.resolvable_drop(images, confidence)
    shares = [clear(images, 0.025, 0.025, times * distance, confidence) for times in (0.9, 1.0, 1.1)]
    assert shares[0] < 0.8 < shares[2]
    assert shares[1] == pytest.approx(0.8, abs=0.08)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
def test_with_many_images_it_is_the_textbook_formula(confidence):
    expected = 100 * (Z((1 + confidence) / 2) + Z(0.8)) * sqrt(0.05 / 200_000)
    assert power.resolvable_drop(200_000, confidence) == pytest.approx(expected, rel=0.01)
    assert power.resolvable_drop(200, confidence) > expected * sqrt(1000)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 3000), st.floats(0.001, 1), st.floats(0.6, 0.99))
@example(1, 1.0, 0.8)
def test_more_images_resolve_more_and_more_flips_less(images, flips, often):
    here = power.resolvable_drop(images, 0.95, flips, often)
    assert here > power.resolvable_drop(4 * images, 0.95, flips, often) > 0
    assert here >= power.resolvable_drop(images, 0.95, flips / 2, often)
    assert here < power.resolvable_drop(images, 0.99, flips, often)
    assert here < power.resolvable_drop(images, 0.95, flips, 0.995)


@pytest.mark.parametrize(("images", "lost", "gained"), [(200, 5, 5), (1000, 30, 20), (5000, 400, 100)])
def test_a_measured_interval_says_the_same_as_its_flips(images, lost, gained):
    assumed = power.resolvable_drop(images, 0.95, (lost + gained) / images)
    measured = power.resolvable_from(paired.drop_interval(images, lost, gained, 0.95), 0.95)
    assert measured == pytest.approx(assumed, rel=0.1)


def test_a_half_width_is_scaled_from_its_quantile_to_that_plus_the_one_of_the_power():
    assert power.resolvable_from(Interval(5.0, 4.0, 6.0), 0.95) == pytest.approx((1.96 + 0.8416) / 1.96, abs=1e-3)
    assert power.resolvable_from(Interval(5.0, 4.0, 6.0), 0.95, power=0.5) == pytest.approx(1)


@pytest.mark.parametrize(
    ("images", "lost", "gained", "limit"),
    [(200, 12, 4, 5.0), (200, 12, 4, 2.5), (300, 30, 3, 7.0), (300, 30, 3, 11.0), (1000, 30, 20, 1.5)],
)
def test_with_the_images_it_asks_for_the_verdict_is_clear_four_times_in_five(images, lost, gained, limit, flag_pair):
    judgement = judged(flag_pair(images - lost - gained, lost, gained, 0), images, limit)
    assert judgement.verdict == "inconclusive"
    needed = power.images_needed(judgement.drop, limit, images, 0.95)
    assert needed > images
    share = clear(needed, lost / images, gained / images, limit)
    assert share == pytest.approx(0.8, abs=0.08)
    assert clear(needed // 2, lost / images, gained / images, limit) < share - 0.15


@pytest.mark.parametrize(
    ("images", "lost", "gained", "limit"),
    [(200, 12, 4, 5.0), (200, 12, 4, 2.5), (300, 30, 3, 11.0), (1000, 30, 20, 1.5), (200, 2, 0, 3.0), (200, 1, 1, 1.5),
     (100, 3, 0, 1.0), (200, 10, 4, 0.0)],
)  # fmt: skip
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_by_its_flips_the_verdict_is_clear_four_times_in_five(images, lost, gained, limit, confidence, flag_pair):
    assert judged(flag_pair(images - lost - gained, lost, gained, 0), images, limit, confidence).verdict == (
        "inconclusive"
    )
    needed = power.images_needed_of_flags(images, lost, gained, limit, confidence)
    assert needed > images
    share = clear(needed, lost / images, gained / images, limit, confidence)
    # Few flips come in lumps.
    assert share == pytest.approx(0.8, abs=0.08 if lost + gained >= 10 else 0.11)
    assert clear(max(needed * 2 // 3, images), lost / images, gained / images, limit, confidence) < share - 0.05
    often = power.images_needed_of_flags(images, lost, gained, limit, confidence, power=0.95)
    assert clear(often, lost / images, gained / images, limit, confidence) > share + 0.04


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
@pytest.mark.parametrize(("images", "limit"), [(40, 0.5), (40, 0.05), (1, 5.0), (200, 1.0)])
def test_without_flips_it_takes_the_number_that_can_pass(images, limit, confidence):
    """However many times the images: where nothing changed no other number is needed."""
    needed = power.images_needed_of_flags(images, 0, 0, limit, confidence)
    assert needed == power.images_for(confidence, limit) > images


def test_images_enough_to_pass_without_flips_take_one_more():
    assert power.images_needed_of_flags(5000, 0, 0, 0.5, 0.95) == 5001


@pytest.mark.parametrize(("lost", "gained", "limit"), [(5, 0, 2.5), (0, 0, 0.0), (3, 3, 0.0), (5, 1, 1.99)])
def test_flips_at_or_right_beside_the_limit_never_settle(lost, gained, limit):
    assert power.images_needed_of_flags(200, lost, gained, limit, 0.95) is None


def test_a_limit_is_cleared_from_either_side():
    sides = [power.images_needed_of_flags(200, *flips, 0.0, 0.95) for flips in ((10, 2), (2, 10))]
    assert sides[0] == pytest.approx(sides[1], abs=1)


@pytest.mark.parametrize("images", [1, 3, 40, 150])
@pytest.mark.parametrize("truthful", [1.0, 0.5])
@pytest.mark.parametrize("limit", [0.02, 0.5, 2.0])
def test_a_score_that_did_not_change_takes_as_many_images_as_can_pass(images, truthful, limit):
    """Also where only some have ground truth, as so many more will."""

    def unchanged(number):
        reach = min(bootstrap.unseen(number * (truthful if images > 3 else 1), Z(0.975)), 100)
        return Interval(0.0, -reach, reach)

    assert unchanged(images).high > limit
    needed = power.images_needed(unchanged(images), limit, images, 0.95)
    assert unchanged(needed).high <= limit * (1 + 1e-9)
    assert unchanged(needed - 1).high > limit * (1 - 1e-9)


def test_such_an_interval_is_the_one_of_a_verdict(mean_scorer):
    scorer = mean_scorer(np.linspace(20, 90, 100))
    drop = judged((scorer, scorer), 100, 0.5).drop
    assert power.images_needed(drop, 0.5, 100, 0.95) == pytest.approx(100 * Z(0.975) ** 2 / 0.5, abs=1)
    assert power.images_needed(drop, 0.0, 100, 0.95) is None


@given(
    st.floats(-100, 100).filter(bool),
    st.floats(0, 50),
    st.floats(0, 50),
    st.floats(-100, 100),
    st.integers(1, 10**6),
)
@example(5.0, 1.0, 1.0, 5.0, 200)
@example(5.0, 0.0, 0.0, 5.0, 200)
def test_advice_is_more_images_and_never_a_hundred_times_as_many(value, below, above, limit, images):
    needed = power.images_needed(Interval(value, value - below, value + above), limit, images, 0.95)
    assert needed is None or images < needed <= max(images + 1, 100 * images)


def test_an_estimate_at_its_limit_is_never_settled_and_one_near_it_takes_more():
    at = {distance: power.images_needed(Interval(5 - distance, 3 - distance, 7 - distance), 5.0, 200, 0.95)
          for distance in (0.0, 0.2, 0.5, 1.0, 2.0)}  # fmt: skip
    assert at[0.0] is at[0.2] is None
    assert at[0.5] > at[1.0] > at[2.0] > 200
    assert at[1.0] == pytest.approx(4 * at[2.0], abs=4)


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.999])
@pytest.mark.parametrize("limit", [0.3, 2.0, 14.0, 99.0])
def test_the_number_that_can_pass_is_where_judge_starts_to(confidence, limit, flag_pair):
    enough = power.images_for(confidence, limit)

    def verdict(images):
        return judged(flag_pair(images, 0, 0, 0), images, limit, confidence).verdict

    assert verdict(enough) == "pass"
    assert not power.never_resolves(enough, confidence, limit)
    if enough > 1:
        assert verdict(enough - 1) == "inconclusive"
        assert power.never_resolves(enough - 1, confidence, limit)


def test_no_number_of_images_shows_that_nothing_at_all_was_lost():
    assert power.images_for(0.95, 0.0) is None
    assert power.never_resolves(10**6, 0.95, 0.0)
    assert power.images_for(0.95, 100.0) == 1
