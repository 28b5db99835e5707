"""Does a model know anything? Kappa by its definition, margins by the bootstrap, and how many images it takes."""

from __future__ import annotations

from collections import Counter, defaultdict
from math import sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from compress_guard.tasks.skill import Agreement, Margin, Skill
from compress_guard.verdict import knowledge as known
from compress_guard.verdict.knowledge import kappa, knowledge

LABELS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=80)


def by_definition(pairs, z=1.959963984540054):
    """Kappa and its standard error from the table of both labels, as the paper has them."""
    n = len(pairs)
    table = {pair: count / n for pair, count in Counter(pairs).items()}
    rows: defaultdict[str, float] = defaultdict(float)
    columns: defaultdict[str, float] = defaultdict(float)
    for (row, column), share in table.items():
        rows[row] += share
        columns[column] += share
    classes = set(rows) | set(columns)
    observed = sum(table.get((one, one), 0.0) for one in classes)
    chance = sum(rows[one] * columns[one] for one in classes)
    value = (observed - chance) / (1 - chance)
    # Fleiss, Cohen and Everitt 1969, equation 13.
    on = sum(
        table.get((one, one), 0.0) * ((1 - chance) - (rows[one] + columns[one]) * (1 - observed)) ** 2
        for one in classes
    )
    off = (1 - observed) ** 2 * sum(
        share * (rows[column] + columns[row]) ** 2 for (row, column), share in table.items() if row != column
    )
    variance = (on + off - (observed * chance - 2 * chance + observed) ** 2) / (n * (1 - chance) ** 4)
    return value, z * sqrt(max(variance, 0.0))


def sides(pairs):
    return np.array([one for one, _ in pairs]), np.array([other for _, other in pairs])


@given(LABELS)
def test_kappa_and_its_interval_are_those_of_the_paper(pairs):
    found = kappa(*sides(pairs), 0.95)  # type: ignore[call-arg]  # mypy cannot count what a star brings
    if len({label for pair in pairs for label in pair}) == 1:
        assert found is None
        return
    value, reach = by_definition(pairs)
    assert found.value == pytest.approx(value, abs=1e-12)
    assert found.low == pytest.approx(max(value - reach, -1), abs=1e-7)
    most = 1 if any(one == other for one, other in pairs) else 0
    assert found.high == pytest.approx(min(value + reach, most), abs=1e-7)


@given(LABELS, st.permutations(range(6)))
def test_names_of_classes_do_not_matter(pairs, names):
    predicted, target = sides(pairs)
    one, other = kappa(predicted, target, 0.95), kappa(np.array(names)[predicted], np.array(names)[target], 0.95)
    assert (one is None) == (other is None)
    if one is not None:
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), abs=1e-9)


@given(st.lists(st.integers(0, 5), min_size=2, max_size=80), st.integers(0, 9))
def test_a_perfect_model_has_one_and_a_constant_one_has_exactly_nothing(target, answer):
    target = np.array(target)
    assume(len(set(target.tolist())) > 1)
    perfect = kappa(target, target, 0.95)
    constant = kappa(np.full(len(target), answer), target, 0.95)
    assert (perfect.value, perfect.low, perfect.high) == (1.0, 1.0, 1.0)
    assert (constant.value, constant.low, constant.high) == (0.0, 0.0, 0.0)


def skill(test, truth=(0, 1), answered=(0, 1), telling=50, constant=False):
    return Skill(
        test, np.array(answered), np.array(truth), telling, "anything but the commonest class", "weights", constant
    )


def of_labels(predicted, target):
    return knowledge(skill(Agreement(np.asarray(predicted), np.asarray(target))), len(target), 0, 0.95)


def test_labels_one_off_are_no_knowledge_be_there_many_classes_and_few_images():
    target = np.random.default_rng(0).integers(0, 90, 100)
    found = of_labels(target - 1, target)
    assert found.none
    assert not found.some
    assert found.sentence(0.95) == (
        f"Cohen's kappa {found.interval.value:.3f}, 95 % interval {found.interval.low:.3f} to "
        f"{found.interval.high:.3f}, expected above 0"
    )
    assert found.interval.high < 0


@pytest.mark.parametrize("images", [36, 50, 100, 300])
@pytest.mark.parametrize("seed", range(5))
def test_no_right_answer_is_no_knowledge_be_there_more_classes_than_images(images, seed):
    target = np.random.default_rng(seed).integers(0, 1000, images)
    assert of_labels(target + 1, target).none


def test_a_constant_answer_is_no_knowledge_of_an_imbalanced_set():
    found = of_labels(np.zeros(100, int), [0] * 95 + [1] * 5)
    assert found.none


