"""Every flag of every detection, held against the matches that pycocotools' COCOeval publishes."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.tasks.matching import AREAS, BITS, Boxes, Truth, match, ranked


def read(pair):
    """Detections that are ranked, their scores, and the truth, as the task hands them to `match`."""
    found, target = pair
    labels, scores = np.asarray(found["labels"], dtype=np.int64), np.asarray(found["scores"])
    order = ranked(labels, scores)
    detections = Boxes(np.asarray(found["boxes"], dtype=float).reshape(-1, 4)[order], labels[order])
    boxes = np.asarray(target["boxes"], dtype=float).reshape(-1, 4)
    objects = Boxes(boxes, np.asarray(target["labels"], dtype=np.int64))
    return detections, scores[order], Truth(objects, target["area"], np.asarray(target["iscrowd"], dtype=bool))


def evaluated(detections, scores, truth):
    """COCOeval's evaluations of one image: a dict for each class and area range."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def rows(boxes):
        columns = (boxes.labels.tolist(), boxes.corners_and_sides.tolist())
        return [{"image_id": 1, "category_id": label, "bbox": box} for label, box in zip(*columns, strict=True)]

    wanted, answers = rows(truth.objects), rows(detections)
    for number, (row, area, crowd) in enumerate(zip(wanted, truth.area.tolist(), truth.crowd.tolist(), strict=True), 1):
        row.update(id=number, area=area, iscrowd=int(crowd))
    for row, score in zip(answers, scores.tolist(), strict=True):
        row["score"] = score
    with contextlib.redirect_stdout(io.StringIO()):
        whole, found = COCO(), COCO()
        categories = [{"id": label} for label in {row["category_id"] for row in wanted + answers}]
        whole.dataset = {"images": [{"id": 1}], "annotations": wanted, "categories": categories}
        whole.createIndex()
        if answers:
            found = whole.loadRes(answers)
        else:
            found.dataset = {**whole.dataset, "annotations": []}
            found.createIndex()
        evaluation = COCOeval(whole, found, "bbox")
        evaluation.params.maxDets = [100]
        evaluation.evaluate()
    return [one for one in evaluation.evalImgs if one is not None]


def assert_equals_cocoeval(pair):
    detections, scores, truth = read(pair)
    ours = match(detections, truth)
    found, ignored = np.zeros_like(ours.found), np.zeros_like(ours.ignored)
    for each in evaluated(detections, scores, truth):
        area = AREAS.index(tuple(map(float, each["aRng"])))
        rows = np.array(each["dtIds"], dtype=int) - 1
        matched, passed = each["dtMatches"] > 0, each["dtIgnore"].astype(bool)
        found[rows, area], ignored[rows, area] = BITS @ (matched & ~passed), BITS @ passed
    np.testing.assert_array_equal(ours.found, found)
    np.testing.assert_array_equal(ours.ignored, ignored)


@pytest.mark.parametrize("seed", range(20))
def test_flags_of_random_scenes(seed, coco_scene):
    rng = np.random.default_rng(seed)
    assert_equals_cocoeval(coco_scene(rng, rng.integers(0, 9), rng.integers(0, 60), classes=int(rng.integers(1, 7))))


def test_flags_where_more_than_100_detections_of_a_class_crowd_together(coco_scene):
    assert_equals_cocoeval(coco_scene(np.random.default_rng(0), 12, 400, classes=2))


CORNERS = st.integers(0, 4).map(lambda place: 16.0 * place)
SIDES = st.integers(0, 5).map(lambda side: 16.0 * side)
BOX = st.tuples(CORNERS, CORNERS, SIDES, SIDES).map(lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3]))
LABEL = st.integers(0, 1)
OBJECT = st.tuples(BOX, LABEL, st.booleans(), st.sampled_from([500.0, 1023.0, 1024.0, 1025.0, 9216.0, 20000.0]))
DETECTION = st.tuples(BOX, LABEL, st.sampled_from([0.1, 0.5, 0.9]))


@settings(max_examples=150, deadline=None)
@given(objects=st.lists(OBJECT, max_size=7), detections=st.lists(DETECTION, max_size=15))
def test_flags_where_boxes_scores_and_areas_are_often_equal(objects, detections):
    boxes, labels, crowds, areas = zip(*objects, strict=True) if objects else ((),) * 4
    where, named, scores = zip(*detections, strict=True) if detections else ((),) * 3
    target = {"boxes": boxes, "labels": labels, "iscrowd": crowds, "area": np.array(areas, dtype=float)}
    assert_equals_cocoeval(({"boxes": where, "labels": named, "scores": np.array(scores, dtype=float)}, target))


def test_of_objects_that_overlap_equally_the_last_is_taken_and_then_the_other():
    square, ends = (0.0, 0.0, 100.0, 100.0), np.array([1e4, 500.0])
    target = {"boxes": [square, square], "labels": [0, 0], "iscrowd": [0, 0], "area": ends}
    detections, _, truth = read(
        ({"boxes": [square] * 3, "labels": [0] * 3, "scores": np.array([0.9, 0.8, 0.7])}, target)
    )
    matches = match(detections, truth)
    every = int(BITS.sum())
    # The last object is small by its stated area and large ones need not be found there, and the other way round.
    assert matches.found[:, 0].tolist() == [every, every, 0]
    assert matches.found[:, 1].tolist() == [every, 0, 0]
    assert matches.ignored[:, 1].tolist() == [0, every, every]
    assert matches.found[:, 3].tolist() == [every, 0, 0]
    assert matches.ignored[:, 3].tolist() == [0, every, 0]


def test_many_classes_of_many_objects_take_little_memory():
    labels = np.repeat(np.arange(1000), 20)
    boxes = np.tile([0.0, 0.0, 40.0, 40.0], (len(labels), 1))
    truth = Truth(Boxes(boxes, labels), np.full(len(labels), 1600.0), np.zeros(len(labels), dtype=bool))
    matches = match(Boxes(boxes, labels), truth)
    assert (matches.found[:, 0] == BITS.sum()).all()
