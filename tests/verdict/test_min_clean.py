"""The floor under the clean score: judged as that under the compressed one, by every way to a verdict."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.records import Interval, Judgement, Policy
from compress_guard.verdict import judge, settle, wilson
from compress_guard.verdict.judgement import decide
from compress_guard.verdict.stopping import EarlyStop

DROP, SCORE, CLEAN = Interval(3.0, 2.0, 4.0), Interval(70.0, 65.0, 75.0), Interval(73.0, 68.0, 78.0)


def judged(pair, **changes):
    wanted = {"metric": "top1", "max_drop": None, "min_score": None, "confidence": 0.95, "seed": 0, "images": 200}
    return judge(*pair, **(wanted | changes))


@pytest.mark.parametrize(
    ("max_drop", "min_score", "min_clean", "verdict"),
    [
        (None, None, 78.1, "fail"),
        (None, None, 78.0, "inconclusive"),
        (None, None, 68.1, "inconclusive"),
        (None, None, 68.0, "pass"),
        (5.0, None, 80.0, "fail"),
        (5.0, 60.0, 70.0, "inconclusive"),
        (5.0, 60.0, 60.0, "pass"),
        (1.0, None, 60.0, "fail"),
        (3.0, None, 60.0, "inconclusive"),
        (5.0, 80.0, 60.0, "fail"),
    ],
)
def test_the_worst_of_all_limits_counts(max_drop, min_score, min_clean, verdict):
    assert decide(DROP, SCORE, max_drop, min_score, CLEAN, min_clean) == verdict


def test_flags_are_judged_by_the_score_interval_of_the_clean_ones(flag_pair):
    found = judged(flag_pair(140, 12, 5, 43), min_clean=76.0)
    assert found.verdict == "inconclusive"
    assert found.score_interval is None
    assert found.clean_interval == wilson.score_interval(200, 152, 0.95)
    assert found.reason == (
        "the clean score of 76.0 (95 % interval 69.6 to 81.5) has to reach 76.0; "
        "top1 fell by 3.5 points (76.0 to 72.5, 95 % interval -0.6 to 8.1)"
    )
    assert judged(flag_pair(140, 12, 5, 43), min_clean=69.0).verdict == "pass"
    assert judged(flag_pair(140, 12, 5, 43), min_clean=82.0).verdict == "fail"


def test_the_sentence_begins_with_the_limit_that_failed(flag_pair):
    found = judged(flag_pair(140, 12, 5, 43), max_drop=9.0, min_score=72.0, min_clean=90.0)
    assert found.verdict == "fail"
    assert found.reason == (
        "the clean score of 76.0 (95 % interval 69.6 to 81.5) has to reach 90.0; "
        "the score of 72.5 (95 % interval 65.9 to 78.3) has to reach 72.0; "
        "top1 fell by 3.5 points (76.0 to 72.5, 95 % interval -0.6 to 8.1), allowed 9.0"
    )


def test_every_limit_is_in_the_sentence(flag_pair):
    found = judged(flag_pair(140, 12, 5, 43), max_drop=9.0, min_score=60.0, min_clean=60.0)
    assert found.verdict == "pass"
    assert found.reason == (
        "top1 fell by 3.5 points (76.0 to 72.5, 95 % interval -0.6 to 8.1), allowed 9.0; "
        "the score of 72.5 (95 % interval 65.9 to 78.3) has to reach 60.0; "
        "the clean score of 76.0 (95 % interval 69.6 to 81.5) has to reach 60.0"
    )


def test_other_scores_are_judged_by_the_bootstrap_of_the_clean_ones(mean_scorer):
    values = np.random.default_rng(0).uniform(40, 100, 300)
    pair = mean_scorer(values), mean_scorer(values - 1)
    found = judged(pair, metric="miou", images=300, min_clean=60.0)
    mirrored = judged((pair[1], pair[0]), metric="miou", images=300, min_score=60.0)
    assert found.verdict == "pass"
    assert found.clean_interval == mirrored.score_interval
    assert judged(pair, metric="miou", images=300, min_clean=80.0).verdict == "fail"


def test_an_inconclusive_cell_is_settled_by_the_point_of_the_clean_score_too():
    judgement = Judgement(76.0, 74.0, DROP, None, "inconclusive", "")
    by_point = {"max_drop": 5.0, "min_score": None, "policy": Policy(on_inconclusive="point"), "strict": False}
    assert settle(judgement, **by_point, min_clean=76.0).outcome == "passed"
    assert settle(judgement, **by_point, min_clean=76.1) == (
        "failed",
        "point",
        "inconclusive, failed by on_inconclusive: point",
    )


def flags(share, images, seed):
    return np.random.default_rng(seed).random(images) < share


def stopped(flag_pair, share, **limits):
    """The judgement of the first look that decides, at which no compressed prediction differs from its clean one."""
    kind = type(flag_pair(1, 0, 0, 0)[0])
    wanted = {"metric": "top1", "max_drop": None, "min_score": None, "confidence": 0.95, "seed": 0}
    early, right = EarlyStop(5000, **(wanted | limits)), flags(share, 5000, 1)
    for images in range(32, 5000, 32):
        if early.due(images):
            judgement = early.look(kind(right[:images]), kind(right[:images]), images)
            if judgement is not None:
                return images, judgement
    return 5000, early.last(kind(right), kind(right), 5000)


def test_looks_at_flags_decide_on_the_clean_floor(flag_pair):
    images, found = stopped(flag_pair, 0.3, min_clean=70.0)
    assert images < 500
    assert found.verdict == "fail"
    assert found.clean_interval.high < 70
    assert "the clean score of" in found.reason
    assert "has to reach 70.0" in found.reason
    images, found = stopped(flag_pair, 0.9, min_clean=70.0)
    assert (images < 500, found.verdict) == (True, "pass")


def test_a_drop_that_is_certain_waits_for_the_clean_floor(flag_pair):
    alone, _ = stopped(flag_pair, 0.72, max_drop=30.0)
    both, found = stopped(flag_pair, 0.72, max_drop=30.0, min_clean=70.0)
    assert alone < both
    assert found.clean_interval is not None


def test_looks_at_other_scores_decide_on_the_clean_floor(mean_scorer):
    values = np.random.default_rng(0).uniform(20, 40, 1000)
    early = EarlyStop(1000, metric="miou", max_drop=None, min_score=None, confidence=0.95, seed=0, min_clean=70.0)
    assert early.due(64)
    found = early.look(mean_scorer(values[:64]), mean_scorer(values[:64]), 64)
    assert found is not None
    assert (found.verdict, found.clean_interval.high < 70) == ("fail", True)
