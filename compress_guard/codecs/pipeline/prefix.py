"""A cache of images that passed the steps in front of the last codec, for the next setting of that codec."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, final

if TYPE_CHECKING:
    import torch

Key: TypeAlias = bytes

MOST_BYTES: Final = 2**28
"""Bytes of pictures that one pipeline keeps: 46 of 1600x1200 pixels."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A picture in front of the last codec, and the bytes that each coded step before it came to."""

    image: torch.Tensor
    lengths: tuple[int, ...]


@final
class PixelCount:
    """A count that several threads add to."""

    def __init__(self) -> None:
        self._lock: Final = threading.Lock()
        self.total = 0

    def add(self, count: int) -> None:
        """Add to the total."""
        with self._lock:
            self.total += count


@final
class Memory:
    """Pictures by the content of their sources, the least recently used dropped first. Several threads may use it."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most: Final = most
        self._known: Final[OrderedDict[Key, Prepared]] = OrderedDict()
        self._bytes = 0
        self._lock: Final = threading.Lock()

    def get(self, key: Key) -> Prepared | None:
        """Return what was kept under a key."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
            return self._known.get(key)

    def keep(self, key: Key, prepared: Prepared) -> None:
        """Keep a picture, and drop others where there is no room; one that has no room at all is not kept."""
        size = prepared.image.nbytes
        with self._lock:
            if key in self._known or size > self._most:
                return
            self._known[key] = prepared
            self._bytes += size
            while self._bytes > self._most:
                _, dropped = self._known.popitem(last=False)
                self._bytes -= dropped.image.nbytes


def content_of(image: torch.Tensor) -> Key:
    """Return a digest of a uint8 image (3, H, W), its size included."""
    digest = hashlib.blake2b(repr(tuple(image.shape)).encode(), digest_size=20)
    digest.update(image.detach().cpu().contiguous().numpy().data)
    return digest.digest()
