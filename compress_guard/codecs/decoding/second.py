"""A second decoder of the same streams, such as users may have, to see how much the decoder alone matters.

No standard says how chroma is brought to full size, and JPEG's leaves the last bit of the inverse DCT open; nearly all
else is laid down, so only a decoder that does these differently can move a score. torchvision's libjpeg-turbo and
libwebp are none: they gave exactly Pillow's pixels for all of 25 photographs at three qualities each.
"""

from __future__ import annotations

import io
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from compress_guard.codecs.command import Command
from compress_guard.codecs.contract import Codec, Stepped, delivering
from compress_guard.codecs.decoding.contract import Decoder
from compress_guard.codecs.decoding.streams import DecodedBy
from compress_guard.codecs.execution.pool import map_ordered
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.codecs.pixels import from_pil, read_pil
from compress_guard.errors import CodecError, error_text
from compress_guard.registry import DECODERS

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
    from PIL import Image

HALVED: Final = "4:2:0"
"""The chroma resolution that `_repeated` decodes."""

# Mean absolute difference from Pillow in levels, and the lowest PSNR between both, of 25 photographs (gb82) at
# qualities 10, 50 and 90: repeated chroma 0.25, 0.36 and 0.44, 39.8 dB; djpeg's fast DCT 0.49, 0.77 and 0.95, 44.0 dB;
# djxl 0.7 beside the plugin's libjxl 0.24, 54.2 dB.
_PROGRAMS: Final[Mapping[str, Command]] = {
    "jpeg": Command(
        encoder="cjpeg -quality {setting} -outfile {output} {input}",
        decoder="djpeg -dct fast -nosmooth -outfile {output} {input}",
        settings="1..100",
        suffix=".jpg",
        version_command="djpeg -version",
    ),
    "jxl": Command(
        encoder="cjxl -q {setting} {input} {output}",
        decoder="djxl {input} {output}",
        settings="1..99",
        suffix=".jxl",
        version_command="djxl --version",
    ),
}
"""Second decoders by codec type; only the decoder is run."""
_PACKAGES: Final[Mapping[str, str]] = {"jpeg": "libjpeg-turbo-progs", "jxl": "libjxl-tools"}
"""Debian's packages of these programs."""


@dataclass(frozen=True, slots=True)
class SecondDecoder:
    """A decoder of a codec's streams that is not the codec's own."""

    name: str
    """Name and main difference, with the version of its library."""
    decode: Callable[[Sequence[bytes], int], list[torch.Tensor]]
    """Function from streams and a number of CPU threads to one uint8 image (3, H, W) on the CPU per stream.

    Raises `CodecError` for a stream that it cannot decode.
    """


def second_decoder(codec: Codec) -> SecondDecoder | None:
    """Return an installed decoder that may give other pixels than the codec's own; None where there is none.

    For a codec on a GPU it is the codec on the CPU, unless the codec says that both give the same pixels. On the CPU it
    is, for JPEG with 4:2:0 chroma, Pillow with chroma repeated as in nvJPEG; for other JPEG and for JPEG XL, the
    programs djpeg (with its fast DCT) and djxl where they are on the PATH. For a pipeline it is that of the files that
    it delivers; between the steps each codec reads its own.
    """
    last = delivering(codec)
    if codec.device != "cpu":
        twin = codec.on("cpu")
        if codec.device_tolerance == 0 or twin.device != "cpu":
            return None
        return SecondDecoder(f"{delivering(twin).version} on the CPU", twin.decode)
    if isinstance(last, Jpeg) and last.subsampling == HALVED:
        second: SecondDecoder | None = SecondDecoder(f"{last.version}, chroma repeated", _repeated_all)
    else:
        second = _program(last.type)
    if second is None or not isinstance(codec, Stepped):
        return second
    return SecondDecoder(second.name, codec.read_by(DecodedBy(last, _Files(last, second))).decode)


