"""Limits that are said to be out of reach: they are never passed, and the number of images that is named can pass."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from compress_guard.verdict import EarlyStop, judge, power, sentence
from compress_guard.verdict.power import OutOfReach

CONFIDENCES = st.sampled_from([0.6, 0.9, 0.95, 0.975, 0.99, 0.999])
PARTS = st.floats(0.1, 0.99)
"""Parts of the reach of the interval if nothing changes."""
LIMITS = st.floats(0, 100).map(lambda points: round(points, 2))


def verdict(pair, images, limit, confidence):
    judgement = judge(
        *pair, metric="top1", max_drop=limit, min_score=None, confidence=confidence, seed=0, images=images
    )
    return judgement.verdict


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 300),
    st.lists(LIMITS, min_size=1, max_size=3),
    CONFIDENCES,
    st.integers(0, 300),
    st.integers(0, 300),
)
@example(64, [5.6], 0.95, 0, 0)
def test_what_is_out_of_reach_is_never_passed_unless_more_is_gained_than_lost(
    flag_pair, images, limits, confidence, lost, gained
):
    found = power.out_of_reach(images, limits, confidence)
    lost = min(lost, images)
    gained = min(gained, lost, images - lost)
    for limit in limits:
        passed = verdict(flag_pair(images - lost - gained, lost, gained, 0), images, limit, confidence) == "pass"
        if found is not None and limit in found.limits:
            assert not passed
        elif not lost:
            assert passed


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 300), st.lists(LIMITS, min_size=1, max_size=3), CONFIDENCES)
def test_the_images_that_are_named_are_enough_where_none_changes_and_no_fewer_are(
    flag_pair, images, limits, confidence
):
    found = power.out_of_reach(images, limits, confidence)
    assume(found is not None)
    above_nothing = [limit for limit in reversed(found.limits) if limit > 0]
    assert len(found.enough) == len(above_nothing)
    for limit, enough in zip(above_nothing, found.enough, strict=True):
        assume(enough < 20_000)
        assert enough > images
        assert verdict(flag_pair(enough, 0, 0, 0), enough, limit, confidence) == "pass"
        assert verdict(flag_pair(enough - 1, 0, 0, 0), enough - 1, limit, confidence) == "inconclusive"


@settings(max_examples=15, deadline=None)
@given(st.integers(33, 300), PARTS, st.sampled_from([0.9, 0.95, 0.99]))
def test_with_looks_before_the_last_image_it_is_as_true(flag_pair, images, part, confidence):
    """The looks take a part of the error only if there is one: the numbers have to hold either way."""
    limit = part * power.reach_unchanged(images, confidence)
    keys = {"metric": "top1", "max_drop": limit, "min_score": None, "confidence": confidence, "seed": 0}
    strictest = EarlyStop(images, **keys).last_confidence
    found = power.out_of_reach(images, [limit], confidence, strictest)
    assert found is not None

    def verdicts(planned):
        stop = EarlyStop(planned, **keys)
        for look in range(32, planned, max(8, planned // 10)):
            early = stop.look(*flag_pair(look, 0, 0, 0), look)  # type: ignore[call-arg]  # mypy cannot count what a star brings
            if early is not None:
                yield early.verdict
                return
        yield stop.last(*flag_pair(planned, 0, 0, 0), planned).verdict  # type: ignore[call-arg]  # mypy cannot count what a star brings
        yield EarlyStop(planned, **keys).last(*flag_pair(planned, 0, 0, 0), planned).verdict  # type: ignore[call-arg]  # mypy cannot count what a star brings

    assert "pass" not in set(verdicts(images))
    assert set(verdicts(found.enough[0])) == {"pass"}


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 300), st.integers(0, 300), st.integers(0, 300), PARTS, CONFIDENCES)
@example(50, 4, 0, 0.2, 0.95)
def test_no_advice_is_to_have_fewer_images_than_it_takes(images, lost, gained, part, confidence):
    """The summary names both numbers: how many images could hold the limit, and how many would settle the cell."""
    lost = min(lost, images)
    gained = min(gained, lost, images - lost)
    limit = part * power.reach_unchanged(images, confidence)
    found = power.out_of_reach(images, [limit], confidence)
    assert found is not None
    needed = power.images_needed_of_flags(images, lost, gained, limit, confidence)
    assert needed is None or needed >= found.enough[0]


@pytest.mark.parametrize(("images", "limit"), [(64, 5.6), (64, 1.0), (30, 3.0), (300, 0.5)])
def test_without_flags_such_a_limit_can_be_passed_by_a_slight_change(mean_scorer, images, limit):
    """For mAP and mIoU no limit may therefore be called out of reach."""
    assert power.out_of_reach(images, [limit], 0.95) is not None
    clean = np.linspace(70, 95, images)
    slight = clean - 0.02 * np.arange(images) % 0.3
    assert verdict((mean_scorer(clean), mean_scorer(slight)), images, limit, 0.95) == "pass"


def test_limits_that_can_be_held_are_not_out_of_reach():
    assert power.out_of_reach(200, [2.0, 5.0], 0.95) is None
    assert power.out_of_reach(200, [], 0.95) is None


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (
            OutOfReach((2.0, 2.5), 7.134, 0.95, (151, 189)),
            "where none changes, the 95 % interval of the drop reaches 7.1, allowed 2.0 to 2.5; it takes 151 to 189 "
            "images",
        ),
        (
            OutOfReach((5.65,), 5.6622, 0.975, (65,)),
            "where none changes, the 97.5 % interval of the drop reaches 5.66, allowed 5.65; it takes 65 images",
        ),
        (
            OutOfReach((0.0, 1.0), 7.134, 0.95, (381,)),
            "where none changes, the 95 % interval of the drop reaches 7.1, allowed 0.0 to 1.0; it takes 381 images, "
            "and no number could hold 0.0",
        ),
        (
            OutOfReach((0.0,), 7.134, 0.95, ()),
            "where none changes, the 95 % interval of the drop reaches 7.1, allowed 0.0; no number of images could",
        ),
    ],
)
def test_the_sentence(found, text):
    assert sentence.of_reach(found) == text
