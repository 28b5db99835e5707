"""Shards: batches of images on their way to evidence, and their evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
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
    """A batch of images for a model: the most that a killed process loses."""

    make: Callable[[], Batch]
    ids: tuple[str, ...]
    """Ids of all images that belong to it; some may be lost in coding."""
    content: str
    """Key of everything except the model that its evidence depends on: pixels, targets, coding, checks."""
    way: str = ""
    """Key of the codec and decoder of its images; empty for clean images."""
    look: Callable[[], Batch] | None = None
    """Makes the batch for a second look, if that takes less work than `make`."""
    keep: Callable[[Batch], None] | None = None
    """Keeps decoded images so that the second look takes less work."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """The outcome of a shard: the evidence of its images, and in `seen` the checks of the decoded images."""

    evidence: Evidence
    seen: Seen

    @classmethod
    def merge(cls, parts: Sequence[Predicted]) -> Predicted:
        """Merge shards in the given order; the result is exact."""
        return cls(Evidence.merge(part.evidence for part in parts), Seen.merge(part.seen for part in parts))

    def only(self, ids: Collection[str]) -> Predicted:
        """Return the part that belongs to the images with these ids."""
        kept = [image for image in self.evidence.ids if image in ids]
        return Predicted(self.evidence.select(kept), self.seen.only(ids))

    def to_bytes(self) -> bytes:
        """Return the length of a JSON document, that document, and the evidence."""
        head = json.dumps(self.seen.as_dict(), separators=(",", ":")).encode()
        return len(head).to_bytes(_LENGTH_BYTES, "big") + head + self.evidence.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Predicted:
        """Return the inverse of `to_bytes`; raises ValueError for invalid bytes."""
        start = _LENGTH_BYTES + int.from_bytes(data[:_LENGTH_BYTES], "big")
        try:
            seen = Seen.from_dict(json.loads(data[_LENGTH_BYTES:start]))
        except Exception as problem:  # damaged JSON may raise anything, for example if it is nested too deeply
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
