"""Scores of single classes, from the evidence that the cell's score is made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from compress_guard.engine.cells.cell_pass import Passed, Score
from compress_guard.engine.images.naming.names import Names
from compress_guard.records import ClassScore, LossFigures
from compress_guard.tasks.scorer import ClassScorer

MOST_CLASSES: Final = 100
"""Most classes in a result."""


def with_classes(losses: LossFigures, score: Score, passed: Passed, names: Names) -> LossFigures:
    """Return the losses with the scores of the classes that the score is a mean over, by label.

    They are on the evidence that `score` made the cell's score of. Of more than `MOST_CLASSES` those that lost most
    are kept.
    """
    if losses.harmful_flips is not None:
        return losses  # a mean over images
    clean, compressed = score(passed.clean), score(passed.evidence)
    if not (isinstance(clean, ClassScorer) and isinstance(compressed, ClassScorer)):
        return losses
    before, after = clean.by_class(), compressed.by_class()
    scores = [ClassScore(label, names.classes.get(label), before[label], after[label]) for label in before]
    most = sorted(scores, key=lambda each: (each.score - each.clean, each.label))[:MOST_CLASSES]
    return replace(losses, class_scores=tuple(sorted(most, key=lambda each: each.label)))
