from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.records import Evidence
from compress_guard.tasks.segmentation import Segmentation

TASK = Segmentation()


def evidence(predicted, truth):
    size = np.shape(truth)
    return TASK.evidence(TASK.prediction(predicted, size), TASK.target(truth, size), size)


def score(metric, items, weights=None):
    return TASK.scorer(metric, items)(np.ones((1, len(items))) if weights is None else np.asarray(weights, dtype=float))


def maps(seed, images, classes, ignored=0.1):
    """Predictions and truths of different sizes; every class is in some truth, not in every one."""
    rng = np.random.default_rng(seed)
    pairs = []
    for number in range(images):
        shape = tuple(rng.integers(1, 20, 2))
        truth = rng.choice(rng.permutation(classes)[:3], shape)
        truth.flat[0] = number % classes
        predicted = np.where(rng.random(shape) < 0.6, truth, rng.integers(0, classes, shape))
        pairs.append((predicted, np.where(rng.random(shape) < ignored, 255, truth)))
        pairs[-1][1].flat[0] = number % classes
    return pairs


def torchmetrics_miou(pairs, classes):
    import torch
    from torchmetrics.classification import MulticlassJaccardIndex

    metric = MulticlassJaccardIndex(classes, ignore_index=255)
    for predicted, truth in pairs:
        metric.update(torch.from_numpy(predicted)[None], torch.from_numpy(truth)[None])
    return 100 * metric.compute().item()


@pytest.mark.parametrize("seed", range(3))
def test_equals_torchmetrics_where_every_predicted_class_is_in_the_truth(seed):
    import torch
    from torchmetrics.functional.classification import multiclass_accuracy

    pairs = maps(seed, 12, 6)
    items = [evidence(*pair) for pair in pairs]
    # torchmetrics sums in float32.
    assert score("miou", items) == pytest.approx([torchmetrics_miou(pairs, 6)], abs=1e-4)
    flat = [torch.from_numpy(np.concatenate([one.reshape(-1) for one in maps_])) for maps_ in zip(*pairs, strict=True)]
    right = 100 * multiclass_accuracy(*flat, 6, average="micro", ignore_index=255).item()  # type: ignore[call-arg, misc]  # mypy cannot count what a star brings
    assert score("pixel_accuracy", items) == pytest.approx([right], abs=1e-4)


def test_a_class_that_is_only_predicted_costs_elsewhere_but_has_no_iou():
    pair = (np.array([[0, 0, 1, 2]]), np.array([[0, 0, 1, 1]]))
    items = [evidence(*pair)]
    assert score("miou", items) == pytest.approx([100 * (1 + 1 / 2) / 2])
    assert torchmetrics_miou([pair], 3) == pytest.approx(100 * (1 + 1 / 2 + 0) / 3)
    assert score("pixel_accuracy", items) == pytest.approx([75])


def test_a_class_that_occurs_nowhere_does_not_count():
    pairs = [(np.array([[0, 5]]), np.array([[0, 5]]))]
    assert score("miou", [evidence(*pairs[0])]) == pytest.approx([100])
    assert torchmetrics_miou(pairs, 6) == pytest.approx(100)


def test_ignored_pixels_count_nowhere():
    truth = np.array([[0, 1, 255, 255]])
    item = evidence(np.array([[0, 1, 1, 7]]), truth)
    assert {name: value.tolist() for name, value in item.items()} == {
        "classes": [0, 1],
        "intersection": [1, 1],
        "predicted": [1, 1],
        "truth": [1, 1],
        "valid": 2,
        "correct": 2,
    }


def test_a_prediction_of_255_is_a_class_like_any_other():
    item = evidence(np.array([[255, 1]]), np.array([[1, 1]]))
    assert score("miou", [item]) == pytest.approx([50])


def test_an_image_that_is_all_ignored_changes_nothing():
    pairs = maps(0, 5, 3)
    nothing = evidence(np.zeros((3, 3), dtype=int), np.full((3, 3), 255))
    items = [evidence(*pair) for pair in pairs]
    for metric in TASK.metrics:
        assert score(metric, [*items, nothing]) == score(metric, items)
        assert np.isnan(score(metric, [nothing]))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), times=st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_whole_weights_are_repeated_images(seed, times):
    items = [evidence(*pair) for pair in maps(seed, len(times), 4)]
    repeated = [item for item, count in zip(items, times, strict=True) for _ in range(count)]
    for metric in TASK.metrics:
        np.testing.assert_allclose(score(metric, items, [times]), score(metric, repeated))


def test_a_class_without_truth_in_a_weighting_has_no_part_in_it():
    items = [evidence(np.array([[0, 1]]), np.array([[0, 0]])), evidence(np.array([[1, 1]]), np.array([[1, 1]]))]
    # Class 1 has the unions 3 and 1, class 0 the IoU 1/2.
    assert score("miou", items, [[1, 1], [1, 0], [0, 1]]) == pytest.approx([100 * (1 / 2 + 2 / 3) / 2, 50, 100])


def test_evidence_survives_bytes_and_merging():
    items = tuple(evidence(*pair) for pair in maps(2, 5, 6))
    whole = Evidence(tuple("abcde"), items)
    merged = Evidence.merge(Evidence.from_bytes(whole.select(ids).to_bytes()) for ids in ("ab", "c", "de"))
    weights = np.random.default_rng(0).integers(0, 3, (4, 5))
    for metric in TASK.metrics:
        np.testing.assert_array_equal(score(metric, merged.items, weights), score(metric, items, weights))


def test_no_scorer_of_segmentation_has_flags():
    item = evidence(np.array([[0]]), np.array([[0]]))
    assert [TASK.scorer(metric, [item]).flags for metric in TASK.metrics] == [None, None]


def test_maps_are_read_from_tensors_arrays_lists_and_palette_images():
    import torch
    from PIL import Image

    truth = np.array([[0, 1, 2], [2, 255, 0]], dtype=np.uint8)
    palette = Image.fromarray(truth).convert("P")
    palette = Image.frombytes("P", (3, 2), truth.tobytes())
    for raw in (truth, truth.tolist(), torch.from_numpy(truth), torch.from_numpy(truth).long(), palette):
        assert TASK.target(raw, (2, 3))["labels"].tolist() == truth.tolist()
