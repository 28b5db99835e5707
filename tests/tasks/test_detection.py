from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.records import Evidence
from compress_guard.tasks.detection import Detection

TASK = Detection()
WHOLE = (0.0, 0.0, 100.0, 100.0)


def scores(items, weights=None):
    weights = np.ones((1, len(items))) if weights is None else np.asarray(weights, dtype=float)
    return {metric: TASK.scorer(metric, items)(weights) for metric in TASK.metrics}


def target(*boxes, labels=None, **more):
    return {
        "boxes": np.array(boxes, dtype=float).reshape(-1, 4),
        "labels": np.zeros(len(boxes), dtype=int) if labels is None else np.array(labels, dtype=int),
        **more,
    }


def prediction(*rows):
    """Rows of box, score and label."""
    return {
        "boxes": np.array([row[0] for row in rows], dtype=float).reshape(-1, 4),
        "scores": np.array([row[1] for row in rows], dtype=float),
        "labels": np.array([row[2] for row in rows], dtype=int),
    }


HAND_MADE = {
    "a perfect detection": [(prediction((WHOLE, 0.9, 0)), target(WHOLE))],
    "no detection": [(prediction(), target(WHOLE))],
    "no object in one image": [
        (prediction((WHOLE, 0.9, 0)), target()),
        (prediction((WHOLE, 0.8, 0)), target(WHOLE)),
    ],
    "nothing anywhere": [(prediction(), target())],
    "no object anywhere": [(prediction((WHOLE, 0.9, 0)), target())],
    "a class that is only detected": [(prediction((WHOLE, 0.9, 0), (WHOLE, 0.8, 7)), target(WHOLE))],
    "a class that is not detected": [
        (prediction((WHOLE, 0.9, 0)), target(WHOLE, (0, 0, 50, 50), labels=[0, 3])),
    ],
    "an object found twice": [(prediction((WHOLE, 0.9, 0), (WHOLE, 0.8, 0)), target(WHOLE, (200, 200, 260, 290)))],
    "a crowd found twice": [
        (
            prediction((WHOLE, 0.9, 0), ((0, 0, 50, 50), 0.8, 0), ((200, 200, 300, 300), 0.7, 0)),
            target(WHOLE, (200, 200, 300, 300), iscrowd=np.array([1, 0])),
        )
    ],
    "only a crowd": [(prediction((WHOLE, 0.9, 0)), target(WHOLE, iscrowd=np.array([1])))],
    "an object is taken before the crowd around it": [
        (
            prediction(((0, 0, 60, 60), 0.9, 0), ((0, 0, 90, 90), 0.5, 0)),
            target(WHOLE, (0, 0, 60, 65), iscrowd=np.array([1, 0])),
        )
    ],
    "areas as the data states them": [
        (
            prediction((WHOLE, 0.9, 0), ((200, 200, 300, 300), 0.8, 0)),
            target(WHOLE, (200, 200, 300, 300), area=np.array([500.0, 5000.0])),
        )
    ],
    "areas on the bounds of the ranges": [
        (
            prediction(((0, 0, 32, 32), 0.9, 0), ((100, 100, 196, 196), 0.8, 0)),
            target((0, 0, 32, 32), (100, 100, 196, 196)),
        )
    ],
    "an IoU of exactly a threshold": [
        (prediction(((0, 0, 100, 50), 0.9, 0)), target(WHOLE)),
        (prediction(((0, 0, 100, 75), 0.8, 0)), target(WHOLE)),
    ],
    "a box without area": [(prediction(((10, 10, 10, 50), 0.9, 0), (WHOLE, 0.8, 0)), target(WHOLE))],
    "recalls of whole hundredths": [
        (prediction(*[((i, 0, i + 0.5, 40), 1 - i / 200, 0) for i in range(100) if i % 7]), target(*[(i, 0, i + 0.5, 40)
         for i in range(100)])),
    ],
}  # fmt: skip


@pytest.mark.parametrize("pairs", HAND_MADE.values(), ids=HAND_MADE)
def test_equals_cocoeval_on_hand_made_cases(pairs, detect, cocoeval):
    ours = {name: value.item() for name, value in scores(detect(pairs)).items()}
    assert ours == pytest.approx(cocoeval(pairs), abs=1e-9, nan_ok=True)


