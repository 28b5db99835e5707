"""Hot paths from predictions to verdicts: evidence, scores of resamples, intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pytest

from benchmarks.coverage.rescoring import Size, generated
from compress_guard.tasks.detection import Detection
from compress_guard.tasks.segmentation import Segmentation
from compress_guard.verdict.bootstrap import interval
from compress_guard.verdict.paired import drop_interval
from compress_guard.verdict.resampling import replicates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from pytest_benchmark.fixture import BenchmarkFixture

SIZE = Size(images=200, classes=20, detections=50, resamples=200)
Columns: TypeAlias = "Mapping[str, NDArray[Any]]"


def _boxes(draw: np.random.Generator, count: int) -> NDArray[np.float64]:
    corners = draw.uniform(0, 500, size=(count, 2))
    return np.concatenate([corners, corners + draw.uniform(20, 100, size=(count, 2))], axis=1)


def _detections() -> tuple[Columns, Columns]:
    """Return 10 objects of 5 classes in one image, and 100 detections: one near each object, and 90 boxes anywhere."""
    draw = np.random.default_rng(0)
    objects, labels = _boxes(draw, 10), draw.integers(1, 6, 10)
    found = np.concatenate([objects + draw.uniform(-3, 3, size=(10, 4)), _boxes(draw, 90)])
    predicted = {
        "boxes": found,
        "labels": np.concatenate([labels, draw.integers(1, 6, 90)]),
        "scores": draw.random(100),
    }
    return predicted, {"boxes": objects, "labels": labels}


def test_detection_evidence(benchmark: BenchmarkFixture) -> None:
    """Time matching 100 detections of one image with 10 objects, as for every prediction of a detector."""
    task, (raw, truth), size = Detection(), _detections(), (600, 600)
    prediction, target = task.prediction(raw, size), task.target(truth, size)
    found = benchmark(task.evidence, prediction, target, size)
    assert found["found"].any()


def test_segmentation_evidence(benchmark: BenchmarkFixture) -> None:
    """Time comparing one label map of 512x512 pixels and 20 classes with its target, as for every prediction."""
    task, size, draw = Segmentation(), (512, 512), np.random.default_rng(0)
    truth = np.kron(draw.integers(0, 20, (16, 16)), np.ones((32, 32), dtype=np.int64))
    wrong = np.where(draw.random(size) < 0.1, draw.integers(0, 20, size), truth)
    prediction, target = task.prediction(wrong, size), task.target(truth, size)
    found = benchmark(task.evidence, prediction, target, size)
    assert int(found["valid"]) == 512 * 512


def test_map_of_resamples(benchmark: BenchmarkFixture) -> None:
    """Time mAP of 200 resamples of 200 images: a tenth of the work for one interval."""
    scorer = Detection().scorer("map", generated(SIZE, 0.9))
    scores = benchmark(replicates, scorer, SIZE.images, 0, SIZE.resamples)
    assert np.isfinite(scores).all()


def test_bootstrap_interval(benchmark: BenchmarkFixture) -> None:
    """Time the interval of a drop in mIoU over 200 images: 2000 resamples of both sides, halves, and all but one."""
    draw = np.random.default_rng(0)
    items = [[_maps(np.random.default_rng(at), share, draw) for at in range(200)] for share in (0.1, 0.15)]
    clean, compressed = (Segmentation().scorer("miou", side) for side in items)
    every = np.ones((1, 200))
    drop = float((clean(every) - compressed(every))[0])
    found = benchmark(interval, clean, compressed, drop, 200, 0, 0.95, (-100.0, 100.0))
    assert found.low < drop < found.high


def _maps(truth: np.random.Generator, wrong: float, draw: np.random.Generator) -> Columns:
    labels = truth.integers(0, 10, (32, 32))
    said = np.where(draw.random((32, 32)) < wrong, draw.integers(0, 10, (32, 32)), labels)
    task, size = Segmentation(), (32, 32)
    return task.evidence(task.prediction(said, size), task.target(labels, size), size)


@pytest.mark.parametrize("images", [300, 50_000])
def test_top1_interval(benchmark: BenchmarkFixture, images: int) -> None:
    """Time the interval of a drop in accuracy from counts of flips; the number of images makes no difference."""
    found = benchmark(drop_interval, images, 12, 4, 0.95)
    assert found.low < found.value < found.high
