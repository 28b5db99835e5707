"""Hashes of one reading of a sample: all readings of one sample have to agree."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from compress_guard.engine.trouble import pass_on
from compress_guard.tasks.arrays import read

if TYPE_CHECKING:
    import torch

DIGEST_BYTES: Final = 16
_CHANGES: Final = {
    "pixels": ("different pixels", "the same image", "switch random transforms off for evaluation"),
    "target": (
        "a different target",
        "the same target",
        "draw no labels or boxes at random, or seed them by the sample's position",
    ),
    "id": ("a different id", "the same id", "name images by their files or positions"),
    "slices": ("different slices", "the same slices", "make the slices a function of the target and the id alone"),
    "group": ("a different group", "the same group", "make the group a function of the target and the id alone"),
}
"""Each part of a reading with the words for what was found, what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of a sample; all readings of one sample are equal."""

    id: str
    pixels: bytes
    target: bytes
    slices: Mapping[str, tuple[str, ...]]
    group: str | None = None

    def change(self, position: int, other: Reading) -> str | None:
        """Return the message about another reading of the sample at this position that differs; None if it is equal."""
        for part, (given, expected, remedy) in _CHANGES.items():
            if getattr(self, part) != getattr(other, part):
                return (
                    f"sample {position} (id {self.id}) gives {given} each time it is read; expected {expected} every "
                    f"time; {remedy}"
                )
        return None


def own(image: torch.Tensor) -> torch.Tensor:
    """Return a copy of an image: many data sets reuse one tensor for all their images."""
    import torch

    return image.detach().clone(memory_format=torch.contiguous_format)


def copied(value: Any) -> Any:
    """Return a deep copy of a target, or the target itself if it cannot be copied."""
    try:
        return copy.deepcopy(value)
    except BaseException as problem:  # noqa: BLE001 -- a user's class may hold an open file or a lock
        pass_on(problem)
        return value


def pixel_hash(image: torch.Tensor) -> bytes:
    """Return a hash of an image's shape and pixels."""
    digest = hashlib.blake2b(str(tuple(image.shape)).encode(), digest_size=DIGEST_BYTES)
    digest.update(image.contiguous().numpy().data)
    return digest.digest()


def target_hash(target: Any) -> bytes:
    """Return a hash of the arrays, pictures, texts and numbers in a target; empty if it cannot be read."""
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    try:
        _add(digest, target, 0)
    except BaseException as problem:  # noqa: BLE001 -- a user's class may do anything when it is read
        pass_on(problem)
        return b""
    return digest.digest()


_DEEPEST: Final = 12
"""Deepest nesting of containers that is hashed; a container may hold itself."""


def _add(digest: hashlib.blake2b, value: Any, depth: int) -> None:
    """Add a value to the hash; of an object that is neither plain nor an array only its class."""
    kind = type(value)
    digest.update(f"{kind.__qualname__}:".encode(errors="surrogatepass"))
    if depth > _DEEPEST:
        return
    # Not subclasses: a user's own mapping may load its contents when it is read.
    if kind is dict:
        for key, inner in value.items():
            _add(digest, key, depth + 1)
            _add(digest, inner, depth + 1)
    elif kind in (list, tuple):
        digest.update(f"{len(value)}".encode())
        for inner in value:
            _add(digest, inner, depth + 1)
    elif kind in (str, bytes, bool, int, float, complex):
        digest.update(repr(value).encode(errors="surrogatepass"))
    elif (array := read(value)) is not None:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
