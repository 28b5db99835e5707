"""Shards: batches of images on their way to evidence, and what came of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compress_guard.engine.coding.fidelity import Seen
from compress_guard.engine.prediction.batches import Batch
from compress_guard.records import Evidence

if TYPE_CHECKING:
    import torch

    from compress_guard.tasks.contract import Arrays

_LENGTH_BYTES: Final = 4
DIGEST_BYTES: Final = 20
"""Length of a digest of answers or images."""


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """A batch of images as a model will see it: what a killed run loses at most of each process."""

    make: Callable[[], Batch]
    ids: tuple[str, ...]
    """Of all images that belong to it; fewer may come out of coding."""
    content: str
    """Key of all that its evidence depends on beside the model: pixels, targets, how they are coded and checked."""
    way: str = ""
    """Key of the codec and decoder that its images went through; empty for those that come as they are."""
    look: Callable[[], Batch] | None = None
    """Makes it for a second look alone, where that can do with less work."""
    keep: Callable[[Batch], None] | None = None
    """Keeps what the second look may do without making."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """What a shard gave."""

    evidence: Evidence
    seen: Seen

    @classmethod
    def merge(cls, parts: Sequence[Predicted]) -> Predicted:
        """Shards put together, in the order given; exact."""
        return cls(Evidence.merge(part.evidence for part in parts), Seen.merge(part.seen for part in parts))

    def to_bytes(self) -> bytes:
        """The length of a JSON document, that document, and the evidence."""
        head = json.dumps(self.seen.as_dict(), separators=(",", ":")).encode()
        return len(head).to_bytes(_LENGTH_BYTES, "big") + head + self.evidence.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Predicted:
        """The inverse of `to_bytes`; raises ValueError for bytes that are none."""
        start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
        try:
            seen = Seen.from_dict(json.loads(data[_LENGTH_BYTES:start]))
        except Exception as problem:  # of damaged JSON too: it may be nested too deeply, or hold anything
            raise ValueError(f"these bytes are not what was seen of a shard: {problem}") from problem
        return cls(Evidence.from_bytes(data[start:]), seen)


def digest(answers: Sequence[Arrays]) -> bytes:
    """Return a hash of every bit of these predictions."""
    made = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for answer in answers:
        for name in sorted(answer):
            array = answer[name]
            made.update(f"{name} {array.dtype} {array.shape}".encode())
            made.update(array.tobytes())
    return made.digest()


def pixels(images: Sequence[torch.Tensor]) -> bytes:
    """Return a hash of every pixel of these images, uint8 (3, H, W) on any device."""
    made = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for image in images:
        made.update(str(tuple(image.shape)).encode())
        made.update(image.cpu().contiguous().numpy().data)
    return made.digest()
