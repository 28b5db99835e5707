"""Outputs in the forms of transformers, torchvision and users' own modules."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch.nn.functional import avg_pool2d

import compress_guard
from compress_guard.engine.recovery.losses import Inputs, classification_loss, segmentation_loss
from compress_guard.errors import ModelError


class ModelOutput(OrderedDict):
    """The form of transformers: a dict that is iterated by its keys, with its entries as attributes."""

    __getattr__ = OrderedDict.__getitem__


@dataclass
class Plain:
    logits: torch.Tensor
    attentions: tuple = ()


class Named(NamedTuple):
    aux: torch.Tensor
    logits: torch.Tensor


class Module(torch.nn.Module):
    """Returns what a function makes of the batch."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, x):
        return self.answer(x)


def pictures(count=3, size=(8, 12)):
    noise = torch.Generator().manual_seed(0)
    return [torch.randint(0, 256, (3, *size), dtype=torch.uint8, generator=noise) for _ in range(count)]


def scores(x):
    return x.mean((2, 3))


TAKEN = {
    "a dict": lambda x: {"logits": scores(x), "features": x},
    "a ModelOutput": lambda x: ModelOutput(hidden=x, logits=scores(x)),
    "a dataclass": lambda x: Plain(scores(x)),
    "attributes": lambda x: SimpleNamespace(logits=scores(x), loss=None),
    "a namedtuple": lambda x: Named(scores(x) * 0, scores(x)),
    "a tuple": lambda x: (scores(x), x),
    "a list": lambda x: [scores(x), x, None],
    "a tuple of one": lambda x: (scores(x),),
    "a row per image": lambda x: list(scores(x)),
    "an array": lambda x: scores(x).numpy(),
}


@pytest.mark.parametrize("form", TAKEN)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_logits_of_a_classifier_are_found(form, count):
    images = pictures(count)
    found = compress_guard.predictor(Module(TAKEN[form]))(images)
    for image, one in zip(images, found, strict=True):
        torch.testing.assert_close(torch.as_tensor(one), (image.float() / 255).mean((1, 2)))


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: ModelOutput(logits=avg_pool2d(x, 4)),
        lambda x: Plain(avg_pool2d(x, 4)),
        lambda x: (avg_pool2d(x, 4), scores(x)),
        lambda x: {"out": avg_pool2d(x, 4), "logits": None, "aux": x},
    ],
    ids=["ModelOutput", "dataclass", "tuple", "torchvision"],
)
def test_logits_of_a_segmenter_are_found_and_brought_to_the_source(answer):
    images = pictures(2, (16, 24))
    plain = compress_guard.predictor(Module(lambda x: avg_pool2d(x, 4)), task="segmentation")(images)
    found = compress_guard.predictor(Module(answer), task="segmentation")(images)
    assert all(one.equal(other) and one.shape == (16, 24) for one, other in zip(found, plain, strict=True))