def no_second_decoder(codec: Codec) -> str:
    """Return the reason why `second_decoder` gives none for a codec, and what to do where anything helps."""
    kind = delivering(codec).type
    if codec.device != "cpu":
        if codec.on("cpu").device == "cpu":
            return f"{kind} gives the same pixels on the CPU, by its own account"
        return f"{kind} has no decoder on the CPU"
    if kind in _PROGRAMS:
        program = shlex.split(_PROGRAMS[kind].decoder)[0]
        missing = f"{program}, the second decoder of {kind} files, is not installed or does not run"
        return f"{missing}; install {_PACKAGES[kind]}"
    others = [name for name, known in DECODERS.items() if kind in known.reads and name != "pillow"]
    instead = f"; name one of {', '.join(others)} in the key decoders" if others else ""
    return f"no second decoder of {kind} is built in{instead}"


class _Files(Decoder):
    """A second decoder in place of the last codec of a pipeline."""

    __slots__ = ("_second",)

    name: ClassVar[str] = "second"

    def __init__(self, codec: Codec, second: SecondDecoder) -> None:
        super().__init__(codec, "cpu")
        self._second: Final = second

    @property
    def version(self) -> str:
        """See `Decoder.version`."""
        return self._second.name

    def unavailable(self) -> None:
        """See `Decoder.unavailable`; a second decoder is made only where it is available."""

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Decoder.decode`."""
        return self._second.decode(streams, workers)


def _program(kind: str) -> SecondDecoder | None:
    program = _PROGRAMS.get(kind)
    if program is None or program.unavailable() is not None:
        return None
    try:
        version = program.version.rpartition(" (lines ")[0]
    except CodecError:  # installed, but it does not run
        return None
    line = " ".join(word for word in shlex.split(program.decoder) if word != "-outfile" and not word.startswith("{"))
    return SecondDecoder(f"{line} ({version})", program.decode)


def _repeated_all(streams: Sequence[bytes], workers: int) -> list[torch.Tensor]:
    def decode_job(job: tuple[int, bytes]) -> torch.Tensor:
        number, stream = job
        try:
            return _repeated(stream)
        except Exception as error:  # Pillow and its libjpeg raise any exception
            what = (
                f"stream {number + 1} of {len(streams)} ({len(stream)} bytes) could not be decoded by repeating chroma"
            )
            raise CodecError(f"{what}: {error_text(error)}") from error

    return map_ordered(decode_job, list(enumerate(streams)), workers)


def _repeated(stream: bytes) -> torch.Tensor:
    """Decode a 4:2:0 JPEG with each chroma sample repeated for its four pixels, where libjpeg would interpolate.

    Asked for half the size, libjpeg has no need to resample chroma: it gives that just as it was coded. The pixels are
    those of ``djpeg -nosmooth``. A picture one pixel wide or high has no half; libjpeg decodes it as usual.
    """
    import numpy as np
    import torch

    luma = np.asarray(_drafted(stream, "L", None)).astype(np.int16)
    height, width = luma.shape
    half = _drafted(stream, "YCbCr", (max(1, width // 2), max(1, height // 2)))
    if half.size != ((width + 1) // 2, (height + 1) // 2) or 1 in (width, height):
        return from_pil(read_pil(Jpeg.format, stream))
    planes = np.empty((3, height, width), dtype=np.uint8)
    for plane, shift in zip(planes, _shifts(np.asarray(half)), strict=True):
        full = shift.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        np.clip(luma + full, 0, 255, out=plane, casting="unsafe")
    return torch.from_numpy(planes)


def _drafted(stream: bytes, mode: str, size: tuple[int, int] | None) -> Image.Image:
    """Return the picture that libjpeg itself gives in this mode, of about this `size`."""
    from PIL import JpegImagePlugin

    image = JpegImagePlugin.JpegImageFile(io.BytesIO(stream))
    if image.draft(mode, size) is None or image.mode != mode:
        raise CodecError(f"found a file of mode {image.mode}, expected one in YCbCr")
    image.load()
    return image


def _shifts(ycc: NDArray[np.uint8]) -> list[NDArray[np.int16]]:
    """Return the differences of red, green and blue from luma for YCbCr (H, W, 3): three of (H, W), in levels.

    JFIF 1.02, page 3, with the factors and the rounding of libjpeg's jdcolor.c, in units of 2**-16.
    """
    import numpy as np

    blue, red = (ycc[..., channel].astype(np.int32) - 128 for channel in (1, 2))
    rounding = 1 << 15
    sums = (91881 * red + rounding, -22554 * blue - 46802 * red + rounding, 116130 * blue + rounding)
    return [(values >> 16).astype(np.int16) for values in sums]
