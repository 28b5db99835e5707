"""The geometry of codecs that deliver other pictures than their sources: scaled, cropped or both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from compress_guard.records import Geometry

if TYPE_CHECKING:
    import torch

__all__ = ["Geometry", "Reshaping", "geometry_of", "reshaping_of"]


@runtime_checkable
class Reshaping(Protocol):
    """A codec that scales or crops pictures on their way.

    It may have an attribute `reshaping`, a text of its steps that scale and crop, empty where none does: codecs with
    the same text have the same `reshaped` pictures, so that a model predicts them only once.
    """

    def geometry(self, size: tuple[int, int]) -> Geometry:
        """Return the geometry of a source of this size (H, W)."""

    def reshaped(self, images: Sequence[torch.Tensor], workers: int = 1) -> list[torch.Tensor]:
        """Return uint8 RGB images (3, H, W) with the codec's geometry but without any coding."""


def geometry_of(codec: object, size: tuple[int, int]) -> Geometry:
    """Return the geometry of a source of this size (H, W) behind a codec; most codecs leave it unchanged."""
    # Asked for every image: isinstance of a protocol takes as long as hashing a thumbnail.
    reshaping = hasattr(codec, "geometry") and isinstance(codec, Reshaping)
    return codec.geometry(size) if reshaping else Geometry.unchanged(size)  # type: ignore[attr-defined]


def reshaping_of(codec: object) -> str:
    """Return a text that tells how a codec scales and crops pictures; empty for a codec that does neither."""
    if not isinstance(codec, Reshaping):
        return ""
    text = getattr(codec, "reshaping", None)
    return text if isinstance(text, str) else repr(codec)
