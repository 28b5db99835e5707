"""The example of a trainer learns, and its study is like any other."""

from __future__ import annotations

import pytest
import torch

from examples import models
from examples.recipes import finetune


@pytest.mark.parametrize(("model", "shape"), [(models.classifier, ()), (models.segmenter, (64, 64))])
def test_a_model_learns_what_it_is_shown(model, shape):
    predictor, generator = model(), torch.Generator().manual_seed(0)
    image = torch.randint(0, 256, (3, 64, 64), generator=generator, dtype=torch.uint8)
    target = torch.full(shape, 2) if shape else 2
    before = {name: one.clone() for name, one in predictor.module.state_dict().items()}
    losses: list[float] = []
    made = finetune(
        predictor.module.requires_grad_(True),
        [([image, image.flip(-1)], [target, target])] * 8,
        8,
        preprocess=predictor.preprocess,
        progress=lambda step, steps, loss: losses.append(loss),
    )
    assert losses[-1] < 0.7 * losses[0]
    assert any(not torch.equal(before[name], one) for name, one in made.state_dict().items())
    norms = [name for name in before if name.endswith("running_mean")]
    assert norms
    assert all(torch.equal(before[name], made.state_dict()[name]) for name in norms), "normalisation stays as it was"
