"""Coefficients of recent images: the only part of coding that does not depend on the step size, done once."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias, final

if TYPE_CHECKING:
    import torch

KEPT_BYTES: Final = 128 * 2**20
"""Bytes of kept coefficients, 12 per pixel: those of 11 megapixels."""

Transform: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"
"""Function from images (B, 3, H, W), uint8, to float64 coefficients (B, C, rows, columns) that fit float32 exactly."""


@final
class Coefficients:
    """The transform of images, kept by the images' pixels; the least recently used are dropped first.

    The key is the content, not the tensor: a tensor may be changed in place, by NumPy unseen by torch, and the same
    image may be read again. Hashing costs a thirtieth of the transform. Threads may share this object: while one
    transforms an image, another that needs it waits.
    """

    def __init__(self, transform: Transform, limit: int = KEPT_BYTES) -> None:
        self._transform: Final = transform
        self._limit: Final = limit
        self._kept: Final[OrderedDict[bytes, torch.Tensor]] = OrderedDict()
        self._bytes = 0
        self._lock: Final = threading.Lock()

    def of(self, images: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return float64 coefficients (B, C, rows, columns) of uint8 images (3, H, W) of one size."""
        import torch

        digests = {id(image): _digest(image) for image in images}
        names = [digests[id(image)] for image in images]
        with self._lock:
            found = {name: self._kept[name] for name in names if name in self._kept}
            new = {name: image for name, image in zip(names, images, strict=True) if name not in found}
            if new:
                made = self._transform(torch.stack(list(new.values()))).float()
                # Copies: a view would keep the whole batch in memory.
                found |= {name: part.clone() for name, part in zip(new, made, strict=True)}
            for name in dict.fromkeys(names):
                self._keep(name, found[name])
        return torch.stack([found[name] for name in names]).double()

    def _keep(self, name: bytes, values: torch.Tensor) -> None:
        if name in self._kept:
            self._kept.move_to_end(name)
            return
        self._kept[name] = values
        self._bytes += values.nbytes
        while self._bytes > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes


def _digest(image: torch.Tensor) -> bytes:
    """Return a hash of size and pixels."""
    pixels = image.detach().cpu().contiguous().numpy()
    return hashlib.sha256(f"{tuple(image.shape)}:".encode() + pixels.tobytes()).digest()
