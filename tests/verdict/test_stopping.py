from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.coverage import looks
from benchmarks.coverage import stopping as simulation
from compress_guard.records import Interval, Judgement
from compress_guard.verdict import judge, stopping
from compress_guard.verdict.stopping import EarlyStop


@pytest.fixture(scope="session")
def flags_of(flag_pair):
    """Scorers of these flags."""
    kind = type(flag_pair(1, 0, 0, 0)[0])
    return lambda clean, compressed: (kind(np.asarray(clean)), kind(np.asarray(compressed)))


@pytest.fixture
def confidences(monkeypatch):
    """At which confidence and how many images `judge` is asked."""
    asked = []

    def asking(*pair, confidence, images, **others):
        asked.append((images, confidence))
        return judge(*pair, confidence=confidence, images=images, **others)

    monkeypatch.setattr(stopping, "judge", asking)
    return asked


def stop(planned=5000, **changes):
    wanted = {"metric": "top1", "max_drop": 2.0, "min_score": None, "confidence": 0.95, "seed": 0}
    return EarlyStop(planned, **(wanted | changes))


def drive(early, make, planned, batch=32):
    """Show a run's images batch by batch, as an engine does; the images used and the judgement."""
    for images in range(batch, planned, batch):
        if early.due(images):
            judgement = early.look(*make(images), images)
            if judgement is not None:
                return images, judgement
    return planned, early.last(*make(planned), planned)


def paired_flags(planned, accuracy, lost, gained, seed):
    """Clean and compressed flags of images of which such shares are right, lost and gained."""
    kinds = np.random.default_rng(seed).choice(4, planned, p=[accuracy - lost, lost, gained, 1 - accuracy - gained])
    return kinds <= 1, (kinds == 0) | (kinds == 2)


def test_without_a_limit_nothing_is_due():
    early = stop(max_drop=None)
    assert not any(early.due(images) for images in range(6000))


def test_all_images_are_no_early_look():
    early = stop(planned=1000)
    assert early.due(999)
    assert not early.due(1000)
    assert not early.due(1001)
    assert not early.due(10)


def test_flags_are_looked_at_often_but_not_forever(flags_of):
    early, seen = stop(planned=5000, max_drop=0.0), []
    for images in range(1, 5000):
        if early.due(images):
            seen.append(images)
            assert early.look(*flags_of(*[[True] * images] * 2), images) is None
    assert seen[:3] == [32, 33, 34]
    assert all(after <= 1.02 * before + 1 for before, after in pairwise(seen))
    assert len(seen) < 300


@pytest.mark.parametrize(("lost", "max_drop", "verdict"), [(0.01, 10.0, "pass"), (0.2, 8.0, "fail")])
def test_far_from_its_limit_a_cell_is_decided_early(flags_of, lost, max_drop, verdict):
    clean, compressed = paired_flags(5000, 0.8, lost, 0.0, seed=1)
    used, found = drive(stop(max_drop=max_drop), lambda images: flags_of(clean[:images], compressed[:images]), 5000)
    assert used <= 400
    assert found.verdict == verdict
    assert found.drop.low <= found.drop.value <= found.drop.high
    assert found.score_interval is None
    scored = judge(
        *flags_of(clean[:used], compressed[:used]),
        metric="top1",
        max_drop=max_drop,
        min_score=None,
        confidence=0.99,
        seed=0,
        images=used,
    )
    assert (found.clean_score, found.score) == pytest.approx((scored.clean_score, scored.score))
    assert found.drop.value == pytest.approx(scored.drop.value)
    assert found.drop.high - found.drop.low > scored.drop.high - scored.drop.low


def test_what_a_stopped_cell_says(flag_pair):
    found = stop(max_drop=2.0, min_score=85.0).look(*flag_pair(300, 60, 0, 140), 500)
    assert found.verdict == "fail"
    assert found.reason == (
        "top1 fell by 12.0 points (72.0 to 60.0, 99 % interval 7.4 to 18.0), allowed 2.0; "
        "the score of 60.0 (99 % interval 51.7 to 68.2) has to reach 85.0"
    )


