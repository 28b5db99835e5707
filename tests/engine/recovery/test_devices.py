"""Runs on another device than the CPU: training, batches and tested images are on that device."""

from __future__ import annotations

import pytest
import torch

GPU = (
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=GPU)])
def test_a_study_works_where_the_run_does(tiny, device):
    recovery = tiny.recovery(trainer="M:look", seeds=(0,))
    result = tiny.only(recovery, settings={"device": device}).result
    assert (result.verdict, result.trained) == ("unjudged", 2)
    assert result.device is not None
    assert result.device.startswith(device)
    assert {str(image.device) for pairs in tiny.module.SEEN for images, _ in pairs for image in images} == {device}
    assert {str(one.device) for one in tiny.module.TRAINED} == {device}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("task", ["classification", "segmentation"])
def test_the_recipes_train_on_a_gpu_and_weights_come_back_from_there(tiny, task):
    recovery = tiny.recovery(seeds=(0,), train="M:train" if task == "classification" else "M:maps_train")
    keys = {} if task == "classification" else {"metric": "miou", "model": "M:dense", "data": "M:maps"}
    first = tiny.only(recovery, task=task, settings={"device": "cuda:0"}, **keys).result
    again = tiny.only(recovery, task=task, settings={"device": "cuda:0"}, **keys).result
    assert (first.trained, again.trained) == (2, 0)
    assert first.points == again.points
