"""Modules of PyTorch that are handed over where a predictor is needed."""

from __future__ import annotations

import re

import pytest
import torch
import torchvision

import compress_guard
from compress_guard.engine.images.factories import check_model
from compress_guard.errors import ModelError

ASKED = {"task": "classification", "codec": "webp", "bpp": 1.0, "device": "cpu", "workers": 1}


class Means(torch.nn.Module):
    """Takes a batch of floats, as the modules of most projects do."""

    def forward(self, x):
        return x.mean((2, 3))


class Listed(torch.nn.Module):
    """Takes a list of uint8 images: a predictor that is a module."""

    def __init__(self, problem=None):
        super().__init__()
        self.problem = problem

    def forward(self, images):
        if self.problem is not None:
            raise self.problem
        return [image.float().mean(2).flatten()[:4] for image in images]


HINT = (
    "; it was called with a list of uint8 images (3, H, W), as predictors are: if {} is a torch.nn.Module that takes "
    "batches of floats, wrap it: compress_guard.predictor(module, task='classification', preprocess=...)"
)


def test_a_module_that_takes_batches_is_told_what_to_do(pictures):
    message = "the model raised AttributeError: 'list' object has no attribute 'mean'" + HINT.format("Means")
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        compress_guard.measure(Means(), pictures(8), **ASKED)


@pytest.mark.parametrize(
    "module",
    [
        torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)),
        torch.nn.Module(),
        # As a scripted module says it
        Listed(RuntimeError("forward() Expected a value of type 'Tensor' for argument 'x', found 'List[Tensor]'")),
    ],
    ids=["sequential", "no forward", "scripted"],
)
def test_every_way_of_failing_on_a_list_leads_to_the_same_remedy(pictures, module):
    with pytest.raises(ModelError) as caught:
        compress_guard.measure(module, pictures(8), **ASKED)
    assert str(caught.value).endswith(HINT.format(type(module).__name__))


def test_a_module_that_takes_lists_is_a_predictor(pictures):
    assert compress_guard.measure(Listed(), pictures(8), **ASKED, min_clean=0).images_used == 8
    # What it raises of its own accord is passed on without advice.
    with pytest.raises(ModelError, match="^the model raised RuntimeError: out of paper$"):
        compress_guard.measure(Listed(RuntimeError("out of paper")), pictures(8), **ASKED)


def test_a_function_that_fails_is_no_module(pictures):
    with pytest.raises(ModelError, match="'list' object has no attribute 'mean'$"):
        compress_guard.measure(lambda images: images.mean(), pictures(8), **ASKED)


def test_a_published_network_is_refused_before_anything_is_coded(pictures, diary):
    message = (
        "model: is a bare torch.nn.Module, MNASNet, which takes batches of floats; expected a predictor, which takes a "
        "list of uint8 images (3, H, W); wrap it: compress_guard.predictor(module, task='classification', "
        "preprocess=...)"
    )
    network = torchvision.models.MNASNet(0.1, num_classes=4)
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        compress_guard.measure(network, pictures(8), **{**ASKED, "codec": "toy"})
    assert diary.encoded == []


def test_a_published_network_that_somebody_fitted_to_lists_is_left_alone():
    class Fitted(torchvision.models.MNASNet):
        def forward(self, images):
            return [super().forward(image[None].float() / 255)[0] for image in images]

    hooked = torchvision.models.MNASNet(0.1, num_classes=4)
    hooked.register_forward_pre_hook(lambda module, given: (torch.stack(given[0]).float(),))
    patched = torchvision.models.MNASNet(0.1, num_classes=4)
    patched.forward = lambda images: [torch.zeros(4) for _ in images]
    for model in (Fitted(0.1, num_classes=4), hooked, patched):
        assert check_model(model, "m:f") is model
