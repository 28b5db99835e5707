"""A cell against an earlier one: groups, evidence that does not fit, and runs that stopped early."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from compress_guard.engine.releases.baseline import CellEvidence
from compress_guard.engine.releases.comparison import Yardstick, compared
from compress_guard.errors import DataError
from compress_guard.records import Evidence, ImageCounts, Precision, Scores
from compress_guard.tasks.classification import Classification
from compress_guard.verdict.grouped.groups import Groups

IMAGES = tuple(f"{at:03d}" for at in range(120))
SOURCES = Evidence(IMAGES, tuple({"pixels": np.array([at]), "target": np.array([0])} for at in range(120)))


@pytest.fixture
def release(passed_cell):
    """A release that is wrong about these images once they are compressed."""

    def make(wrong: range, **more) -> CellEvidence:
        clean, compressed = (
            Evidence(IMAGES, tuple({"top1": np.array(at not in lost), "top5": np.array(True)} for at in range(120)))
            for lost in (range(0), wrong)
        )
        score = 100 * (120 - len(wrong)) / 120
        scores = Scores(100.0, score, 100 - score, 99 - score, 101 - score)
        result = passed_cell(scores=scores, counts=ImageCounts(images_used=120))
        return CellEvidence(replace(result, **more), clean, compressed, SOURCES)

    return make


def yardstick(groups=None) -> Yardstick:
    task = Classification()
    return Yardstick(lambda evidence: task.scorer("top1", evidence.items), "top1", 0.95, 0, groups)


def clips(ids):
    return Groups.of([int(name) // 10 for name in ids])


def test_images_that_belong_together_widen_the_interval(release):
    base, now = release(range(0)), release(range(40, 70))
    alone, together = compared(base, now, yardstick()), compared(base, now, yardstick(clips))
    assert alone.fall.value == together.fall.value == pytest.approx(25)
    assert together.fall.high - together.fall.low > 1.5 * (alone.fall.high - alone.fall.low)


def test_where_nothing_tells_which_belong_together_images_are_not_paired(release):
    counts = ImageCounts(images_used=120, groups=12)
    base, now = release(range(0), counts=counts), release(range(40, 70), counts=counts)
    made = compared(base, now, yardstick())
    assert made.figures.baseline_remark == (
        "not compared image by image: results do not say which images belong together"
    )
    alone = compared(release(range(0)), release(range(40, 70)), yardstick())
    assert made.fall.high - made.fall.low > 2 * (alone.fall.high - alone.fall.low)


def test_evidence_that_does_not_give_the_score_of_its_results_is_an_error(release):
    base, now = release(range(10)), release(range(10))
    base = replace(base, compressed=release(range(20)).compressed)
    with pytest.raises(DataError) as caught:
        compared(base, now, yardstick())
    assert str(caught.value) == (
        "the evidence of the baseline gives top1 83.3333, and its results say 91.6667; name files as a run has written "
        "them"
    )


def test_evidence_of_another_task_is_an_error(release):
    other = Evidence(IMAGES, tuple({"intersection": np.zeros(2)} for _ in IMAGES))
    base = replace(release(range(10)), compressed=other)
    with pytest.raises(DataError, match=r"^the evidence of the baseline is not that of top1 \(KeyError: "):
        compared(base, release(range(10)), yardstick())


@pytest.mark.parametrize("side", [0, 1])
def test_a_cell_that_stopped_early_is_not_compared(side, release):
    early = {"precision": Precision(stopped_early=True)}
    base, now = (release(range(10), **(early if at == side else {})) for at in range(2))
    whose = ("the baseline", "this run")[side]
    assert compared(base, now, yardstick()).figures.baseline_remark == (
        f"{whose} stopped it early, and the images that it took are no fair sample of all"
    )