@pytest.mark.parametrize(("found", "false_alarms"), [(1, 0), (2, 3), (4, 10), (5, 0)])
def test_a_detector_of_rare_defects_knows_something(found, false_alarms):
    target = np.array([1] * 5 + [0] * 295)
    predicted = np.zeros(300, int)
    predicted[:found] = 1
    predicted[5 : 5 + false_alarms] = 1
    assert not of_labels(predicted, target).none


def test_chance_is_not_held_against_a_model():
    random = np.random.default_rng(1)
    called = sum(of_labels(random.integers(0, 4, 100), random.integers(0, 4, 100)).none for _ in range(200))
    assert called <= 12  # 2.5 % of them


def margin(values, baseline, mean_scorer, **keys):
    test = Margin(
        "mIoU", mean_scorer(np.asarray(values)), None if baseline is None else mean_scorer(np.asarray(baseline))
    )
    return knowledge(skill(test, **keys), len(values), 0, 0.95)


def test_a_score_is_compared_with_that_of_a_constant_on_the_same_images(mean_scorer):
    random = np.random.default_rng(0)
    baseline = random.uniform(0, 100, 60)
    assert margin(baseline + 1, baseline, mean_scorer).some
    assert margin(baseline - 1, baseline, mean_scorer).none
    unsure = margin(baseline + random.normal(0, 5, 60), baseline, mean_scorer)
    assert not unsure.none
    assert not unsure.some


def test_what_is_the_same_on_every_image_leaves_no_doubt(mean_scorer):
    found = margin([40.0] * 60, [40.0] * 60, mean_scorer)
    assert found.none
    assert (found.interval.low, found.interval.high) == (0.0, 0.0)


def test_a_constant_answer_of_another_class_than_the_commonest_is_no_knowledge(mean_scorer):
    random = np.random.default_rng(0)
    near, best = random.uniform(0, 50, 60), random.uniform(0, 50, 60) + 0.5
    assert not margin(near, best, mean_scorer).none
    assert margin(near, best, mean_scorer, constant=True).none == (near.mean() <= best.mean())


def alone(values, mean_scorer, **keys):
    test = Margin("mAP", mean_scorer(np.asarray(values)), least=0.5)
    return knowledge(skill(test), len(values), 0, 0.95, **keys)


def test_a_score_alone_has_to_reach_the_least(mean_scorer):
    nothing = alone(np.zeros(100), mean_scorer)
    assert nothing.none
    assert nothing.sentence(0.95) == "mAP 0.00 points, 95 % interval 0.00 to 0.00, expected 0.5 or more"
    assert alone([0.0] * 99 + [5.0], mean_scorer).none  # one lucky match of a hundred
    poor = alone(np.random.default_rng(0).exponential(0.5, 100), mean_scorer)
    assert (poor.none, poor.some) == (False, False)
    assert alone(np.random.default_rng(0).exponential(20, 100), mean_scorer).some


def test_nothing_is_resampled_where_the_value_settles_it(mean_scorer):
    scorer = mean_scorer(np.full(50, 20.0))
    found = knowledge(skill(Margin("mAP", scorer, least=0.5)), 50, 0, 0.95, sure=False)
    assert not found.none
    assert scorer.calls == [(1, 50)]


def test_a_score_that_is_undefined_tells_nothing():
    test = Margin("mAP", lambda weights: np.full(len(weights), np.nan), least=0.5)
    assert knowledge(skill(test), 50, 0, 0.95) is None
    assert of_labels([1, 1], [1, 1]) is None


@pytest.mark.parametrize(
    ("images", "telling", "said"),
    [
        (1, 1, "there is 1 image, and it takes 36"),
        (35, 35, "there are 35 images, and it takes 36"),
        (36, 36, None),
        (100, 5, None),
        (100, 4, "4 of 100 images have anything but the commonest class, and it takes 5"),
        (100, 1, "1 of 100 images has anything but the commonest class, and it takes 5"),
    ],
)
def test_few_images_cannot_tell(images, telling, said):
    assert known.too_few(skill(Agreement(np.zeros(1), np.zeros(1)), telling=telling), images) == said


@settings(max_examples=30)
@given(st.floats(0.5, 0.999))
def test_a_higher_confidence_never_finds_fault_where_a_lower_one_does_not(confidence):
    random = np.random.default_rng(3)
    predicted, target = random.integers(0, 3, 60), random.integers(0, 3, 60)
    low, high = (kappa(predicted, target, level) for level in (0.5, confidence))
    assert high.high >= low.high - 1e-12
