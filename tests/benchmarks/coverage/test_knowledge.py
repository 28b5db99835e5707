"""The script that counts how often a model that knows something is called ignorant, on a few small sets."""

from __future__ import annotations

import pytest

from benchmarks.coverage import knowledge
from benchmarks.coverage.knowledge import Row, called_ignorant, classifier, detector, inspector, report, segmenter


@pytest.mark.parametrize(
    ("task", "ignorant", "able"),
    [
        ("classification", inspector(0.5, 0.0, 0.0), classifier(4, 0.9)),
        ("segmentation", segmenter(0.0), segmenter(0.9)),
        ("detection", detector(0.0), detector(0.9)),
    ],
)
def test_models_at_both_ends_are_told_apart(task, ignorant, able):
    assert called_ignorant(Row(task, 40, "", ignorant), 2, 0) == (2, 2)
    assert called_ignorant(Row(task, 40, "", able), 2, 0) == (2, 0)


def test_sets_that_the_rule_does_not_apply_to_are_not_counted():
    assert called_ignorant(Row("classification", 35, "", classifier(4, 0.9)), 3, 0) == (0, 0)


def test_the_table_has_a_line_per_row():
    lines = list(report(2, knowledge.ROWS[:2], 0))
    assert lines[0] == "| task | images | the model | sets | the rule applies | called ignorant |"
    assert lines[2:] == [
        "| classification | 36 | 2 classes, 20 % known | 2 | 2 | 0 |",
        "| classification | 36 | 2 classes, 50 % known | 2 | 2 | 0 |",
    ]
