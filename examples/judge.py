"""Scores of the bundled models on their evaluation sets, by the metrics that the gate uses."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from compress_guard.registry import TASKS
from examples import data, models
from examples.shipped import WEIGHTS

_SETS = {"classifier": "classification", "detector": "detection", "segmenter": "segmentation"}
_BATCH = 16


def clean_score(name: str, folder: Path = WEIGHTS, device: str = "cpu", limit: int | None = None) -> float:
    """Return the task's default metric of a bundled model on its first `limit` evaluation pictures, in points."""
    task = TASKS.resolve(_SETS[name])()
    predict = getattr(models, name)(device=device, folder=folder)
    samples = getattr(data, _SETS[name])()
    evidence = []
    for batch in _batches(samples, len(samples) if limit is None else limit):
        predictions = predict([image.to(device) for image, _, _ in batch])
        for (image, target, _), prediction in zip(batch, predictions, strict=True):
            size = (image.shape[1], image.shape[2])
            evidence.append(task.evidence(task.prediction(prediction, size), task.target(target, size), size))
    scorer = task.scorer(task.metrics[0], evidence)
    return float(scorer(np.ones((1, len(evidence))))[0])


def _batches(samples: Sequence[Any], count: int) -> Iterator[list[Any]]:
    for start in range(0, count, _BATCH):
        yield [samples[index] for index in range(start, min(start + _BATCH, count))]
