"""Messages of tasks about targets and predictions that they cannot use: found, expected, what to do."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.errors import DataError, ModelError
from compress_guard.registry import TASKS

TARGET, PREDICTION = "target of a 3x4x6 image ", "prediction for a 3x4x6 image "
LABEL = "; expected one class index, an integer from 0; "
SCORES = "; expected scores of shape (K,), one prediction per image; "
MAP = "; expected an integer label map of shape (4, 6), the image's height and width; "
FILL = "give every pixel of the image its label"
ARGMAX = "resize the logits to the image and return their argmax over the classes, one map per image"
BOXES = "; expected (N, 4), each (x1, y1, x2, y2) in pixels; "
ROWS = "return one row of four numbers per box"
CORNERS = "; expected (x1, y1, x2, y2) in pixels with x1 <= x2 and y1 <= y2; "
CONVERT = "convert boxes of another format, such as (x, y, width, height)"
ONE = np.array([[0.0, 0.0, 3.0, 3.0]])


def tensor(*shape, dtype="float32"):
    import torch

    return torch.zeros(shape, dtype=getattr(torch, dtype))


def xywh():
    from torchvision import tv_tensors

    return tv_tensors.BoundingBoxes(ONE, format="XYWH", canvas_size=(4, 6))


def objects(**columns):
    return {"boxes": ONE, "labels": [1], **columns}


def answer(**columns):
    return {"boxes": ONE, "labels": [1], "scores": [0.5], **columns}


TARGETS = {
    "classification": [
        (True, "is the bool True" + LABEL + "return it as an int"),
        (3.0, "is the float 3.0" + LABEL + "return it as an int"),
        ("cat", "is the str 'cat'" + LABEL + "return the label alone"),
        (None, "is None" + LABEL + "return the label alone"),
        (-1, "is the class index -1" + LABEL + "leave unlabelled images out of the data set"),
        ([3], "is a list of shape (1,)" + LABEL + "return the label alone"),
        (
            lambda: tensor(10),
            "is a Tensor of shape (10,)" + LABEL + "return the class index, not scores or a one-hot vector",
        ),
        (tensor, "is a Tensor of shape () and dtype float32" + LABEL + "return it as an int"),
        ({"label": 3}, "is a dict with keys 'label'" + LABEL + "return the label alone"),
    ],
    "segmentation": [
        (lambda: tensor(4, 5, dtype="int64"), "is a Tensor of shape (4, 5)" + MAP + FILL),
        (lambda: tensor(1, 4, 6, dtype="int64"), "is a Tensor of shape (1, 4, 6)" + MAP + FILL),
        (np.zeros((4, 6)), "is a numpy array of shape (4, 6) and dtype float64" + MAP + FILL),
        (np.zeros((4, 6), dtype=bool), "is a numpy array of shape (4, 6) and dtype bool" + MAP + FILL),
        (7, "is the int 7" + MAP + FILL),
        (
            np.full((4, 6), -1),
            "holds the label -1; expected class indices of 0 to 65535; give pixels to ignore the target 255",
        ),
        (
            np.full((4, 6), 65536),
            "holds the label 65536; expected class indices of 0 to 65535; give pixels to ignore the target 255",
        ),
    ],
    "detection": [
        (
            [{"bbox": [0, 0, 3, 3], "category_id": 1}],
            (
                "is a list of 1 items; expected a dict of boxes and labels; return one dict of arrays per image;"
                " torchvision's CocoDetection does after wrap_dataset_for_transforms_v2(data, target_keys=["
                '"boxes", "labels", "area", "iscrowd"])'
            ),
        ),
        (
            {"bbox": ONE, "labels": [1]},
            (
                "is a dict with keys 'bbox', 'labels'; expected a dict of boxes and labels; add boxes, empty where"
                " nothing is seen"
            ),
        ),
        (
            {},
            (
                "is a dict with no keys; expected a dict of boxes and labels; add boxes and labels, empty where nothing"
                " is seen"
            ),
        ),
        (
            lambda: objects(boxes=tensor(5, 3)),
            "has as boxes a Tensor of shape (5, 3) and dtype float32" + BOXES + ROWS,
        ),
        (
            lambda: objects(boxes=tensor(4)),
            "has as boxes a Tensor of shape (4,) and dtype float32" + BOXES + ROWS,
        ),
        (objects(boxes="none"), "has as boxes the str 'none'" + BOXES + ROWS),
        (lambda: objects(boxes=xywh()), "has boxes in the format XYWH" + BOXES + "convert them to XYXY"),
        (objects(boxes=[[50, 10, 20, 40]]), "has the box (50, 10, 20, 40) in row 0" + CORNERS + CONVERT),
        (
            objects(boxes=[[0, 0, 1, 1], [1, 9, 2, 4]], labels=[1, 1]),
            "has the box (1, 9, 2, 4) in row 1" + CORNERS + CONVERT,
        ),
        (
            objects(boxes=[[0, 0, np.nan, 1]]),
            "has the box (0, 0, nan, 1) in row 0; expected finite coordinates; leave such boxes out",
        ),
        (
            objects(labels=[1, 2]),
            (
                "has as labels a list of shape (2,) and dtype int64; expected integers of shape (1,); return one of"
                " labels for each box"
            ),
        ),
        (
            objects(labels=np.array([1.0])),
            (
                "has as labels a numpy array of shape (1,) and dtype float64; expected integers of shape (1,); return"
                " one of labels for each box"
            ),
        ),
        (
            objects(labels=["cat"]),
            "has as labels a list of 1 items; expected integers of shape (1,); return one of labels for each box",
        ),
        (
            objects(iscrowd=[2]),
            "has the iscrowd 2 in row 0; expected 0 or 1; mark crowds with 1, single objects with 0",
        ),
        (
            objects(iscrowd=[0.0]),
            (
                "has as iscrowd a list of shape (1,) and dtype float64; expected integers of shape (1,); return one"
                " of iscrowd for each box"
            ),
        ),
        (
            objects(area=[-4.0]),
            "has the area -4 in row 0; expected areas of at least 0 square pixels; leave area out to use the boxes'",
        ),
        (
            objects(area=9.0),
            "has as area the float 9.0; expected numbers of shape (1,); return one of area for each box",
        ),
    ],
}

PREDICTIONS = {
    "classification": [
        (lambda: tensor(2, 10), "is a Tensor of shape (2, 10)" + SCORES + "return scores without the batch dimension"),
        (tensor, "is a Tensor of shape ()" + SCORES + "return one score per class"),
        ([], "is a list of shape (0,)" + SCORES + "return one score per class"),
        (4, "is the int 4" + SCORES + "return one score per class"),
        (None, "is None" + SCORES + "return the tensor of scores itself"),
        ({"logits": 1}, "is a dict with keys 'logits'" + SCORES + "return the tensor of scores itself"),
        (
            lambda: tensor(10, dtype="int64"),
            (
                "is a Tensor of shape (10,) and dtype int64; expected floating-point scores of shape (K,); return"
                " logits or probabilities"
            ),
        ),
        (
            [0.0, np.nan, np.inf],
            (
                "holds 2 of 3 scores that are not finite, the first nan at 1; expected finite scores; check the model's"
                " preprocessing and number format"
            ),
        ),
    ],
    "segmentation": [
        (lambda: tensor(21, 4, 6), "is a Tensor of shape (21, 4, 6)" + MAP + ARGMAX),
        (lambda: tensor(1, 4, 6, dtype="int64"), "is a Tensor of shape (1, 4, 6)" + MAP + ARGMAX),
        (lambda: tensor(2, 3, dtype="int64"), "is a Tensor of shape (2, 3)" + MAP + ARGMAX),
        (lambda: tensor(4, 6), "is a Tensor of shape (4, 6) and dtype float32" + MAP + ARGMAX),
        ({"out": 1}, "is a dict with keys 'out'" + MAP + ARGMAX),
    ],
    "detection": [
        (
            [1, 2],
            "is a list of shape (2,); expected a dict of boxes, scores and labels; return one dict of arrays per image",
        ),
        (
            {"boxes": ONE},
            (
                "is a dict with keys 'boxes'; expected a dict of boxes, scores and labels; add scores and labels,"
                " empty where nothing is seen"
            ),
        ),
        (answer(boxes=[[50, 10, 20, 40]]), "has the box (50, 10, 20, 40) in row 0" + CORNERS + CONVERT),
        (
            answer(scores=[np.nan]),
            "has the score nan in row 0; expected finite scores; check the model's number format",
        ),
        (
            lambda: answer(scores=tensor(3)),
            (
                "has as scores a Tensor of shape (3,) and dtype float32; expected floating-point numbers of shape"
                " (1,); return one of scores for each box"
            ),
        ),
        (
            answer(scores=[1]),
            (
                "has as scores a list of shape (1,) and dtype int64; expected floating-point numbers of shape (1,);"
                " return one of scores for each box"
            ),
        ),
    ],
}


def cases(table):
    return [
        pytest.param(task, raw, message, id=f"{task}-{message.split(';')[0]}")
        for task, rows in table.items()
        for raw, message in rows
    ]


@pytest.mark.parametrize(("task", "raw", "message"), cases(TARGETS))
def test_targets(task, raw, message):
    with pytest.raises(DataError) as caught:
        TASKS.resolve(task)().target(raw() if callable(raw) else raw, (4, 6))
    assert str(caught.value) == TARGET + message


@pytest.mark.parametrize(("task", "raw", "message"), cases(PREDICTIONS))
def test_predictions(task, raw, message):
    with pytest.raises(ModelError) as caught:
        TASKS.resolve(task)().prediction(raw() if callable(raw) else raw, (4, 6))
    assert str(caught.value) == PREDICTION + message


@pytest.mark.parametrize("task", list(TASKS))
def test_each_name_stands_for_its_task_and_its_metrics(task):
    found = TASKS.resolve(task)()
    assert found.name == task
    assert hash(found) == hash(TASKS.resolve(task)())
    for metric in found.metrics:
        assert np.isnan(found.scorer(metric, [])(np.ones((2, 0)))).all()
    with pytest.raises(ValueError, match=f"unknown metric '{found.metrics[0]}x', did you mean '{found.metrics[0]}'"):
        found.scorer(found.metrics[0] + "x", [])


def test_reading_a_task_imports_neither_torch_nor_pil():
    import subprocess
    import sys

    code = (
        "import sys; import compress_guard.tasks.classification, compress_guard.tasks.detection,"
        " compress_guard.tasks.segmentation;"
        " print({'torch', 'PIL', 'pytest', 'faster_coco_eval'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
