"""The loss of each task, from the outputs of a module in train mode and their targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from compress_guard.errors import ModelError

if TYPE_CHECKING:
    import torch

    Loss = Callable[[torch.nn.Module, "Inputs"], torch.Tensor]

_IGNORED: Final = 255
"""The label of pixels that do not count."""


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """A batch for the module: preprocessed images, and targets that were flipped along with them."""

    images: list[torch.Tensor]
    """float (3, h, w)."""
    targets: list[Any]
    sizes: list[tuple[int, int]]
    """(H, W) of each image before preprocessing."""

    def stacked(self) -> torch.Tensor:
        """Return (B, 3, h, w); images of several sizes are padded with zeros on the right and below to the largest."""
        import torch

        height = max(image.shape[-2] for image in self.images)
        width = max(image.shape[-1] for image in self.images)
        padded = [
            torch.nn.functional.pad(image, (0, width - image.shape[-1], 0, height - image.shape[-2]))
            for image in self.images
        ]
        return torch.stack(padded).contiguous(memory_format=torch.channels_last)


def classification_loss(module: torch.nn.Module, inputs: Inputs) -> torch.Tensor:
    """Return the cross entropy of logits (B, K)."""
    import torch

    logits = _logits(module(inputs.stacked()), 2)
    return torch.nn.functional.cross_entropy(logits, torch.tensor(inputs.targets, device=logits.device))


def segmentation_loss(module: torch.nn.Module, inputs: Inputs) -> torch.Tensor:
    """Return the cross entropy of every pixel that counts; logits (B, C, h, w) are resized to the label map."""
    import torch

    images = inputs.stacked()
    logits = _logits(module(images), 4)
    size, sizes = images.shape[-2:], {tuple(image.shape[-2:]) for image in inputs.images}
    targets = inputs.targets
    if sizes == {tuple(size)} and len({tuple(target.shape) for target in targets}) == 1:
        return _pixel_loss(logits, torch.stack(targets))
    if logits.shape[-2:] != size:
        logits = torch.nn.functional.interpolate(logits, size=tuple(size), mode="bilinear", align_corners=False)
    losses = [
        _pixel_loss(scores[None, :, : image.shape[-2], : image.shape[-1]], target[None])
        for scores, image, target in zip(logits, inputs.images, targets, strict=True)
    ]
    return torch.stack(losses).mean()


def _pixel_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    import torch

    if logits.shape[-2:] != labels.shape[-2:]:
        size = (int(labels.shape[-2]), int(labels.shape[-1]))
        logits = torch.nn.functional.interpolate(logits, size=size, mode="bilinear", align_corners=False)
    if bool((labels == _IGNORED).all()):
        return logits.sum() * 0
    return torch.nn.functional.cross_entropy(logits, labels, ignore_index=_IGNORED)


def detection_loss(module: torch.nn.Module, inputs: Inputs) -> torch.Tensor:
    """Return the sum of the losses of a torchvision detector in train mode, without crowds and empty boxes."""
    import torch

    targets = []
    for image, target, (height, width) in zip(inputs.images, inputs.targets, inputs.sizes, strict=True):
        boxes = target["boxes"]
        kept = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1]) & (target["iscrowd"] == 0)
        scale = boxes.new_tensor([image.shape[-1] / width, image.shape[-2] / height] * 2)
        targets.append({"boxes": boxes[kept] * scale, "labels": target["labels"][kept]})
    losses = module(inputs.images, targets)
    if not isinstance(losses, Mapping) or not losses:
        raise ModelError(
            f"the detector returned a {type(losses).__name__} in train mode; expected a dict of losses, as "
            "torchvision's detectors return; name a trainer of your own"
        )
    return torch.stack(list(losses.values())).sum()


def _logits(output: Any, dimensions: int) -> torch.Tensor:
    import torch

    if isinstance(output, Mapping):
        output = output.get("out", output.get("logits"))
    elif hasattr(output, "logits"):
        output = output.logits
    elif isinstance(output, tuple) and output:  # GoogLeNet and Inception add auxiliary logits in train mode
        output = output[0]
    if not isinstance(output, torch.Tensor) or output.ndim != dimensions:
        raise ModelError(
            f"the module returned a {type(output).__name__} in train mode; expected logits of {dimensions} dimensions, "
            "or a dict or tuple with them; name a trainer of your own"
        )
    return output


LOSSES: Final[Mapping[str, Loss]] = {
    "classification": classification_loss,
    "segmentation": segmentation_loss,
    "detection": detection_loss,
}