def test_what_the_looks_leave_is_for_the_end(flag_pair, confidences):
    undecided = flag_pair(140, 12, 5, 43)
    early = stop(planned=300, max_drop=3.0)
    assert early.look(*undecided, 200) is None
    found = early.last(*undecided, 200)
    assert confidences == [(200, pytest.approx(0.96))]
    assert found.verdict == "inconclusive"
    assert "96 % interval" in found.reason


def test_without_a_look_the_end_has_it_all(flag_pair, confidences):
    early = stop(planned=200, max_drop=3.0)
    assert early.last(*flag_pair(140, 12, 5, 43), 200).verdict == "inconclusive"
    assert confidences == [(200, pytest.approx(0.95))]


def test_one_side_is_enough_to_fail_and_both_are_needed_to_pass(flag_pair):
    lost_many = flag_pair(300, 60, 0, 140)
    assert stop(max_drop=12.0, min_score=75.0).look(*lost_many, 500).verdict == "fail"
    assert stop(max_drop=2.0, min_score=60.0).look(*lost_many, 500).verdict == "fail"
    assert stop(max_drop=12.0, min_score=40.0).look(*lost_many, 500) is None
    assert stop(max_drop=30.0, min_score=60.0).look(*lost_many, 500) is None
    assert stop(max_drop=30.0, min_score=40.0).look(*lost_many, 500).verdict == "pass"
    assert stop(max_drop=None, min_score=40.0).look(*lost_many, 500).verdict == "pass"


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.booleans(), st.booleans()), min_size=32, max_size=200),
    st.none() | st.floats(-100, 150),
    st.none() | st.floats(-10, 150),
)
def test_a_look_decides_or_says_nothing(flags_of, pairs, max_drop, min_score):
    clean, compressed = np.array(pairs).T
    found = stop(max_drop=max_drop, min_score=min_score).look(*flags_of(clean, compressed), len(pairs))
    if found is not None:
        assert found.verdict in ("pass", "fail")
        assert found.drop.low <= found.drop.value <= found.drop.high
        assert (found.score_interval is None) == (min_score is None)


def test_evidence_of_other_images_is_refused(flag_pair):
    with pytest.raises(ValueError, match=r"the evidence has flags of shape \(200,\), expected \(300,\)"):
        stop().look(*flag_pair(140, 12, 5, 43), 300)


@pytest.mark.parametrize("batch", [1, 7, 32, 100, 700])
@pytest.mark.parametrize("planned", [90, 130, 300, 1000, 5000])
def test_scores_without_flags_are_looked_at_a_few_times(mean_scorer, monkeypatch, planned, batch):
    asked = []

    def undecided(*_, confidence, images, **__):
        asked.append((images, confidence))
        return Judgement(50.0, 49.0, Interval(1.0, 0.0, 2.0), None, "inconclusive", "")

    monkeypatch.setattr(stopping, "judge", undecided)
    scorer = mean_scorer(np.zeros(planned))
    used, _ = drive(stop(planned=planned, metric="miou"), lambda _: (scorer, scorer), planned, batch)
    *early, (images, confidence) = asked
    assert used == images == planned
    assert sum(1 - one for _, one in asked) == pytest.approx(0.05)
    assert len(early) <= 4
    assert all(images >= stopping.FEWEST for images, _ in early)
    if early and early[-1][0] >= 0.4 * planned:
        assert confidence == pytest.approx(0.96)
    if batch == 1:
        assert [images for images, _ in early] == list(stopping.looks(planned))


def test_few_images_are_looked_at_less_often():
    assert [stopping.looks(planned) for planned in (100, 130, 300, 1000)] == [
        (),
        (52,),
        (60, 120),
        (50, 100, 200, 400),
    ]


