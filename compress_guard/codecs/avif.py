"""AVIF by Pillow and libavif, which codes by libaom unless another encoder is asked for."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from compress_guard.codecs.execution.insulation import Globals, whole_files
from compress_guard.codecs.ladder import Scale
from compress_guard.codecs.options import METADATA, SUBSAMPLINGS, require_choice, require_whole
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pillow import MetadataCodec, PillowCodec
from compress_guard.codecs.pixels import opened_pil
from compress_guard.errors import OptionError

if TYPE_CHECKING:
    from PIL import Image

# Pillow's decoder takes every core for each image, too: at 256x256 pixels that takes twice as long. Only this
# global sets their number (Pillow 13).
_OPENING: Final = Globals("PIL.AvifImagePlugin", DEFAULT_MAX_THREADS=1, DECODE_CODEC_CHOICE="auto")

# The lowest quality of each of AV1's 64 quantisers: qualities between two of these give the same stream (libavif 1.4).
# fmt: off
_LADDER: Final = tuple(map(float, (
    0, 3, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 35, 37, 39, 40, 42,
    44, 45, 47, 49, 50, 52, 54, 55, 56, 58, 59, 60, 62, 63, 64, 66, 67, 68, 70, 71, 72, 74,
    75, 76, 78, 79, 80, 82, 83, 84, 86, 87, 88, 90, 91, 92, 94, 95, 96, 98, 99, 100,
)))
# fmt: on
_SCALE: Final = Scale(0, 100, whole=True)

CODERS: Final = ("auto", "aom", "rav1e", "svt")
"""Names by which libavif knows AV1 encoders."""
TUNES: Final = ("psnr", "ssim", "iq", "ssimulacra2")
"""Measures of quality that libaom can be tuned for, as far as its version has them."""


@dataclass(frozen=True, slots=True)
class Avif(MetadataCodec):
    """AVIF (AV1 intra); the setting is libavif's quality, 0 to 100."""

    type: ClassVar[str] = "avif"
    format: ClassVar[str] = "AVIF"
    feature: ClassVar[str] = "avif"
    library: ClassVar[str] = "libavif"
    max_side: ClassVar[int] = 32768  # libavif's decoder refuses longer sides

    subsampling: str = "4:2:0"
    """Chroma resolution: 4:2:0, 4:2:2 or 4:4:4."""
    # Seconds per megapixel, bpp and dB of six gb82 photographs at quality 50: speed 6 1.32 s, 0.416, 37.3; 7 0.65 s,
    # 0.435, 37.2; 8 0.45 s, 0.436, 37.0; 9 0.12 s, 0.450, 36.8; 10 is the same as 9. A gate codes every image several
    # times: a tenth of the time is worth 8 % of the rate.
    speed: int = 9
    """Encoder speed from 0 (small) to 10 (fast)."""
    codec: str = "auto"
    """AV1 encoder, of those that Pillow's libavif was built with: auto takes aom where it is there."""
    tune: str | None = None
    """Measure of quality that libaom optimises; None: libavif's own choice for still pictures."""
    metadata: str = "strip"
    """``keep`` puts the source's ICC profile and EXIF into the stream."""

    def __post_init__(self) -> None:
        require_choice("subsampling", self.subsampling, SUBSAMPLINGS)
        require_whole("speed", self.speed, 0, 10)
        require_choice("codec", self.codec, CODERS)
        require_choice("metadata", self.metadata, METADATA)
        if self.tune is None:
            return
        require_choice("tune", self.tune, TUNES)
        if self.codec not in ("auto", "aom"):
            raise OptionError(f"tune is an option of codec: aom, found codec: {self.codec}; leave one of them out")

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings: one quality for each of AV1's quantisers."""
        return _LADDER

    @property
    def scale(self) -> Scale:
        """See `PillowCodec.scale`."""
        return _SCALE

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        return PillowCodec.unavailable(self) or _missing(self.codec, self.tune)

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        tuned = {} if self.tune is None else {"advanced": {"tune": self.tune}}
        return {
            **tuned,
            "codec": self.codec,
            "quality": int(setting),
            "subsampling": self.subsampling,
            "speed": self.speed,
            # Parallel work is the pool's; libavif would take every core for each image.
            "max_threads": 1,
        }

    def _metadata_options(self, metadata: Metadata) -> Mapping[str, bytes]:
        # Pillow writes an EXIF block with an orientation anew, with other bytes.
        return {"icc_profile": metadata.icc, "exif": metadata.unturned_exif}

    def _read(self, stream: bytes) -> Image.Image:
        with whole_files():
            with _OPENING.set():
                image = opened_pil(self.format, stream)
            image.load()
        return image

    def _version(self) -> str:
        from PIL import AvifImagePlugin

        coders = [f"{name} {AvifImagePlugin.get_codec_version(name)}" for name in ("aom", "dav1d", "svt", "rav1e")]
        used = ", ".join(coder for coder in coders if not coder.endswith("None"))
        return f"{PillowCodec._version(self)[:-1]}, {used})"


@functools.cache
def _missing(codec: str, tune: str | None) -> str | None:
    """Return the reason why this build of Pillow's libavif lacks an encoder or libaom's tuning; None if it has them."""
    import PIL
    from PIL import AvifImagePlugin, Image

    if codec != "auto" and AvifImagePlugin.get_codec_version(codec) is None:
        return f"libavif of Pillow {PIL.__version__} was built without the encoder {codec}; set codec: auto"
    if tune is None:
        return None
    try:
        Image.new("RGB", (8, 8)).save(io.BytesIO(), "AVIF", codec=codec, speed=10, advanced={"tune": tune})
    except Exception as error:  # noqa: BLE001 - Pillow states no class of its own for an option that is unknown
        version = AvifImagePlugin.get_codec_version("aom")
        return f"aom {version} of Pillow {PIL.__version__} has no tune {tune} ({error}); pip install --upgrade pillow"
    return None
