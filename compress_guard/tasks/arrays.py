"""What a data set or a model hands over, read as numpy arrays, and the messages for what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from compress_guard.errors import DataError, ModelError, RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Subject:
    """A target or a prediction while it is being read: what messages call it and which error carries them."""

    name: str
    error: type[RunError]

    @classmethod
    def target(cls, size: tuple[int, int]) -> Subject:
        return cls(f"target of a 3x{size[0]}x{size[1]} image", DataError)

    @classmethod
    def prediction(cls, size: tuple[int, int]) -> Subject:
        return cls(f"prediction for a 3x{size[0]}x{size[1]} image", ModelError)

    def refuse(self, found: str, expected: str, remedy: str) -> RunError:
        """The error to raise, with a message like ``target of a 3x8x8 image is None; expected ...; return ...``."""
        return self.error(f"{self.name} {found}; expected {expected}; {remedy}")


def read(raw: object) -> NDArray[Any] | None:
    """`raw` as an array of numbers or bools on the CPU; None where it is no such thing.

    Takes torch tensors on any device, numpy arrays and scalars, Python numbers, rectangular lists, and PIL images whose
    pixels are labels.
    """
    detach = getattr(raw, "detach", None)
    if callable(detach):
        raw = detach().cpu()
        if str(getattr(raw, "dtype", "")) == "torch.bfloat16":
            raw = raw.float()  # type: ignore[attr-defined]  # numpy has no bfloat16
        raw = raw.numpy()  # type: ignore[attr-defined]
    elif isinstance(raw, (str, bytes, Mapping)) or raw is None:
        return None
    try:
        array = np.asarray(raw)
    except (TypeError, ValueError, RuntimeError):
        return None
    return array if array.dtype.kind in "biuf" else None


def describe(raw: object, dtype: bool = False) -> str:
    """What was found, for a message: ``a Tensor of shape (2, 10)``, with `dtype` also ``and dtype int64``."""
    if raw is None:
        return "None"
    name = "numpy array" if isinstance(raw, np.ndarray) else type(raw).__name__
    article = "an" if name[0] in "aeiouAEIOU" else "a"
    if isinstance(raw, Mapping):
        return f"{article} {name} with {_keys(raw)}"
    if isinstance(raw, (bool, int, float, str, bytes)):
        return f"the {name} {raw!r}" if len(repr(raw)) < 40 else f"{article} {name}"
    array = read(raw)
    if array is not None:
        kind = f" and dtype {str(getattr(raw, 'dtype', array.dtype)).removeprefix('torch.')}" if dtype else ""
        return f"{article} {name} of shape {array.shape}{kind}"
    return f"{article} {name} of {len(raw)} items" if isinstance(raw, Sized) else f"{article} {name}"


def _keys(mapping: Mapping[Any, Any]) -> str:
    return f"keys {', '.join(repr(key) for key in mapping)}" if mapping else "no keys"


def is_whole(array: NDArray[Any]) -> bool:
    """Whether the array holds integers (bools are not)."""
    return array.dtype.kind in "iu"
