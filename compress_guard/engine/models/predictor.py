"""Predictors: callables that the gate asks for predictions, made from any torchvision-style module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.engine.models.outputs import detections_of, logits_of
from compress_guard.engine.models.preprocess import Preprocess
from compress_guard.errors import ModelError, described
from compress_guard.registry import TASKS, unknown

if TYPE_CHECKING:
    import torch

DEFAULT_BATCH_SIZE: Final = 32


def predictor(
    module: torch.nn.Module,
    *,
    task: str = "classification",
    preprocess: Callable[[Any], torch.Tensor] | None = None,
    batch_size: int = DEFAULT_BATCH_SIZE,
    device: str | torch.device | None = None,
    output: Callable[[Any], Any] | None = None,
) -> Predictor:
    """Make a predictor of a torchvision-style module.

    Args:
        module: A classifier returning logits (B, K); a segmenter returning logits (B, C, H, W), also smaller ones than
            its input; a detector that takes a list of float images and returns one dict of boxes, scores and labels
            per image. Logits may also be under ``logits`` (for a segmenter also ``out``), in a dict or as an
            attribute, or first in a tuple in which no other item has their shape. The module is set to eval mode.
        task: ``classification``, ``detection`` or ``segmentation``.
        preprocess: Applied to each uint8 RGB image (3, H, W) on its device, e.g. ``weights.transforms()``. The default
            scales to floats in 0 to 1. A transform that needs PIL images gets them: one that holds torchvision's
            ``ToTensor``, and one that raises for the first tensor. If it resizes, boxes and label maps are brought
            back to the source's size; a crop cannot be undone, so do not use one before a detector or segmenter.
        batch_size: Images per forward pass; the gate hands over lists of exactly this size (the last may be shorter).
        device: Device of the module; by default the device of the images.
        output: Applied to the module's output for a batch if that is none of the above, e.g.
            ``lambda output: output["scores"]``.

    Raises:
        ValueError: for an unknown task or a batch size below 1.
    """
    if task not in TASKS.own:
        raise ValueError(unknown("task", task, TASKS.own))
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it must be at least 1")
    if preprocess is not None and not isinstance(preprocess, Preprocess):
        preprocess = Preprocess(preprocess)
    return Predictor(module, task, preprocess, batch_size, device, output)


@final
class Predictor:
    """A callable from a list of uint8 RGB images (3, H, W) to one prediction per image."""

    def __init__(
        self,
        module: torch.nn.Module,
        task: str,
        preprocess: Callable[[torch.Tensor], torch.Tensor] | None,
        batch_size: int,
        device: str | torch.device | None,
        output: Callable[[Any], Any] | None = None,
    ) -> None:
        self.module: Final = module.eval()
        self.task: Final = task
        self.batch_size: Final = batch_size
        self.preprocess: Final = preprocess or _to_float
        self._device = device
        self._output: Final = output
        self._placed_on: object = None

    def with_module(self, module: torch.nn.Module) -> Predictor:
        """Return a predictor with the same settings around another module, which is set to eval mode."""
        return Predictor(module, self.task, self.preprocess, self.batch_size, self._device, self._output)

    def __call__(self, images: Sequence[torch.Tensor]) -> list[Any]:
        """Return one prediction per image: scores (K,), a dict of boxes, scores and labels, or a label map (H, W)."""
        import torch

        predictions: list[Any] = []
        with torch.inference_mode():
            for start in range(0, len(images), self.batch_size):
                predictions += self._forward(images[start : start + self.batch_size])
        return predictions

    def _forward(self, images: Sequence[torch.Tensor]) -> list[Any]:
        device = self._device or images[0].device
        if self._placed_on != device:
            self.module.to(device)
            self._placed_on = device
        inputs = [self.preprocess(image.to(device)) for image in images]
        if self.task == "detection":
            outputs = detections_of(self._outputs(inputs), len(inputs))
            return [_boxes_at_source(out, x, image) for out, x, image in zip(outputs, inputs, images, strict=True)]
        return [
            prediction
            for chunk_inputs, chunk_images in _same_shape(inputs, images)
            for prediction in self._forward_stacked(chunk_inputs, chunk_images)
        ]

    def _forward_stacked(self, inputs: list[torch.Tensor], images: list[torch.Tensor]) -> list[Any]:
        import torch

        logits = logits_of(self._outputs(torch.stack(inputs)), self.task, len(images))
        if self.task == "classification":
            return logits
        return [_labels_at_source(labels, image) for labels, image in zip(logits, images, strict=True)]

    def _outputs(self, inputs: torch.Tensor | list[torch.Tensor]) -> Any:
        """Return the module's output for a batch; raises `ModelError` for a detector that takes no list."""
        try:
            outputs = self.module(inputs)
        except (AttributeError, TypeError) as problem:
            if self.task != "detection":
                raise
            raise ModelError(
                f"the detection module raised {described(problem)}; it was called with a list of {len(inputs)} tensors "
                "(3, h, w): if it takes a batch instead, give predictor a module that stacks the list for it and "
                "returns one dict of boxes, scores and labels per image"
            ) from problem
        return outputs if self._output is None else self._output(outputs)


def _to_float(image: torch.Tensor) -> torch.Tensor:
    return image.float() / 255


def _same_shape(
    inputs: Sequence[torch.Tensor], images: Sequence[torch.Tensor]
) -> Iterator[tuple[list[torch.Tensor], list[torch.Tensor]]]:
    """Yield runs of neighbours whose inputs have one shape, so that they can be stacked."""
    pairs = zip(inputs, images, strict=True)
    for _, run in groupby(pairs, key=lambda pair: pair[0].shape):
        chunk = list(run)
        yield [pair[0] for pair in chunk], [pair[1] for pair in chunk]


def _labels_at_source(logits: torch.Tensor, image: torch.Tensor) -> torch.Tensor:
    """Return the label map (H, W) at the source's size from logits (C, h, w)."""
    from torch.nn.functional import interpolate

    size = image.shape[-2:]
    if logits.shape[-2:] != size:
        logits = interpolate(logits[None], size=size, mode="bilinear", align_corners=False)[0]
    return logits.argmax(dim=0)


def _boxes_at_source(output: Mapping[str, Any], model_input: torch.Tensor, image: torch.Tensor) -> Mapping[str, Any]:
    """Return the output with boxes in the source's pixels, if preprocessing resized the image."""
    (height, width), (input_height, input_width) = image.shape[-2:], model_input.shape[-2:]
    if (height, width) == (input_height, input_width) or "boxes" not in output:
        return output
    scale = output["boxes"].new_tensor([width / input_width, height / input_height] * 2)
    return {**output, "boxes": output["boxes"] * scale}
