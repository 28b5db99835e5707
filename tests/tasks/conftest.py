"""Random detections, and the scores that the reference implementations give them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

SIZE = (480, 640)
CLASSES = 6

Pair = tuple[dict[str, Any], dict[str, Any]]


def scene(rng: np.random.Generator, objects: int, detections: int, classes: int = CLASSES) -> Pair:
    """A prediction and a target: most detections lie near an object, some have its label, no two scores are equal."""
    corner, sides = rng.uniform(0, 300, (objects, 2)), np.exp(rng.uniform(np.log(8), np.log(250), (objects, 2)))
    labels = rng.integers(0, classes, objects)
    target = {
        "boxes": np.concatenate([corner, corner + sides], axis=1),
        "labels": labels,
        "iscrowd": (rng.random(objects) < 0.15).astype(np.int64),
        "area": sides.prod(axis=1) * rng.uniform(0.4, 1, objects),
    }
    if objects:
        near = rng.integers(0, objects, detections)
        boxes = target["boxes"][near] + rng.normal(0, 0.1, (detections, 4)) * np.tile(sides[near], 2)
        named = np.where(rng.random(detections) < 0.7, labels[near], rng.integers(0, classes, detections))
    else:
        boxes, named = rng.uniform(0, 300, (detections, 4)), rng.integers(0, classes, detections)
    boxes = np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], axis=1)
    return {"boxes": boxes, "labels": named, "scores": rng.random(detections)}, target


def reference(pairs: list[Pair]) -> dict[str, float]:
    """COCOeval's AP by our metrics' names, in points; NaN where it says -1."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def sides(box: list[float]) -> list[float]:
        return [box[0], box[1], box[2] - box[0], box[3] - box[1]]

    images, annotations, found = [], [], []
    for number, (prediction, target) in enumerate(pairs, 1):
        images.append({"id": number, "height": SIZE[0], "width": SIZE[1]})
        boxes = np.asarray(target["boxes"], dtype=float).reshape(-1, 4)
        crowd = target.get("iscrowd", np.zeros(len(boxes), dtype=int))
        area = target.get("area", np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))
        for box, label, flag, size in zip(boxes.tolist(), list(target["labels"]), list(crowd), list(area), strict=True):
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": int(label),
                    "bbox": sides(box),
                    "area": float(size),
                    "iscrowd": int(flag),
                }
            )
        columns = (np.asarray(prediction[name], dtype=float).tolist() for name in ("boxes", "labels", "scores"))
        for box, label, score in zip(*columns, strict=True):
            found.append({"image_id": number, "category_id": int(label), "bbox": sides(box), "score": score})
    known = {one["category_id"] for one in annotations + found}
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"images": images, "annotations": annotations, "categories": [{"id": one} for one in known]}
        truth.createIndex()
        detections = COCO()
        if found:
            detections = truth.loadRes(found)
        else:
            detections.dataset = {**truth.dataset, "annotations": []}
            detections.createIndex()
        evaluation = COCOeval(truth, detections, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    names = ("map", "map_50", "map_75", "map_small", "map_medium", "map_large")
    return {name: 100 * value if value >= 0 else np.nan for name, value in zip(names, evaluation.stats, strict=False)}


@pytest.fixture(scope="session")
def coco_scene() -> Callable[..., Pair]:
    return scene


@pytest.fixture(scope="session")
def cocoeval() -> Callable[[list[Pair]], dict[str, float]]:
    return reference


@pytest.fixture(scope="session")
def detect() -> Callable[[list[Pair]], list[Any]]:
    """The evidence of predictions and targets."""
    from compress_guard.tasks.detection import Detection

    task = Detection()

    def evidence(pairs: list[Pair]) -> list[Any]:
        return [
            task.evidence(task.prediction(prediction, SIZE), task.target(target, SIZE), SIZE)
            for prediction, target in pairs
        ]

    return evidence
