from __future__ import annotations

import numpy as np
import pytest

from compress_guard.records import Interval
from compress_guard.verdict import Remembered, judge
from compress_guard.verdict.judgement import decide


def judged(pair, **changes):
    wanted = {"metric": "top1", "max_drop": None, "min_score": None, "confidence": 0.95, "seed": 0, "images": 200}
    return judge(*pair, **(wanted | changes))


DROP = Interval(3.0, 2.0, 4.0)
SCORE = Interval(70.0, 65.0, 75.0)


@pytest.mark.parametrize(
    ("max_drop", "min_score", "verdict"),
    [
        (None, None, "unjudged"),
        (1.9, None, "fail"),
        (2.0, None, "inconclusive"),
        (3.0, None, "inconclusive"),
        (3.9, None, "inconclusive"),
        (4.0, None, "pass"),
        (None, 75.1, "fail"),
        (None, 75.0, "inconclusive"),
        (None, 65.1, "inconclusive"),
        (None, 65.0, "pass"),
        (1.0, 60.0, "fail"),
        (5.0, 80.0, "fail"),
        (3.0, 80.0, "fail"),
        (1.0, 70.0, "fail"),
        (3.0, 60.0, "inconclusive"),
        (5.0, 70.0, "inconclusive"),
        (3.0, 70.0, "inconclusive"),
        (5.0, 60.0, "pass"),
    ],
)
def test_the_verdict_compares_whole_intervals(max_drop, min_score, verdict):
    assert decide(DROP, SCORE, max_drop, min_score) == verdict


def test_flags_are_judged_by_their_score_interval(flag_pair):
    found = judged(flag_pair(140, 12, 5, 43), max_drop=9.0)
    assert (found.clean_score, found.score, found.drop.value) == (76.0, 72.5, 3.5)
    assert found.verdict == "pass"
    assert found.score_interval is None
    assert found.reason == "top1 fell by 3.5 points (76.0 to 72.5, 95 % interval -0.6 to 8.1), allowed 9.0"


def test_the_order_of_images_does_not_matter_but_their_pairing_does(flag_pair):
    clean, compressed = flag_pair(140, 12, 5, 43)
    order = np.random.default_rng(0).permutation(200)
    same = (type(clean)(clean.flags[order]), type(clean)(compressed.flags[order]))
    assert judged(same).drop == judged((clean, compressed)).drop
    torn = (type(clean)(clean.flags[order]), compressed)
    assert judged(torn).drop.value == pytest.approx(3.5)
    assert judged(torn).drop.high > judged((clean, compressed)).drop.high + 1


def test_a_floor_is_judged_on_the_interval_of_the_compressed_score(flag_pair):
    found = judged(flag_pair(140, 12, 5, 43), min_score=72.0)
    assert found.verdict == "inconclusive"
    assert found.score_interval.value == 72.5
    assert found.reason == (
        "the score of 72.5 (95 % interval 65.9 to 78.3) has to reach 72.0; "
        "top1 fell by 3.5 points (76.0 to 72.5, 95 % interval -0.6 to 8.1)"
    )
    assert judged(flag_pair(140, 12, 5, 43), min_score=80.0).verdict == "fail"
    assert judged(flag_pair(140, 12, 5, 43), min_score=60.0).verdict == "pass"


def test_no_flip_still_leaves_a_doubt(flag_pair):
    found = judged(flag_pair(150, 0, 0, 50), max_drop=1.0)
    assert found.verdict == "inconclusive"
    assert found.reason == "top1 stayed at 75.0 (95 % interval of the drop -1.9 to 1.9), allowed drop 1.0"
    assert judged(flag_pair(150, 0, 0, 50), max_drop=2.0).verdict == "pass"


def test_scores_without_flags_are_judged_by_the_paired_bootstrap(mean_scorer):
    values = np.random.default_rng(1).uniform(30, 90, 200)
    pair = mean_scorer(values), mean_scorer(values - 5)
    found = judged(pair, metric="miou", max_drop=4.9, min_score=10.0)
    assert (found.verdict, found.drop.value) == ("inconclusive", pytest.approx(5))
    assert found.score_interval.low < found.score < found.score_interval.high
    assert judged(pair, max_drop=2.9, min_score=10.0).verdict == "fail"
    assert judged(pair, max_drop=7.1, min_score=40.0).verdict == "pass"
    assert judged(pair, min_score=found.score).verdict == "inconclusive"


def test_an_identical_model_loses_nothing_that_these_images_show(mean_scorer):
    values = np.random.default_rng(1).uniform(30, 90, 200)
    found = judged((mean_scorer(values), mean_scorer(values.copy())), metric="map", max_drop=2.0)
    assert (found.drop.value, found.verdict) == (0.0, "pass")
    assert 1.8 < found.drop.high == -found.drop.low < 2.0  # as with 200 flags of which none flips


def test_same_seed_same_interval(mean_scorer):
    generator = np.random.default_rng(1)
    pair = mean_scorer(generator.uniform(30, 90, 50)), mean_scorer(generator.uniform(20, 80, 50))
    first = judged(pair, images=50, seed=3)
    assert judged((Remembered(pair[0]), pair[1]), images=50, seed=3) == first
    assert judged(pair, images=50, seed=4).drop != first.drop
    assert judged(pair, images=50, seed=4).drop.value == first.drop.value


def test_one_image_settles_nothing(mean_scorer):
    found = judged((mean_scorer(np.array([50.0])), mean_scorer(np.array([49.0]))), images=1, max_drop=2.0)
    assert (found.verdict, found.drop) == ("inconclusive", Interval(1.0, -100.0, 100.0))


def test_no_limit_is_unjudged(flag_pair):
    found = judged(flag_pair(140, 12, 5, 43))
    assert found.verdict == "unjudged"
    assert found.reason == "top1 fell by 3.5 points (76.0 to 72.5, 95 % interval -0.6 to 8.1), no limit is set"


def test_an_undefined_score_is_an_error(mean_scorer, rare_scorer):
    nothing = mean_scorer(np.full(5, np.nan))
    found = judged((nothing, nothing), metric="map", images=5, max_drop=2.0)
    assert (found.verdict, found.clean_score, found.score, found.drop) == ("error", None, None, None)
    assert found.reason == (
        "map is undefined on the clean and the compressed images: 5 images without ground truth for it; "
        "give the guard images that have some"
    )
    found = judged((mean_scorer(np.full(5, 40.0)), nothing), metric="map", images=5, max_drop=2.0)
    assert (found.verdict, found.clean_score, found.score) == ("error", 40.0, None)
    assert found.reason.startswith("map is undefined on the compressed images: 5 images")


def test_no_image_is_an_error(flag_pair):
    found = judged(flag_pair(0, 0, 0, 0), images=0, max_drop=2.0)
    assert (found.verdict, found.reason) == ("error", "top1 is undefined: there is no image to score")


def test_evidence_of_another_number_of_images_is_refused(flag_pair, mean_scorer):
    class Loose:
        def __init__(self, flags):
            self.flags = flags

        def __call__(self, weights):
            return np.array([50.0])

    pair = Loose(np.ones(3, dtype=bool)), Loose(np.ones(3, dtype=bool))
    with pytest.raises(ValueError, match=r"flags of shape \(3,\), expected \(4,\)"):
        judged(pair, images=4, max_drop=2.0)
