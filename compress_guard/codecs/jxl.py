"""JPEG XL by pillow-jxl-plugin and libjxl."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from compress_guard.codecs.ladder import Scale
from compress_guard.codecs.options import METADATA, require_choice, require_whole
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pillow import MetadataCodec


def _quality(distance: float) -> float:
    """Return libjxl's quality for a Butteraugli distance: the inverse of JxlEncoderDistanceFromQuality.

    distance = 0.1 + 0.09 (100 - quality) from quality 30 on, below it 53/3000 quality^2 - 23/20 quality + 25.
    """
    if distance <= 6.4:
        return round(100 - (distance - 0.1) / 0.09, 2)
    return round((23 / 20 - math.sqrt((23 / 20) ** 2 - 4 * 53 / 3000 * (25 - distance))) / (2 * 53 / 3000), 2)


def _distances(highest: float, lowest: float) -> list[float]:
    """Return distances from `highest` down to `lowest` in steps of at most 4 %."""
    steps = math.ceil(math.log(highest / lowest) / math.log(1.04))
    return [highest * (lowest / highest) ** (step / steps) for step in range(steps + 1)]


# 25 is the largest distance that libjxl knows: it has no lower rate. From distance 10 on it codes at half resolution,
# which at distances 10 to 12 takes more bits than full resolution at 9: they are left out, so that rates rise.
_LADDER: Final = tuple(_quality(distance) for distance in (*_distances(25.0, 12.2), *_distances(9.1, 0.11)))
_SCALE: Final = Scale(0, 99.9)


@dataclass(frozen=True, slots=True)
class Jxl(MetadataCodec):
    """Lossy JPEG XL (VarDCT); the setting is libjxl's quality, 0 to 99.9, fractions included."""

    type: ClassVar[str] = "jxl"
    format: ClassVar[str] = "JXL"
    library: ClassVar[str] = "libjxl"
    holds: ClassVar[frozenset[str]] = frozenset({"exif"})  # its plugin for Pillow writes no ICC profile
    max_side: ClassVar[int] = 2**18  # limit of level 5 of the standard, libjxl's default

    # Seconds per megapixel, bpp and dB of six gb82 photographs at quality 60: effort 3 0.06 s, 0.48, 36.2; 5 0.37 s,
    # 0.41, 36.8; 7 (libjxl's default) 0.79 s, 0.43, 36.9.
    effort: int = 5
    """Effort from 1 (fast) to 9 (small)."""
    metadata: str = "strip"
    """``keep`` puts the source's EXIF into the stream."""

    def __post_init__(self) -> None:
        require_whole("effort", self.effort, 1, 9)
        require_choice("metadata", self.metadata, METADATA)

    @property
    def remark(self) -> str | None:
        """See `Codec.remark`."""
        return "keeps EXIF alone: pillow-jxl-plugin writes no ICC profiles" if self.keeps else None

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings: qualities in steps of at most 4 % in Butteraugli distance, 25 down to 0.11."""
        return _LADDER

    @property
    def scale(self) -> Scale:
        """See `PillowCodec.scale`."""
        return _SCALE

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        try:
            import pillow_jxl  # noqa: F401 - importing it registers the format with Pillow
        except ImportError:
            return "pillow-jxl-plugin is not installed; pip install 'compress-guard[jxl]'"
        return None

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        # Zero threads: the caller's own. Parallel work is the pool's.
        return {"quality": setting, "effort": self.effort, "lossless": False, "num_threads": 0}

    def _metadata_options(self, metadata: Metadata) -> Mapping[str, bytes]:
        return {"exif": metadata.exif}

    def _version(self) -> str:
        from importlib.metadata import version

        # The plugin has libjxl linked in and does not say which.
        return f"libjxl of pillow-jxl-plugin {version('pillow-jxl-plugin')}"
