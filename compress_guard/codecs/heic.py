"""HEIC (HEVC intra) by pillow-heif, libheif and x265: where the literature has BPG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from compress_guard.codecs.execution.insulation import Globals
from compress_guard.codecs.ladder import Scale
from compress_guard.codecs.options import METADATA, SUBSAMPLINGS, require_choice
from compress_guard.codecs.pictures.metadata import NOTHING, Metadata
from compress_guard.codecs.pillow import MetadataCodec

if TYPE_CHECKING:
    from PIL import Image

PRESETS: Final = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")

# x265 codes a still picture with a whole quantiser, (100 - quality) / 2 rounded down: one quality for each. Above 95
# nothing changes.
_LADDER: Final = (0.0, *map(float, range(1, 96, 2)))
_SCALE: Final = Scale(0, 100, whole=True)

_OPTIONS: Final = Globals(
    "pillow_heif.options",
    PREFERRED_DECODER={"AVIF": "", "HEIF": ""},
    PREFERRED_ENCODER={"AVIF": "", "HEIF": ""},
    GRID_TILE_SIZE=0,
    SAVE_NCLX_PROFILE=True,
    THUMBNAILS=False,
    DEPTH_IMAGES=False,
    AUX_IMAGES=False,
)

_THIN: Final = 32
_LONG: Final = 4096


@dataclass(frozen=True, slots=True)
class Heic(MetadataCodec):
    """HEIC; the setting is libheif's quality, 0 to 95, each step one HEVC quantiser (about 10 % of the rate)."""

    type: ClassVar[str] = "heic"
    max_side: ClassVar[int] = 32768  # libheif's decoder refuses longer sides

    subsampling: str = "4:2:0"
    """Chroma resolution: 4:2:0, 4:2:2 or 4:4:4."""
    # Seconds per megapixel and bpp of three gb82 photographs at quality 50: ultrafast 0.29 s, 1.06; veryfast, faster
    # and fast alike 0.95 s, 0.92; slow (libheif's default) 2.1 s, 0.85.
    preset: str = "veryfast"
    """x265's effort, ultrafast to veryslow."""
    metadata: str = "strip"
    """``keep`` puts the source's ICC profile and EXIF into the stream."""

    def __post_init__(self) -> None:
        require_choice("subsampling", self.subsampling, SUBSAMPLINGS)
        require_choice("preset", self.preset, PRESETS)
        require_choice("metadata", self.metadata, METADATA)

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings: one quality for each of HEVC's quantisers that libheif can choose."""
        return _LADDER

    @property
    def scale(self) -> Scale:
        """See `PillowCodec.scale`."""
        return _SCALE

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        try:
            import pillow_heif
        except ImportError:
            return "pillow-heif is not installed; pip install 'compress-guard[heif]'"
        if not pillow_heif.libheif_info()["HEIF"]:
            return (
                f"pillow-heif {pillow_heif.__version__} was built without an HEVC encoder; "
                "pip install --upgrade --force-reinstall 'compress-guard[heif]'"
            )
        return None

    def _write(self, image: Image.Image, setting: float, metadata: Metadata = NOTHING) -> bytes:
        import pillow_heif

        # Parallel work is the pool's, and without x265's own threads the stream does not depend on the machine.
        parameters = {"preset": self.preset, "x265:pools": "none", "x265:frame-threads": "1"}
        if min(image.size) < _THIN and max(image.size) > _LONG:
            # libheif asks for smaller blocks in thin pictures than HEVC allows in long ones, and x265 then refuses.
            parameters["x265:ctu"] = "32"
        kept = {"icc_profile": metadata.icc} if metadata.icc else {}
        if metadata.exif:
            kept["exif"] = metadata.jpeg_exif
        stream = io.BytesIO()
        with _OPTIONS.set():
            pillow_heif.encode(
                "RGB",
                image.size,
                image.tobytes(),
                stream,
                quality=int(setting),
                subsampling=self.subsampling,
                enc_params=parameters,
                **kept,
            )
        return stream.getvalue()

    def _read(self, stream: bytes) -> Image.Image:
        import pillow_heif

        with _OPTIONS.set():
            return pillow_heif.open_heif(stream, convert_hdr_to_8bit=True).to_pillow()

    def _version(self) -> str:
        import pillow_heif

        info = pillow_heif.libheif_info()
        decoders = ", ".join(sorted(info["decoders"].values()))
        return f"libheif {info['libheif']}, {info['HEIF']}, {decoders} (pillow-heif {pillow_heif.__version__})"