def test_hand_made_values(detect):
    def score(name):
        return scores(detect(HAND_MADE[name]))

    assert score("a perfect detection")["map"] == pytest.approx([100])
    assert score("no detection")["map"] == [0]
    assert np.isnan(score("no object anywhere")["map"])
    assert score("an IoU of exactly a threshold")["map_50"] == pytest.approx([100])
    # One object of each range, named by the area that the data states: 500 is small, 5000 is medium.
    stated = score("areas as the data states them")
    assert (stated["map_small"], stated["map_medium"]) == (pytest.approx([100]), pytest.approx([100]))
    assert np.isnan(stated["map_large"])


@pytest.mark.parametrize("seed", range(4))
def test_equals_cocoeval_and_torchmetrics_on_random_images(seed, coco_scene, detect, cocoeval):
    import torch
    from torchmetrics.detection import MeanAveragePrecision

    rng = np.random.default_rng(seed)
    pairs = [coco_scene(rng, rng.integers(0, 9), rng.integers(0, 40)) for _ in range(25)]
    ours = {name: value.item() for name, value in scores(detect(pairs)).items()}
    assert ours == pytest.approx(cocoeval(pairs), abs=1e-9)

    # In float64, as COCOeval has them: by default torchmetrics rounds the recalls to float32 and moves some precisions.
    metric = MeanAveragePrecision(
        backend="faster_coco_eval",
        rec_thresholds=np.linspace(0, 1, 101).tolist(),
        iou_thresholds=np.linspace(0.5, 0.95, 10).tolist(),
    )
    for found, truth in pairs:
        metric.update(
            [{name: torch.from_numpy(value) for name, value in found.items()}],
            [{name: torch.from_numpy(value) for name, value in truth.items()}],
        )
    theirs = metric.compute()
    assert ours == pytest.approx({name: 100 * theirs[name].item() for name in TASK.metrics}, abs=1e-4)


def test_only_the_100_highest_scores_of_a_class_and_image_count(coco_scene, detect, cocoeval):
    rng = np.random.default_rng(0)
    pairs = [coco_scene(rng, 12, 400, classes=2) for _ in range(3)]
    items = detect(pairs)
    assert all(np.bincount(item["labels"]).tolist() == [100, 100] for item in items)
    ours = {name: value.item() for name, value in scores(items).items()}
    assert ours == pytest.approx(cocoeval(pairs), abs=1e-9)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), times=st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_whole_weights_are_cocoeval_on_repeated_images(seed, times, coco_scene, detect, cocoeval):
    rng = np.random.default_rng(seed)
    pairs = [coco_scene(rng, rng.integers(0, 6), rng.integers(0, 25), classes=3) for _ in times]
    ours = {name: value.item() for name, value in scores(detect(pairs), [times]).items()}
    repeated = [pair for pair, count in zip(pairs, times, strict=True) for _ in range(count)]
    expected = cocoeval(repeated) if repeated else dict.fromkeys(TASK.metrics, np.nan)
    assert ours == pytest.approx(expected, abs=1e-9, nan_ok=True)


def weighted_by_definition(pairs, items, weights):
    """AP at IoU 0.5 straight from its definition, one detection at a time, for one weighting."""
    precisions = []
    for label in sorted({int(one) for item in items for one in item["truth_labels"]}):
        wanted = sum(
            weight * item["truth_counts"][item["truth_labels"] == label, 0].sum()
            for item, weight in zip(items, weights, strict=True)
        )
        if not wanted:
            continue
        rows = sorted(
            (-score, weight, bool(found & 1), bool(ignored & 1))
            for item, weight in zip(items, weights, strict=True)
            for one, score, found, ignored in zip(
                item["labels"], item["scores"], item["found"][:, 0], item["ignored"][:, 0], strict=True
            )
            if one == label
        )
        curve, hits, all_ = [], 0.0, 0.0
        for _, weight, found, ignored in rows:
            if weight and not ignored:
                hits, all_ = hits + weight * found, all_ + weight
                curve.append((hits / wanted, hits / all_))
        recalls = np.linspace(0, 1, 101)
        precisions.append(
            np.mean([max((p for reached, p in curve if reached >= recall - 1e-12), default=0.0) for recall in recalls])
        )
    return 100 * np.mean(precisions)


@pytest.mark.parametrize("seed", range(3))
def test_fractional_weights(seed, coco_scene, detect):
    rng = np.random.default_rng(seed)
    pairs = [coco_scene(rng, rng.integers(1, 6), rng.integers(0, 25), classes=3) for _ in range(12)]
    items, weights = detect(pairs), rng.dirichlet(np.ones(12), 5)
    expected = [weighted_by_definition(pairs, items, row) for row in weights]
    assert TASK.scorer("map_50", items)(weights) == pytest.approx(expected, abs=1e-9)


