"""What a task says of a model's knowledge: labels of both sides, the images that tell, and the best constant answer."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.registry import TASKS

SIZE = (8, 10)


def items(task, pairs):
    made = TASKS.resolve(task)()
    return made, [
        made.evidence(made.prediction(answer, SIZE), made.target(target, SIZE), SIZE) for answer, target in pairs
    ]


def scores(label, classes=6):
    return np.eye(classes, dtype=np.float32)[label]


def test_of_labels_it_is_the_first_answer_and_the_truth():
    task, evidence = items("classification", [(scores(2), 1), (scores(2), 1), (scores(0), 5), (scores(1), 3)])
    skill = task.skill(evidence)
    assert skill.test.predicted.tolist() == [2, 2, 0, 1]
    assert skill.test.target.tolist() == [1, 1, 5, 3]
    assert (skill.answered.tolist(), skill.truth.tolist(), skill.telling) == ([0, 1, 2], [1, 3, 5], 2)


def random_maps(seed, images=7, classes=4):
    random = np.random.default_rng(seed)
    truth = random.choice(classes, (images, *SIZE), p=[0.5, 0.3, 0.15, 0.05])
    truth[random.random(truth.shape) < 0.1] = 255
    return random.integers(0, classes, truth.shape), truth


@pytest.mark.parametrize("seed", range(4))
def test_no_constant_map_scores_better_than_the_baseline(seed):
    answers, truth = random_maps(seed)
    task, evidence = items("segmentation", zip(answers, truth, strict=True))
    weights = np.ones((1, len(truth)))
    constants = []
    for label in range(5):
        made = items("segmentation", [(np.full(SIZE, label), one) for one in truth])[1]
        constants.append(float(task.scorer("miou", made)(weights)[0]))
    skill = task.skill(evidence)
    assert float(skill.test.baseline(weights)[0]) == max(constants)
    assert float(skill.test.scorer(weights)[0]) == float(task.scorer("miou", evidence)(weights)[0])
    assert (skill.constant, skill.telling) == (False, len(truth))


def test_the_best_constant_map_differs_from_the_baseline_in_no_weighting():
    _, truth = random_maps(0)
    task, evidence = items("segmentation", [(np.zeros(SIZE, int), one) for one in truth])
    skill = task.skill(evidence)
    weights = np.random.default_rng(0).integers(0, 4, (50, len(truth))).astype(float)
    assert np.array_equal(skill.test.scorer(weights), skill.test.baseline(weights))
    assert skill.constant


def test_maps_of_one_class_tell_nothing():
    mask = np.full(SIZE, 255)
    mask[:4] = 0
    task, evidence = items("segmentation", [(np.ones(SIZE, int), mask)] * 3)
    skill = task.skill(evidence)
    assert (skill.truth.tolist(), skill.answered.tolist(), skill.telling) == ([0], [1], 0)
    ignored = task.skill(items("segmentation", [(np.ones(SIZE, int), np.full(SIZE, 255))])[1])
    assert (ignored.truth.tolist(), ignored.telling) == ([], 0)


def boxes(*rows, labels=None, scored=False):
    made = {
        "boxes": np.array(rows, dtype=float).reshape(-1, 4),
        "labels": np.array(labels or [1] * len(rows), dtype=int),
    }
    return made | {"scores": np.ones(len(rows), dtype=np.float32)} if scored else made


BOX = (1, 1, 6, 5)


def test_of_boxes_it_is_coco_s_precision_and_the_images_with_objects_tell():
    crowd = boxes(BOX) | {"iscrowd": np.array([1])}
    pairs = [
        (boxes(BOX, labels=[4], scored=True), boxes(BOX, labels=[2])),
        (boxes(BOX, scored=True), boxes()),
        (boxes(scored=True), crowd),
    ]
    task, evidence = items("detection", pairs)
    skill = task.skill(evidence)
    assert (skill.answered.tolist(), skill.truth.tolist(), skill.telling) == ([1, 4], [2], 1)
    assert (skill.test.baseline, skill.test.least) == (None, 0.5)
    assert float(skill.test.scorer(np.ones((1, 3)))[0]) == float(task.scorer("map", evidence)(np.ones((1, 3)))[0])


@pytest.mark.parametrize(
    ("answer", "target", "said"),
    [
        (BOX, BOX, ()),
        (BOX, (0.1, 0.1, 0.6, 0.7), ("boxes of the truth lie in 0.1 to 0.7: expected pixels",)),
        ((0, 0, 1, 1), BOX, ("boxes of the model lie in 0 to 1: expected pixels",)),
        ((10, 10, 60, 50), BOX, ("boxes of the model lie in 10 to 60: expected pixels of images of up to 10",)),
        ((-2, 0, 11, 9), BOX, ()),
    ],
)
def test_boxes_on_another_scale_are_remarked(answer, target, said):
    task = TASKS.resolve("detection")()
    predicted, truth = task.prediction(boxes(answer, scored=True), SIZE), task.target(boxes(target), SIZE)
    assert task.remarks([predicted], [truth], [SIZE]) == said
    assert task.remarks([task.prediction(boxes(scored=True), SIZE)], [task.target(boxes(), SIZE)], [SIZE]) == ()


@pytest.mark.parametrize(
    ("metric", "classes", "target", "said"),
    [
        ("top5", 5, 3, "top5 of 5 scores is 100 whatever the model answers"),
        ("top5", 2, 1, "top5 of 2 scores is 100 whatever the model answers"),
        ("top5", 6, 3, None),
        ("top1", 5, 3, None),
    ],
)
def test_top5_of_five_scores_is_saturated(metric, classes, target, said):
    task, evidence = items("classification", [(scores(0, classes), target)] * 3)
    assert task.saturated(metric, evidence, lambda: [{"scores": scores(0, classes)}]) == said


def test_a_model_is_not_asked_where_its_evidence_tells():
    def asked():
        raise AssertionError("the model was asked")

    missed = [(np.arange(6, dtype=np.float32), 0)]
    beyond = [(scores(5), 5)]
    for pairs in (missed, beyond):
        task, evidence = items("classification", pairs)
        assert task.saturated("top5", evidence, asked) is None
