"""A sample: one image with its target and facts about both; and the faults of data sets and samples."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from compress_guard.codecs.pictures.metadata import NOTHING, Metadata
from compress_guard.engine.images.placing import Arrival
from compress_guard.engine.images.readings import Reading
from compress_guard.errors import DataError
from compress_guard.records import Geometry

if TYPE_CHECKING:
    import torch

T = TypeVar("T")


class BrokenDataError(DataError):
    """A fault of the data set's code, not of one image: it is raised even if images are allowed to fail."""


class SlicesError(BrokenDataError):
    """An image whose slices or group cannot be determined."""


class UnsteadyError(BrokenDataError):
    """A data set that returns something else each time it is read."""


class EndError(DataError):
    """A sample that does not exist, as after the end of a sequence."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One image with its target and the facts about both."""

    id: str
    image: torch.Tensor
    """uint8 RGB (3, H, W) on the CPU."""
    target: Any
    """The target as it was read: a task's arrays, or a copy of the data set's own object."""
    digest: bytes
    """Content hash of the pixels."""
    arrival: Arrival
    """Facts about the image and its target on arrival."""
    slices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The slices that the image is in, by slicing."""
    target_digest: bytes = b""
    """Content hash of the target, as far as it can be hashed."""
    reshaped: Geometry | None = None
    """Geometry of an image that was scaled or cropped; None for a source."""
    metadata: Metadata = NOTHING
    """ICC profile and EXIF of the image's file."""
    group: str | None = None
    """Name of the group that the image belongs to; None if images stand alone."""
    opened: str = ""
    """File that Pillow opened the image from; empty if the data set gave it in another way."""

    @property
    def reading(self) -> Reading:
        """Hashes that any other reading of the sample has to reproduce."""
        return Reading(self.id, self.digest, self.target_digest, self.slices, self.group)

    @property
    def level(self) -> float:
        """Mean brightness of the image, 0 to 255, over one pixel in 64."""
        return float(self.image[:, ::8, ::8].float().mean())

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) in pixels."""
        height, width = self.image.shape[-2:]
        return int(height), int(width)

    @property
    def geometry(self) -> Geometry:
        """Part of the source that the image shows, and its size."""
        return self.reshaped or Geometry.unchanged(self.size)

    @property
    def source_size(self) -> tuple[int, int]:
        """(H, W) in pixels of the source, whose frame the target is in."""
        return self.geometry.source

    @property
    def memory(self) -> int:
        """Bytes of the image and of arrays in the target: a label map takes more than its image."""
        # Plain dicts only: a data set's own mapping may load its contents when it is read.
        arrays = self.target.values() if type(self.target) is dict else ()
        carried = len(self.metadata.icc) + len(self.metadata.exif)
        return int(self.image.numel()) + carried + sum(each.nbytes for each in arrays if isinstance(each, np.ndarray))


class Pictures(Protocol):
    """Samples by their index: those of a data set, or made from these."""

    def __getitem__(self, index: int, /) -> Sample: ...

    def look(self, index: int, look: Callable[[Any, int], T], /) -> T: ...
