"""An image as it came back from a codec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from compress_guard.engine.images.sample import Sample

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """An image as it came back from a codec, with its stream and source."""

    at: int
    """Position among the usable images."""
    setting: float
    stream: bytes
    image: torch.Tensor
    """uint8 RGB (3, H, W) on the codec's device."""
    sample: Sample
