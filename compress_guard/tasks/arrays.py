"""Targets and predictions of any library, read as numpy arrays, and the messages for those that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from compress_guard.errors import DataError, ModelError, RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray


_WITHOUT_NUMPY: Final = ("torch.bfloat16", "torch.float8")
"""Beginnings of the names of torch's floating-point numbers that numpy lacks; float32 holds each of them exactly."""


@dataclass(frozen=True, slots=True)
class MessageSubject:
    """A target or a prediction while it is being read: its name in messages, and the error that carries them."""

    name: str
    error: type[RunError]

    @classmethod
    def target(cls, size: tuple[int, int]) -> MessageSubject:
        return cls(f"target of a 3x{size[0]}x{size[1]} image", DataError)

    @classmethod
    def prediction(cls, size: tuple[int, int]) -> MessageSubject:
        return cls(f"prediction for a 3x{size[0]}x{size[1]} image", ModelError)

    def refuse(self, found: str, expected: str, remedy: str) -> RunError:
        """Return the error to raise: ``target of a 3x8x8 image is None; expected a class index; return it``."""
        return self.error(f"{self.name} {found}; expected {expected}; {remedy}")


def read(raw: object) -> NDArray[Any] | None:
    """Return `raw` as an array of numbers or bools on the CPU; None where it is no such thing.

    Takes torch tensors on any device, sparse, quantised and 8-bit floating-point ones too, numpy arrays and scalars,
    Python numbers, rectangular lists, and PIL images whose pixels are labels. Masked values are no numbers. An object
    that raises anything while it is read is no such thing either.
    """
    try:
        if callable(getattr(raw, "detach", None)):
            raw = _plain_tensor(raw).numpy()
        elif isinstance(raw, (str, bytes, Mapping)) or raw is None:
            return None
        array = np.asarray(raw)
        if array.dtype.kind not in "biuf" or _masked(raw):
            return None
    except Exception:  # noqa: BLE001 -- tensors of other libraries, and rarer ones of torch, raise anything
        return None
    return array


def _plain_tensor(raw: Any) -> Any:
    """Return a torch tensor as a dense one on the CPU, with a dtype that numpy has and the same values."""
    tensor = raw.detach()
    if getattr(tensor, "is_quantized", False):
        tensor = tensor.dequantize()
    if str(getattr(tensor, "layout", "torch.strided")) != "torch.strided":
        tensor = tensor.to_dense()
    tensor = tensor.cpu()
    if str(getattr(tensor, "dtype", "")).startswith(_WITHOUT_NUMPY):
        tensor = tensor.float()
    return tensor.rename(None) if any(getattr(tensor, "names", ())) else tensor


def _masked(raw: object) -> int:
    """Return the number of masked values of a numpy array."""
    return int(np.sum(raw.mask)) if isinstance(raw, np.ma.MaskedArray) else 0


def describe(raw: object, dtype: bool = False) -> str:
    """Return a description for messages: ``a Tensor of shape (2, 10)``, with `dtype` also ``and dtype int64``."""
    if raw is None:
        return "None"
    name = "numpy array" if isinstance(raw, np.ndarray) else type(raw).__name__
    article = "an" if name[0] in "aeiouAEIOU" else "a"
    try:
        return f"{article} {name}{_details(raw, dtype)}" if not _is_short(raw) else f"the {name} {raw!r}"
    except Exception:  # noqa: BLE001 -- a refused object may raise anything when it is inspected
        return f"{article} {name} that cannot be looked at"


def _is_short(raw: object) -> bool:
    """Return True if a plain value can stand in a message as it is."""
    if isinstance(raw, int) and abs(raw) > 2**128:  # Python refuses to print very long ones
        return False
    return isinstance(raw, (bool, int, float, str, bytes)) and len(repr(raw)) < 40


def _details(raw: object, dtype: bool) -> str:
    if isinstance(raw, Mapping):
        return f" with {_keys(raw)}"
    if isinstance(raw, (bool, int, float, str, bytes)):
        return ""
    array = read(raw)
    kind = str(getattr(raw, "dtype", "" if array is None else array.dtype)).removeprefix("torch.")
    if array is not None:
        return f" of shape {array.shape}" + (f" and dtype {kind}" if dtype else "")
    if masked := _masked(raw):
        return f" with {masked} masked values"
    if getattr(raw, "is_nested", False):
        return " of tensors of different shapes"
    if str(getattr(raw, "device", "")) == "meta":
        return " on the device meta, which holds no values"
    shape = getattr(raw, "shape", None)
    if kind and isinstance(shape, tuple):
        return f" of shape {tuple(shape)} and dtype {kind}"
    return f" of {len(raw)} items" if isinstance(raw, Sized) else ""


def _keys(mapping: Mapping[Any, Any]) -> str:
    return f"keys {', '.join(repr(key) for key in mapping)}" if mapping else "no keys"


def is_whole(array: NDArray[Any]) -> bool:
    """Return True if the array holds integers; bools are none."""
    return array.dtype.kind in "iu"
