"""The geometry of codecs that deliver other pictures than their sources: scaled, cropped or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Geometry:
    """The part of a source that a delivered picture shows, and the picture's size."""

    source: tuple[int, int]
    """(H, W) of the source in pixels."""
    box: tuple[float, float, float, float]
    """(x1, y1, x2, y2) of that part, in pixels of the source."""
    delivered: tuple[int, int]
    """(H, W) of the delivered picture in pixels."""

    @classmethod
    def unchanged(cls, size: tuple[int, int]) -> Geometry:
        """Return the geometry of a codec that delivers the source's own size (H, W)."""
        height, width = size
        return cls(size, (0.0, 0.0, float(width), float(height)), size)

    @property
    def cropped(self) -> bool:
        """True if a part of the source is not delivered."""
        height, width = self.source
        return self.box != (0.0, 0.0, float(width), float(height))

    @property
    def same(self) -> bool:
        """True if the delivered picture has the source's frame and size."""
        return not self.cropped and self.delivered == self.source


@runtime_checkable
class Reshaping(Protocol):
    """A codec that scales or crops pictures on their way."""

    def geometry(self, size: tuple[int, int]) -> Geometry:
        """Return the geometry of a source of this size (H, W)."""

    def reshaped(self, images: Sequence[torch.Tensor], workers: int = 1) -> list[torch.Tensor]:
        """Return uint8 RGB images (3, H, W) with the codec's geometry but without any coding."""


def geometry_of(codec: object, size: tuple[int, int]) -> Geometry:
    """Return the geometry of a source of this size (H, W) behind a codec; most codecs leave it unchanged."""
    return codec.geometry(size) if isinstance(codec, Reshaping) else Geometry.unchanged(size)
