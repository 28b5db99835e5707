"""Outputs of modules, in the forms of torchvision, transformers and others, split into one answer per image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compress_guard.engine.wording import kind
from compress_guard.errors import ModelError
from compress_guard.tasks.arrays import read

_LISTED: Final = 6
"""Largest number of parts of an output that a message names."""


@dataclass(frozen=True, slots=True)
class Form:
    """The tensor that a task reads (B is the number of images in a batch), and its names in the outputs of modules."""

    shape: str
    dimensions: int
    names: tuple[str, ...]

    def fits(self, tensor: object, images: int) -> bool:
        """Return True if this is such a tensor, or array, for this number of images."""
        shape = _shape_of(tensor)
        return shape is not None and len(shape) == self.dimensions and shape[0] == images


FORMS: Final[Mapping[str, Form]] = {
    "classification": Form("(B, K)", 2, ("logits",)),
    "segmentation": Form("(B, C, H, W)", 4, ("out", "logits")),
}


def logits_of(outputs: Any, task: str, images: int) -> list[Any]:
    """Return the logits of each image of a batch.

    Accepts the tensor itself; the item ``logits``, for a segmenter also ``out``, of a dict or as an attribute; the
    first element of a tuple in which no other has that shape; and for a classifier a list with one row per image.
    Raises `ModelError` for anything else.
    """
    form = FORMS[task]
    if task == "classification" and _is_list_of_rows(outputs, images):
        return list(outputs)
    logits = _chosen(outputs, form, images)
    if not form.fits(logits, images):
        raise _refusal(outputs, task, form, images)
    return list(logits)


def detections_of(outputs: Any, images: int) -> list[Mapping[str, Any]]:
    """Return the dict of each image; raises `ModelError` for anything but a list of one per image."""
    if (
        isinstance(outputs, (list, tuple))
        and len(outputs) == images
        and all(isinstance(detections, Mapping) for detections in outputs)
    ):
        return list(outputs)
    remedy = "make these from its output with predictor(..., output=lambda output: ...)"
    if "pred_boxes" in dict(_parts(outputs)):
        remedy += ", for example by post_process_object_detection of the model's image processor"
    raise ModelError(
        f"the detection module returned {described_output(outputs)} for {images} images; expected a list of one dict "
        f"of boxes, scores and labels per image; {remedy}"
    )


def described_output(outputs: Any) -> str:
    """Return the words for an output in a message: its type, the names of its parts and their shapes."""
    parts = [f"{name} {_described(part)}" for name, part in _parts(outputs)]
    if not parts:
        shape = _shape_of(outputs)
        return kind(outputs) if shape is None else f"{kind(outputs)} of shape {shape}"
    more = f" and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
    return f"{kind(outputs)} with {', '.join(parts[:_LISTED])}{more}"


def _is_list_of_rows(outputs: Any, images: int) -> bool:
    if not isinstance(outputs, (list, tuple)) or len(outputs) != images:
        return False
    return all(_is_row(row) for row in outputs)


def _is_row(row: Any) -> bool:
    if (shape := _shape_of(row)) is not None:
        return len(shape) == 1
    array = read(row)  # it may be a list of numbers
    return array is not None and array.ndim == 1


def _chosen(outputs: Any, form: Form, images: int) -> Any:
    """Return the part of an output that holds the logits; the output itself if it is a tensor or no part fits."""
    if _shape_of(outputs) is not None:
        return outputs
    for name in form.names:
        if isinstance(outputs, Mapping):
            if name in outputs:
                return outputs[name]
        elif (part := getattr(outputs, name, None)) is not None:
            return part
    if isinstance(outputs, (list, tuple)):
        fitting = [at for at, part in enumerate(outputs) if form.fits(part, images)]
        if fitting == [0]:
            return outputs[0]
    return outputs


def _parts(outputs: Any) -> Iterator[tuple[str, Any]]:
    """Yield the named parts of an output that is a mapping, a tuple or list, or an object with attributes."""
    if outputs is None or _shape_of(outputs) is not None:
        return
    if isinstance(outputs, Mapping):
        yield from ((str(name), part) for name, part in outputs.items())
    elif isinstance(outputs, (list, tuple)):
        names = getattr(outputs, "_fields", range(len(outputs)))
        yield from ((str(name), part) for name, part in zip(names, outputs, strict=False))
    else:
        fields = getattr(outputs, "__dataclass_fields__", None) or getattr(outputs, "__dict__", {})
        yield from ((str(name), getattr(outputs, name, None)) for name in fields if not str(name).startswith("_"))


def _shape_of(part: Any) -> tuple[int, ...] | None:
    """Return the shape of a tensor or array; None for anything else."""
    # A dict whose entries are attributes may raise KeyError for a missing one.
    shape = None if isinstance(part, Mapping) else getattr(part, "shape", None)
    return tuple(shape) if isinstance(shape, tuple) else None


def _described(part: Any) -> str:
    shape = _shape_of(part)
    return f"({kind(part)})" if shape is None else str(shape)


def _refusal(outputs: Any, task: str, form: Form, images: int) -> ModelError:
    names = " or ".join(f"'{name}'" for name in form.names)
    parts = list(_parts(outputs))
    fitting = [at for at, (_, part) in enumerate(parts) if form.fits(part, images)]
    at = fitting[0] if fitting else 0
    taken = "..."
    if isinstance(outputs, Mapping) and parts:
        taken = f"output[{parts[at][0]!r}]"
    elif isinstance(outputs, (list, tuple)) and parts:
        taken = f"output[{at}]"
    elif parts:
        taken = f"output.{parts[at][0]}"
    return ModelError(
        f"the {task} module returned {described_output(outputs)} for {images} images; expected logits {form.shape}, "
        f"alone, under {names}, or first in a tuple of which nothing else has that shape; take them out with "
        f"predictor(..., output=lambda output: {taken})"
    )