EXPECTED = (
    "expected logits (B, K), alone, under 'logits', or first in a tuple of which nothing else has that shape; take "
    "them out with predictor(..., output=lambda output: {})"
)
REFUSED = {
    "two alike": (
        lambda x: (scores(x), scores(x) * 0),
        "a tuple with 0 (3, 3), 1 (3, 3)",
        "output[0]",
    ),
    "the second": (lambda x: (x, scores(x)), "a tuple with 0 (3, 3, 8, 12), 1 (3, 3)", "output[1]"),
    "another key": (
        lambda x: ModelOutput(image_embeds=x, logits_per_image=scores(x)),
        "a ModelOutput with image_embeds (3, 3, 8, 12), logits_per_image (3, 3)",
        "output['logits_per_image']",
    ),
    "logits of another shape": (
        lambda x: {"logits": x, "pred_boxes": None},
        "a dict with logits (3, 3, 8, 12), pred_boxes (a NoneType)",
        "output['logits']",
    ),
    "attributes": (
        lambda x: SimpleNamespace(_cache=1, scores=scores(x)),
        "a SimpleNamespace with scores (3, 3)",
        "output.scores",
    ),
    "too few": (lambda x: scores(x)[:2], "a Tensor of shape (2, 3)", "..."),
    "too many dimensions": (lambda x: x, "a Tensor of shape (3, 3, 8, 12)", "..."),
    "nothing": (lambda x: None, "a NoneType", "..."),
    "many": (
        lambda x: {f"part{at}": x for at in range(8)},
        "a dict with " + ", ".join(f"part{at} (3, 3, 8, 12)" for at in range(6)) + " and 2 more",
        "output['part0']",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_sure_is_refused_with_what_came_and_the_remedy(name):
    answer, came, remedy = REFUSED[name]
    message = f"the classification module returned {came} for 3 images; {EXPECTED.format(remedy)}"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        compress_guard.predictor(Module(answer))(pictures())


def test_the_remedy_works_and_stays_with_another_module():
    predict = compress_guard.predictor(Module(lambda x: (x, scores(x))), output=lambda output: output[1])
    images = pictures()
    found = predict(images)
    torch.testing.assert_close(found[0], (images[0].float() / 255).mean((1, 2)))
    other = predict.with_module(Module(lambda x: (x, scores(x) + 1)))
    torch.testing.assert_close(other(images)[0], found[0] + 1)


DETECTIONS = (
    "expected a list of one dict of boxes, scores and labels per image; make these from its output with predictor(..., "
)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            lambda images: ModelOutput(logits=torch.zeros(2, 100, 92), pred_boxes=torch.zeros(2, 100, 4)),
            "a ModelOutput with logits (2, 100, 92), pred_boxes (2, 100, 4) for 2 images; "
            + DETECTIONS
            + "output=lambda "
            "output: ...), for example by post_process_object_detection of the model's image processor",
        ),
        (
            lambda images: torch.zeros(2, 100, 6),
            "a Tensor of shape (2, 100, 6) for 2 images; " + DETECTIONS + "output=lambda output: ...)",
        ),
        (
            lambda images: [{"boxes": torch.zeros(0, 4)}],
            "a list with 0 (a dict) for 2 images; " + DETECTIONS + "output=lambda output: ...)",
        ),
    ],
    ids=["transformers", "tensor", "too few"],
)
def test_detections_of_another_kind_are_refused(answer, message):
    with pytest.raises(ModelError, match=f"^{re.escape(f'the detection module returned {message}')}$"):
        compress_guard.predictor(Module(answer), task="detection")(pictures(2))


def test_a_detector_that_takes_a_batch_is_told_of_the_list():
    message = (
        "the detection module raised AttributeError: 'list' object has no attribute 'shape'; it was called with a list "
        "of 2 tensors (3, h, w): if it takes a batch instead, give predictor a module that stacks the list for it and "
        "returns one dict of boxes, scores and labels per image"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        compress_guard.predictor(Module(lambda x: x.shape), task="detection")(pictures(2))


def test_the_built_in_trainer_reads_the_same_outputs():
    inputs = Inputs([torch.rand(3, 8, 8)], [1], [(8, 8)])
    expected = classification_loss(Module(scores), inputs)
    for form in ("a dict", "a ModelOutput", "a dataclass", "a tuple"):
        assert classification_loss(Module(TAKEN[form]), inputs).equal(expected)
    inputs = Inputs([torch.rand(3, 8, 8)], [torch.zeros(8, 8, dtype=torch.int64)], [(8, 8)])
    expected = segmentation_loss(Module(lambda x: x), inputs)
    assert segmentation_loss(Module(lambda x: ModelOutput(logits=x)), inputs).equal(expected)


def test_a_whole_gate_of_outputs_with_logits():
    data = [(image, np.zeros((48, 64), np.int64)) for image in pictures(6, (48, 64))]
    predict = compress_guard.predictor(Module(lambda x: ModelOutput(logits=x)), task="segmentation")
    found = compress_guard.measure(predict, data, task="segmentation", codec="webp", bpp=2.0, device="cpu", min_clean=0)
    assert found.images_used == 6
