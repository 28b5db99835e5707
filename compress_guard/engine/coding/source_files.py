"""The coded files of a data set's images, byte by byte, for codecs that begin with them."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, final

from compress_guard.codecs.pixels import Picture
from compress_guard.engine.images.lossy_sources import file_of
from compress_guard.engine.images.sample import Pictures
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.trouble import pass_on
from compress_guard.errors import CodecError, RunError, described

if TYPE_CHECKING:
    import torch

_DIGEST_BYTES: Final = 16
_REMEDY: Final = (
    "expected the coded file of every image, with the pixels that the data set gives; let the data set list its files, "
    "as ImageFolder does, or return images as PIL.Image.open gives them, or take the step source out of the codec"
)


@final
class SourceFiles:
    """The files of a survey's usable images, by position."""

    def __init__(self, samples: Pictures, survey: Survey) -> None:
        self._samples: Final = samples
        self._survey: Final = survey
        self._digests: Final[dict[int, bytes]] = {}

    def digest(self, at: int) -> bytes:
        """Return a hash of the file of the image at this position; that of an image without a file is empty."""
        if at not in self._digests:
            self._digests[at] = _digest(self._read(at))
        return self._digests[at]

    def checked(self, at: int, image: torch.Tensor) -> bytes:
        """Return the file of the image, uint8 RGB (3, H, W), at this position.

        Raises `CodecError` for an image without a file, and for a file that has changed or holds other pixels.
        """
        file = self._read(at)
        if file is None:
            raise CodecError(f"the data set does not show which coded file it comes from; {_REMEDY}")
        if _digest(file) != self.digest(at):
            raise CodecError(f"its file has changed since it was first read; {_REMEDY}")
        if (fault := _fault(file, image)) is not None:
            raise CodecError(f"{fault}; {_REMEDY}")
        return file

    def _read(self, at: int) -> bytes | None:
        try:
            return self._samples.look(self._survey.usable[at], source_file)
        except RunError:  # of another thread, which is not the data set's own
            raise
        except BaseException as problem:  # noqa: BLE001 -- data sets of users may raise anything: they show no file
            pass_on(problem)
            return None


def source_file(data: Any, position: int) -> bytes | None:
    """Return the bytes of the file behind the image at this position of a data set; None if it does not show them.

    It does if it lists its files as `lossy_sources` describes, or gives PIL images as Pillow opened them. Raises what
    the data set and the file raise.
    """
    from PIL import Image

    path = file_of(data, position)
    if path is not None and path.is_file():
        return path.read_bytes()
    image = data[position][0]
    # A copy or a converted image has no format.
    return _opened_from(image) if isinstance(image, Image.Image) and image.format is not None else None


def _opened_from(image: Any) -> bytes | None:
    name = getattr(image, "filename", "")
    if name and (path := Path(os.fsdecode(name))).is_file():
        image.load()  # which closes the file that the data set has opened
        return path.read_bytes()
    stream: BinaryIO | None = getattr(image, "fp", None)
    if stream is None:
        return None
    before = stream.tell()
    try:
        stream.seek(0)
        return stream.read()
    finally:
        stream.seek(before)


def _fault(file: bytes, image: torch.Tensor) -> str | None:
    """Return why these bytes are not the file of an image; None if they decode to it, upright by its EXIF or stored."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(file)) as opened:
            picture = Picture.read(opened)
    except BaseException as problem:  # noqa: BLE001 -- readers of other libraries may raise anything
        pass_on(problem)
        return f"its file cannot be read ({described(problem)})"
    given = image.cpu()
    if picture.at("upright").equal(given) or picture.at("stored").equal(given):
        return None
    pixels = picture.at("upright")
    if pixels.shape != image.shape:
        (_, height, width), (_, given_height, given_width) = pixels.shape, image.shape
        return f"its file holds {height}x{width} pixels and the data set gives {given_height}x{given_width}"
    return "its file holds other pixels than the data set gives"


def _digest(file: bytes | None) -> bytes:
    return b"" if file is None else hashlib.blake2b(file, digest_size=_DIGEST_BYTES).digest()
