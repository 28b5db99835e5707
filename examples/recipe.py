"""Recipes of the models: data, steps, learning rate, loss. The three shipped models start from a common trunk."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from examples.networks import Classifier, Segmenter, detector_network, normalised
from examples.pool import Batch
from examples.world import GROUP, IGNORE, SINGLE, SIZE, Layout


@dataclass(frozen=True, slots=True)
class Recipe:
    """One model's training. `start`: the model whose weights are taken over, if any; `peak`: the learning rate."""

    network: Callable[[], nn.Module]
    loss: Callable[[nn.Module, Batch], Tensor]
    layout: Layout
    steps: int
    batch: int
    crop: int
    peak: float
    scenes: int = 4000
    start: str | None = None


def classifier_loss(network: nn.Module, batch: Batch) -> Tensor:
    """Return the cross entropy of the class of the one object."""
    labels = torch.stack([classes[0] for classes in batch.classes]).to(batch.images.device)
    return nn.functional.cross_entropy(network(normalised(batch.images)), labels)


def segmenter_loss(network: nn.Module, batch: Batch) -> Tensor:
    """Return the cross entropy of all pixels that are not on an outline."""
    logits = network(normalised(batch.images))["out"]
    return nn.functional.cross_entropy(logits, batch.regions, ignore_index=IGNORE)


def detector_loss(network: nn.Module, batch: Batch) -> Tensor:
    """Return the sum of FCOS's own three losses."""
    device = batch.images.device
    targets = [
        {"boxes": boxes.to(device), "labels": classes.to(device) + 1}
        for boxes, classes in zip(batch.boxes, batch.classes, strict=True)
    ]
    losses = network(list(batch.images.float() / 255), targets)
    return torch.stack(list(losses.values())).sum()


RECIPES: dict[str, Recipe] = {
    # Crops cost a quarter of whole pictures, and every pixel of them teaches the texture.
    "trunk": Recipe(Segmenter, segmenter_loss, GROUP, steps=1200, batch=16, crop=128, peak=4e-3),
    "classifier": Recipe(Classifier, classifier_loss, SINGLE, steps=700, batch=16, crop=SIZE, peak=2e-3, start="trunk"),
    "segmenter": Recipe(Segmenter, segmenter_loss, GROUP, steps=800, batch=8, crop=SIZE, peak=2e-3, start="trunk"),
    "detector": Recipe(
        detector_network, detector_loss, GROUP, steps=2000, batch=8, crop=SIZE, peak=2e-3, start="trunk"
    ),
}