def test_scores_far_from_their_limit_are_decided_early(mean_scorer, confidences):
    values = np.random.default_rng(0).uniform(0, 100, 2000)
    lost = np.random.default_rng(1).uniform(0, 10, 2000)

    def make(images):
        return mean_scorer(values[:images]), mean_scorer(values[:images] - lost[:images])

    used, found = drive(stop(planned=2000, metric="miou", max_drop=8.0), make, 2000)
    assert (used, found.verdict) == (128, "pass")
    assert confidences == [(128, pytest.approx(1 - 0.01 * 128 / 800))]
    assert found.reason.startswith("miou fell by")
    assert "99.84 % interval" in found.reason


def test_an_undefined_score_decides_nothing(rare_scorer):
    early = stop(planned=1000, metric="miou")
    for images in (32, 50, 100, 200, 400):
        assert early.due(images)
        assert early.look(rare_scorer(50.0), rare_scorer(np.nan), images) is None
    assert early.last(rare_scorer(50.0), rare_scorer(np.nan), 1000).verdict == "error"


@pytest.mark.parametrize("case", [simulation.drop_case(0.05, 0.9), simulation.drop_case(0.2, 0.6)])
def test_the_truth_at_the_limit_is_seldom_called_a_failure(case):
    at = simulation.many(case, case.truth, 2000, seed=5)
    under = simulation.many(case, case.truth - simulation.JUST, 2000, seed=6)
    assert np.mean(at.side == 1) <= 0.035
    assert np.mean(under.side == -1) <= 0.035
    assert at.covered.mean() >= 0.95 - 0.01
    assert at.images.mean() > 0.98 * simulation.PLANNED


@pytest.mark.parametrize("distance", [-3, 3])
def test_three_widths_away_a_fifth_of_the_images_is_enough(distance):
    case = simulation.drop_case(0.2, 0.8)
    found = simulation.many(case, case.truth + distance * simulation.width(case), 500, seed=4)
    assert found.images.mean() <= 0.2 * simulation.PLANNED
    assert np.mean(found.side == -np.sign(distance)) > 0.99
    assert found.covered.mean() >= 0.95


def test_the_simulation_stops_as_a_run_does(flags_of):
    case, limit = simulation.drop_case(0.1, 0.7), 0.065
    ends = [*simulation.sizes(5000, 32), 5000]
    for seed in range(4):
        clean, compressed = paired_flags(5000, 0.8, 0.07, 0.03, seed)

        def make(images, clean=clean, compressed=compressed):
            return flags_of(clean[:images], compressed[:images])

        used, found = drive(stop(max_drop=100 * limit), make, 5000)
        lost, gained = np.cumsum(clean & ~compressed), np.cumsum(compressed & ~clean)
        told = simulation.run(
            case, [one[np.array(ends) - 1][np.newaxis].astype(float) for one in (lost, gained)], limit
        )
        assert told.images == [used]
        assert told.side == [{"fail": 1, "pass": -1, "inconclusive": 0}[found.verdict]]


def test_a_sample_is_judged_at_the_looks_of_a_run(mean_scorer):
    class Means:
        name, metrics = "means", ("mean",)

        def scorer(self, metric, items):
            return mean_scorer(np.array(items))

    generator = np.random.default_rng(0)
    values = generator.uniform(30, 60, 500)
    images = looks.Images(Means(), "mean", values, values - generator.uniform(0, 12, 500))
    assert images.drop() == pytest.approx(6, abs=0.5)
    order = generator.choice(500, 300, replace=False)
    story = looks.story(images, order, seed=3)
    for limit in (4.0, 5.9, 7.2, 30.0):
        used, found = drive(
            stop(planned=300, metric="mean", max_drop=limit, seed=3),
            lambda count: images.scorers(order[:count]),
            300,
            batch=60,
        )
        count, interval = story.ending(limit)
        assert (count, interval) == (used, found.drop)
    assert story.full.low >= story.last.low
    assert story.full.high <= story.last.high
