"""Scores of single classes: their mean is the score."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.registry import TASKS
from compress_guard.tasks.scorer import ClassScorer

SIZE = (24, 32)


def maps(task):
    rng = np.random.default_rng(0)
    for place in range(6):
        truth = np.add.outer(np.arange(SIZE[0]) // 6, np.zeros(SIZE[1], dtype=int)) + place % 3
        guess = np.where(rng.random(SIZE) < 0.3, rng.integers(0, 9, SIZE), truth)
        yield task.evidence(task.prediction(guess, SIZE), task.target(truth, SIZE), SIZE)


def boxes(task):
    rng = np.random.default_rng(0)
    for _ in range(6):
        corners = rng.uniform(0, 200, (4, 2))
        target = {"boxes": np.concatenate([corners, corners + 20], axis=1), "labels": 3 + 2 * (np.arange(4) % 3)}
        found = {**target, "boxes": target["boxes"] + rng.uniform(-4, 4, (4, 1)), "scores": rng.random(4)}
        yield task.evidence(task.prediction(found, SIZE), task.target(target, SIZE), SIZE)


@pytest.mark.parametrize(
    ("name", "made", "metric", "labels"),
    [
        ("segmentation", maps, "miou", [0, 1, 2, 3, 4, 5]),
        ("detection", boxes, "map", [3, 5, 7]),
        ("detection", boxes, "map_50", [3, 5, 7]),
    ],
)
def test_the_mean_over_classes_is_the_score(name, made, metric, labels):
    task = TASKS.resolve(name)()
    items = list(made(task))
    scorer = task.scorer(metric, items)
    (whole,) = scorer(np.ones((1, len(items))))
    assert isinstance(scorer, ClassScorer)
    scores = scorer.by_class()
    assert list(scores) == labels
    assert len(set(scores.values())) > 1
    assert np.mean(list(scores.values())) == pytest.approx(float(whole))


def test_the_iou_of_a_class_is_counted_over_all_images():
    task = TASKS.resolve("segmentation")()
    truth, guess = np.zeros((2, 4), dtype=int), np.zeros((2, 4), dtype=int)
    truth[0], guess[0, :2] = 1, 1
    item = task.evidence(task.prediction(guess, (2, 4)), task.target(truth, (2, 4)), (2, 4))
    assert task.scorer("miou", [item, item]).by_class() == pytest.approx({0: 100 * 4 / 6, 1: 100 * 2 / 4})


def test_a_mean_over_images_has_no_classes():
    assert not isinstance(TASKS.resolve("classification")().scorer("top1", ()), ClassScorer)
