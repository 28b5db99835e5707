"""Lossy WebP by Pillow and libwebp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from compress_guard.codecs.options import require_whole
from compress_guard.codecs.pillow import PillowCodec


def _quality(index: float) -> float:
    """Return the quality in the middle of those that libwebp codes with base quantiser `index`, 0 (best) to 127.

    libwebp's QualityToCompression: index = floor(127 (1 - v)), where v is the cube root of 2/3 c for c = quality / 100
    below 0.75, else of 2 c - 1.
    """
    linear = max(0.0, 1 - (index + 0.5) / 127) ** 3
    return round(100 * (linear * 1.5 if linear < 0.5 else (linear + 1) / 2), 4)


# Whole qualities leave holes: from quality 0 to 1 lie 24 quantisers, and the mean rate jumps by a third (0.086 to 0.116
# bpp on gb82). One fractional quality per quantiser makes steps of about 3 %; the finest quantisers, 10 % apart, have
# two, which differ in the quantisers of libwebp's segments.
_INDICES: Final = (*range(24, 127), *(index / 2 for index in range(48)))
_LADDER: Final = tuple(sorted({0.0, *map(_quality, _INDICES)}))


@dataclass(frozen=True, slots=True)
class WebP(PillowCodec):
    """Lossy WebP (VP8), always 4:2:0; the setting is libwebp's quality, 0 to 100, fractions included."""

    type: ClassVar[str] = "webp"
    format: ClassVar[str] = "WEBP"
    feature: ClassVar[str] = "webp"
    library: ClassVar[str] = "libwebp"
    max_side: ClassVar[int] = 16383  # WEBP_MAX_DIMENSION

    method: int = 4
    """Effort from 0 (fast) to 6 (small)."""

    def __post_init__(self) -> None:
        require_whole("method", self.method, 0, 6)

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings: one quality for each of libwebp's quantisers."""
        return _LADDER

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        return {"quality": setting, "method": self.method}
