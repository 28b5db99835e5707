from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from compress_guard.errors import DataError
from compress_guard.records import Evidence
from compress_guard.tasks.classification import Classification

SIZE = (4, 6)
TASK = Classification()


def evidence(scores, label):
    return TASK.evidence(TASK.prediction(scores, SIZE), TASK.target(label, SIZE), SIZE)


@pytest.mark.parametrize("classes", [1, 3, 10, 1000])
def test_equals_torchmetrics_on_scores_without_ties(classes):
    import torch
    from torchmetrics.functional.classification import multiclass_accuracy

    generator = torch.Generator().manual_seed(classes)
    scores = torch.randn(64, classes, generator=generator)
    labels = torch.randint(0, classes, (64,), generator=generator)
    scores[torch.arange(64), labels] += 1.5
    items = [evidence(one, label) for one, label in zip(scores, labels, strict=True)]
    for metric, k in (("top1", 1), ("top5", min(5, classes))):
        if classes == 1:
            expected = 100.0  # torchmetrics wants two classes
        else:
            expected = 100 * multiclass_accuracy(scores, labels, classes, top_k=k, average="micro").item()
        assert TASK.scorer(metric, items)(np.ones((1, 64))) == pytest.approx([expected], abs=1e-4)


def test_evidence_also_says_which_class_was_predicted():
    item = evidence([0.1, 0.7, 0.2], 2)
    assert {name: value.item() for name, value in item.items()} == {"top1": 0, "top5": 1, "predicted": 1, "target": 2}
    assert item["top1"].dtype == item["top5"].dtype == np.uint8


@given(scores=arrays(np.float32, st.integers(1, 12), elements=st.sampled_from([0.0, 0.5, 1.0])), data=st.data())
def test_equal_scores_go_to_the_lower_class(scores, data):
    label = data.draw(st.integers(0, len(scores) - 1))
    place = np.argsort(-scores, kind="stable").tolist().index(label)
    item = evidence(scores, label)
    assert (item["top1"], item["top5"], item["predicted"]) == (place < 1, place < 5, scores.argmax())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_scores_of_any_float_and_labels_of_any_integer_are_read(dtype):
    import torch

    scores = torch.tensor([0.0, 2.0, 1.0], dtype=getattr(torch, dtype), requires_grad=True)
    for label in (1, np.int16(1), np.array(1, dtype=np.uint8), torch.tensor(1), torch.tensor(1, dtype=torch.uint8)):
        assert evidence(scores, label)["top1"] == 1


@settings(max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=20))
def test_a_weight_of_n_is_n_images(images):
    items = [evidence([1.0, 0.0], 0 if right else 1) for right, _ in images]
    repeated = [item for item, (_, times) in zip(items, images, strict=True) for _ in range(times)]
    weights = np.array([[times for _, times in images]], dtype=float)
    scored = TASK.scorer("top1", items)(weights)
    expected = TASK.scorer("top1", repeated)(np.ones((1, len(repeated))))
    np.testing.assert_allclose(scored, expected)
    assert np.isnan(scored[0]) == (not repeated)


def test_the_scorer_gives_the_flags_it_averages():
    items = [evidence([1.0, 0.0, 0.0], label) for label in (0, 1, 2, 0)]
    assert TASK.scorer("top1", items).flags.tolist() == [True, False, False, True]
    assert TASK.scorer("top5", items).flags.all()


def test_evidence_survives_bytes_and_merging():
    items = tuple(evidence([0.1, 0.7, 0.2], label) for label in (0, 1, 2))
    whole = Evidence(("a", "b", "c"), items)
    parts = [Evidence.from_bytes(whole.select(ids).to_bytes()) for ids in (["a"], ["b", "c"])]
    merged = Evidence.merge(parts)
    weights = np.array([[1.0, 2.0, 0.5]])
    for metric in TASK.metrics:
        assert TASK.scorer(metric, merged.items)(weights) == TASK.scorer(metric, items)(weights)


def test_weights_for_other_images_are_refused():
    scorer = TASK.scorer("top1", [evidence([0.1, 0.7], 1)])
    with pytest.raises(ValueError, match=r"weights have shape \(1, 2\); expected \(R, 1\), one column per image"):
        scorer(np.ones((1, 2)))


def test_a_label_that_the_model_does_not_know_is_a_fault_of_the_data():
    with pytest.raises(DataError) as caught:
        evidence([0.5, 0.5], 2)
    assert str(caught.value) == (
        "target of a 3x4x6 image is the class index 2; expected one below 2, the number of scores that the model"
        " returned; give the data the labels that the model was trained with"
    )
