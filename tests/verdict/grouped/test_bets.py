"""Early stopping by whole groups: bets on groups, looks by groups, and how often they end wrongly."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

from compress_guard.verdict import betting
from compress_guard.verdict.betting import FlagCounts
from compress_guard.verdict.grouped.bets import GroupBets
from compress_guard.verdict.grouped.groups import Groups
from compress_guard.verdict.stopping import EarlyStop


@pytest.fixture
def flags():
    rng = np.random.default_rng(2)
    return rng.random(90) < 0.9, rng.random(90) < 0.7


def alone(images):
    return Groups(np.arange(images))


def test_bets_on_groups_of_one_image_are_those_on_images(flags):
    bets, counts = GroupBets(flags[0], flags[1], alone(90), 1), FlagCounts.of(*flags)
    assert bets.scores == pytest.approx(counts.scores)
    for limit in (-0.2, 0.0, 0.1, 0.3, 0.8, 1.0):
        for sides in ("drop_sides", "score_sides", "clean_sides"):
            assert getattr(bets, sides)(limit, 0.95) == getattr(counts, sides)(limit, 0.95)
    for name in ("drop", "score", "clean"):
        one, other = getattr(bets, name)(0.95), getattr(counts, name)(0.95)
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_the_capital_of_a_fund_on_groups_is_the_plain_product():
    values, sizes, mean = [0.2, 1.0, 0.5], [1, 4, 2], 0.4
    capitals = []
    for stake, share in betting.STAKES:
        capital = 1.0
        for value, size in zip(values, sizes, strict=True):
            capital *= 1 + stake * size / 4 * (value - mean) / mean
        capitals.append(share * capital)
    expected = log(sum(capitals) / sum(share for _, share in betting.STAKES))
    weights = np.array(sizes) / 4
    assert float(betting.log_capital(mean, np.array(values), np.ones(3), weights)) == pytest.approx(expected)


def test_a_bet_is_fair_where_large_groups_lose_more_than_small_ones():
    """A mean over images weighs groups by their size: a plain mean of groups would be another number."""
    values, weights = np.array([0.2, 0.8]), np.array([0.25, 1.0])
    truth = (0.2 * 1 + 0.8 * 4) / 5
    stakes = np.array([stake for stake, _ in betting.STAKES])
    gain = sum(stakes * weight * (value - truth) / truth for value, weight in zip(values, weights, strict=True))
    assert gain == pytest.approx(0, abs=1e-12)


def test_the_interval_ends_where_the_side_turns(flags):
    groups = Groups.of([at // 3 for at in range(90)])
    bets = GroupBets(flags[0], flags[1], groups, 3)
    drop = bets.drop(0.95)
    assert bets.drop_sides(drop.low / 100 - 1e-9, 0.95) == (True, False)
    assert bets.drop_sides(drop.low / 100 + 1e-9, 0.95) == (False, False)
    assert bets.drop_sides(drop.high / 100 + 1e-9, 0.95) == (False, True)
    score = bets.score(0.95)
    assert bets.score_sides(score.low / 100 - 1e-9, 0.95)[0]
    assert not bets.score_sides(score.low / 100 + 1e-9, 0.95)[0]


def test_looks_are_due_by_groups(flag_pair):
    clean, compressed = flag_pair(0, 200, 0, 0)
    stop = EarlyStop(50, metric="top1", max_drop=5.0, min_score=None, confidence=0.95, seed=0, largest=4)
    groups = Groups.of([at // 4 for at in range(124)])
    pair = [type(clean)(side.flags[:124]) for side in (clean, compressed)]
    assert groups.count == 31
    assert not stop.due(31)
    assert stop.look(pair[0], pair[1], 124, groups) is None  # too few groups, however many images
    assert stop.due(32)
    groups = Groups.of([at // 4 for at in range(128)])
    pair = [type(clean)(side.flags[:128]) for side in (clean, compressed)]
    judgement = stop.look(pair[0], pair[1], 128, groups)
    assert judgement is not None
    assert judgement.verdict == "fail"
    assert judgement.drop.low < 100  # 32 groups say less than 128 images
    assert judgement.drop.low < FlagCounts.of(pair[0].flags, pair[1].flags).drop(0.96).low
    assert not stop.due(50)


def test_the_last_judgement_is_over_groups(flag_pair):
    clean, compressed = flag_pair(60, 20, 0, 20)
    stop = EarlyStop(25, metric="top1", max_drop=5.0, min_score=None, confidence=0.95, seed=0, largest=4)
    groups = Groups.of([at // 4 for at in range(100)])
    alone, grouped = stop.last(clean, compressed, 100), stop.last(clean, compressed, 100, groups)
    assert grouped.drop.low < alone.drop.low


def test_truths_at_the_limit_end_wrongly_no_more_often_than_promised(flag_pair):
    """60 runs of 150 groups of 8 images that flip together: a naive bet on images ends wrongly in a third of them."""
    kind = type(flag_pair(1, 0, 0, 0)[0])
    rng, wrong = np.random.default_rng(4), {8: 0, 1: 0}
    for _ in range(60):
        lost = np.repeat(rng.random(150) < 0.1, 8)
        for largest in wrong:
            planned = 150 if largest == 8 else 1200
            limits = {"max_drop": 10.0, "min_score": None}
            stop = EarlyStop(planned, metric="top1", **limits, confidence=0.95, seed=0, largest=largest)
            for count in range(33, 150):
                images = 8 * count
                groups = Groups.of(np.repeat(np.arange(count), 8).tolist()) if largest == 8 else None
                sides = kind(np.ones(images, bool)), kind(~lost[:images])
                if stop.look(sides[0], sides[1], images, groups) is not None:
                    wrong[largest] += 1
                    break
    assert wrong[8] <= 3
    assert wrong[1] >= 10
