"""Scores of single classes are on the evidence that the cell's score is made of."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.engine.cells.attribution import class_scores as module
from compress_guard.engine.cells.attribution.class_scores import with_classes
from compress_guard.engine.cells.cell_pass import Passed
from compress_guard.engine.coding.fidelity import NOTHING
from compress_guard.engine.images.naming.names import Names
from compress_guard.records import ClassScore, Evidence, LossFigures
from compress_guard.registry import TASKS

SIZE = (8, 8)
TASK = TASKS.resolve("segmentation")()


def score(evidence):
    return TASK.scorer("miou", evidence.items)


def maps(wrong):
    """Return evidence of two maps of four stripes, of which `wrong` are answered with label 0."""
    truth = np.add.outer(np.arange(8) // 2, np.zeros(8, dtype=int)) + 1
    guess = np.where(np.isin(truth, wrong), 0, truth)
    item = TASK.evidence(TASK.prediction(guess, SIZE), TASK.target(truth, SIZE), SIZE)
    return Evidence(("a", "b"), (item, item))


@pytest.fixture
def passed():
    return Passed(maps([]), maps([2, 4]), 2, NOTHING)


def test_each_class_has_both_scores_and_its_name(passed):
    losses = with_classes(LossFigures(changed=2), score, passed, Names({}, classes={1: "road", 2: "car"}))
    assert losses.class_scores == (
        ClassScore(1, "road", 100.0, 100.0),
        ClassScore(2, "car", 100.0, 0.0),
        ClassScore(3, None, 100.0, 100.0),
        ClassScore(4, None, 100.0, 0.0),
    )
    whole = score(passed.evidence)(np.ones((1, 2)))[0]
    assert np.mean([each.score for each in losses.class_scores]) == pytest.approx(whole)


def test_of_many_classes_those_that_lost_most_are_kept(passed, monkeypatch):
    monkeypatch.setattr(module, "MOST_CLASSES", 3)
    losses = with_classes(LossFigures(changed=2), score, passed, Names({}))
    assert [each.label for each in losses.class_scores] == [1, 2, 4]


def test_a_mean_over_images_has_none(passed):
    losses = LossFigures(changed=2, harmful_flips=2, helpful_flips=0)
    assert with_classes(losses, score, passed, Names({})) is losses
