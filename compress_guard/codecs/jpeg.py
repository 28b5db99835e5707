"""JPEG by Pillow and libjpeg-turbo, with optimised Huffman tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from compress_guard.codecs.options import SUBSAMPLINGS, require_choice, require_flag
from compress_guard.codecs.pillow import PillowCodec

_LADDER: Final = tuple(float(quality) for quality in range(1, 101))


@dataclass(frozen=True, slots=True)
class Jpeg(PillowCodec):
    """Baseline or progressive JPEG; the setting is libjpeg's quality, 1 to 100."""

    type: ClassVar[str] = "jpeg"
    format: ClassVar[str] = "JPEG"
    feature: ClassVar[str] = "jpg"
    library: ClassVar[str] = "libjpeg"
    max_side: ClassVar[int] = 65500  # JPEG_MAX_DIMENSION of libjpeg

    subsampling: str = "4:2:0"
    """Chroma resolution: 4:2:0, 4:2:2 or 4:4:4."""
    progressive: bool = False

    def __post_init__(self) -> None:
        require_choice("subsampling", self.subsampling, SUBSAMPLINGS)
        require_flag("progressive", self.progressive)

    @property
    def ladder(self) -> tuple[float, ...]:
        """Qualities 1 to 100."""
        return _LADDER

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        # Standard Huffman tables would put the floor of a flat 224x224 image at 0.225 bpp instead of 0.092.
        return {
            "quality": int(setting),
            "subsampling": self.subsampling,
            "progressive": self.progressive,
            "optimize": True,
        }

    def _version(self) -> str:
        import PIL
        from PIL import features

        turbo = features.version("libjpeg_turbo")
        library = f"libjpeg-turbo {turbo}" if turbo else f"libjpeg {features.version('jpg')}"
        return f"{library} (Pillow {PIL.__version__})"
