"""Lossy WebP by libwebp: through Pillow, or through libvips for options that Pillow does not pass on."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from compress_guard.codecs.ladder import Scale
from compress_guard.codecs.options import METADATA, require_choice, require_flag, require_whole
from compress_guard.codecs.pictures.metadata import NOTHING, Metadata
from compress_guard.codecs.pillow import MetadataCodec, PillowCodec

if TYPE_CHECKING:
    from PIL import Image

PRESETS: Final = ("default", "picture", "photo", "drawing", "icon", "text")
"""Kinds of pictures for which libwebp has sets of filter and noise-shaping strengths."""


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
_NEEDED: Final = (8, 15)
"""The first release of libvips that can leave out all metadata by the option `keep`."""
_WHOLE: Final = tuple(float(quality) for quality in range(101))
"""Qualities that libvips can pass on."""
_SCALE: Final = Scale(0, 100)
_WHOLE_SCALE: Final = Scale(0, 100, whole=True)


@dataclass(frozen=True, slots=True)
class WebP(MetadataCodec):
    """Lossy WebP (VP8), always 4:2:0; the setting is libwebp's quality, 0 to 100, fractions included.

    Pillow passes on neither `sharp_yuv` nor `preset`. With one of them libvips encodes, at whole qualities alone.
    """

    type: ClassVar[str] = "webp"
    format: ClassVar[str] = "WEBP"
    feature: ClassVar[str] = "webp"
    library: ClassVar[str] = "libwebp"
    max_side: ClassVar[int] = 16383  # WEBP_MAX_DIMENSION

    method: int = 4
    """Effort from 0 (fast) to 6 (small)."""
    sharp_yuv: bool = False
    """True for chroma that is fitted to the edges of the image before it is halved (libsharpyuv)."""
    preset: str = "default"
    """Kind of picture that libwebp's filters are set for."""
    metadata: str = "strip"
    """``keep`` puts the source's ICC profile and EXIF into the stream."""

    def __post_init__(self) -> None:
        require_whole("method", self.method, 0, 6)
        require_flag("sharp_yuv", self.sharp_yuv)
        require_choice("preset", self.preset, PRESETS)
        require_choice("metadata", self.metadata, METADATA)

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings: one quality for each of libwebp's quantisers; whole ones where libvips encodes."""
        return _WHOLE if self._by_vips else _LADDER

    @property
    def scale(self) -> Scale:
        """See `PillowCodec.scale`."""
        return _WHOLE_SCALE if self._by_vips else _SCALE

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        reason = PillowCodec.unavailable(self)
        if reason is not None or not self._by_vips:
            return reason
        try:
            import pyvips
        except (ImportError, OSError):  # without the library itself its binding raises OSError
            return "sharp_yuv and preset need pyvips, which is not installed; pip install 'compress-guard[webp]'"
        version = ".".join(str(pyvips.version(part)) for part in range(3))
        if not pyvips.type_find("VipsOperation", "webpsave_buffer"):
            return f"libvips {version} was built without libwebp; pip install --upgrade 'compress-guard[webp]'"
        if not pyvips.at_least_libvips(*_NEEDED):
            needed = ".".join(map(str, _NEEDED))
            return f"libvips {version} is too old, {needed} is needed; pip install --upgrade 'compress-guard[webp]'"
        return None

    @property
    def _by_vips(self) -> bool:
        return self.sharp_yuv or self.preset != "default"

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        return {"quality": setting, "method": self.method}

    def _write(self, image: Image.Image, setting: float, metadata: Metadata = NOTHING) -> bytes:
        if not self._by_vips:
            return PillowCodec._write(self, image, setting, metadata)
        import pyvips

        picture = pyvips.Image.new_from_memory(image.tobytes(), image.width, image.height, 3, "uchar")
        stream: bytes = picture.webpsave_buffer(
            Q=int(setting),
            effort=self.method,
            smart_subsample=self.sharp_yuv,
            preset=self.preset,
            keep="none",  # libvips would add an EXIF block of its own, or change one that it is given
        )
        return _with_metadata(stream, metadata, image.size) if metadata else stream

    def _version(self) -> str:
        version = PillowCodec._version(self)
        if not self._by_vips:
            return version
        import pyvips

        libvips = ".".join(str(pyvips.version(part)) for part in range(3))
        return f"libwebp of libvips {libvips} (pyvips {pyvips.__version__}), decoded by {version}"


def _with_metadata(stream: bytes, metadata: Metadata, size: tuple[int, int]) -> bytes:
    """Return a simple WebP file of this (width, height) in the extended format, with its metadata."""
    flags = (0x20 if metadata.icc else 0) | (0x08 if metadata.exif else 0)
    header = struct.pack("<L", flags) + b"".join((side - 1).to_bytes(3, "little") for side in size)
    profile = _chunk(b"ICCP", metadata.icc) if metadata.icc else b""
    exif = _chunk(b"EXIF", metadata.exif) if metadata.exif else b""
    return _chunk(b"RIFF", b"WEBP" + _chunk(b"VP8X", header) + profile + stream[12:] + exif)


def _chunk(name: bytes, body: bytes) -> bytes:
    """Return a chunk of a RIFF file, padded to an even length."""
    return name + struct.pack("<L", len(body)) + body + bytes(len(body) % 2)