def test_a_full_recall_survives_the_rounding_of_fractional_weights(detect):
    items = detect([HAND_MADE["a perfect detection"][0]] * 30)
    weights = np.random.default_rng(0).dirichlet(np.ones(30), 200)
    assert TASK.scorer("map", items)(weights) == pytest.approx(np.full(200, 100.0), abs=1e-9)


def test_many_weightings_at_once_are_the_same_as_one_by_one(coco_scene, detect, monkeypatch):
    rng = np.random.default_rng(5)
    items = detect([coco_scene(rng, 4, 20) for _ in range(10)])
    weights = rng.multinomial(10, np.full(10, 0.1), 260).astype(float)
    scorer = TASK.scorer("map", items)
    together = scorer(weights)
    assert together == pytest.approx(np.concatenate([scorer(row[None]) for row in weights]), abs=1e-9)
    monkeypatch.setattr("compress_guard.tasks.precision.BLOCK", 7)
    assert (scorer(weights) == together).all()


def test_a_class_without_objects_in_a_weighting_has_no_part_in_it(detect):
    pairs = [
        (prediction((WHOLE, 0.9, 0)), target(WHOLE)),
        (prediction((WHOLE, 0.8, 0)), target(WHOLE, labels=[1])),
    ]
    weightings = [[1, 1], [1, 0], [0, 1], [0, 0]]
    assert scores(detect(pairs), weightings)["map"] == pytest.approx([50, 100, 0, np.nan], abs=1, nan_ok=True)


def test_evidence_survives_bytes_and_merging(coco_scene, detect):
    rng = np.random.default_rng(3)
    pairs = [coco_scene(rng, 4, 20), coco_scene(rng, 0, 5), coco_scene(rng, 3, 0), coco_scene(rng, 5, 30)]
    pairs.append(coco_scene(rng, 0, 0))
    items = detect(pairs)
    whole = Evidence(tuple("abcde"), tuple(items))
    merged = Evidence.merge(Evidence.from_bytes(whole.select(ids).to_bytes()) for ids in ("ab", "c", "de"))
    weights = rng.integers(0, 3, (4, 5)).astype(float)
    for metric in TASK.metrics:
        np.testing.assert_array_equal(TASK.scorer(metric, merged.items)(weights), scores(items, weights)[metric])
    assert merged.items[0]["found"].dtype == np.uint16


def test_evidence_is_small(coco_scene, detect):
    item = detect([coco_scene(np.random.default_rng(0), 7, 100)])[0]
    assert sum(value.nbytes for value in item.values()) < 4000


def test_order_of_detections_does_not_matter(coco_scene, detect):
    rng = np.random.default_rng(1)
    found, truth = coco_scene(rng, 6, 40)
    order = rng.permutation(40)
    first, second = detect([(found, truth), ({name: value[order] for name, value in found.items()}, truth)])
    assert first.keys() == second.keys()
    assert all((first[name] == second[name]).all() for name in first)


def test_no_scorer_of_detection_has_flags(detect):
    assert TASK.scorer("map", detect(HAND_MADE["a perfect detection"])).flags is None


@pytest.mark.parametrize(
    "raw",
    [
        {"image_id": 17},
        {"boxes": [], "labels": []},
        {"boxes": np.zeros((0, 4)), "labels": np.zeros(0, dtype=int), "area": np.zeros(0), "iscrowd": []},
    ],
    ids=["torchvision's wrapped CocoDetection", "lists", "arrays"],
)
def test_targets_without_objects(raw, detect):
    item = detect([(prediction((WHOLE, 0.9, 0)), raw)])[0]
    assert item["truth_counts"].shape == (0, 4)
    assert item["labels"].tolist() == [0]


def test_torch_tensors_and_lists_are_read_alike(detect):
    import torch
    from torchvision import tv_tensors

    box = [[10.0, 20.0, 110.0, 90.0]]
    wrapped = tv_tensors.BoundingBoxes(box, format="XYXY", canvas_size=(480, 640))
    answers = [
        {"boxes": box, "scores": [0.5], "labels": [2]},
        {"boxes": torch.tensor(box), "scores": torch.tensor([0.5]), "labels": torch.tensor([2]), "masks": None},
        {
            "boxes": wrapped,
            "scores": torch.tensor([0.5], dtype=torch.bfloat16),
            "labels": np.array([2], dtype=np.uint8),
        },
    ]
    items = detect([(one, {"boxes": wrapped, "labels": [2], "iscrowd": [False], "area": [70]}) for one in answers])
    assert [TASK.scorer("map_small", [item])(np.ones((1, 1))).item() for item in items] == pytest.approx([100] * 3)
