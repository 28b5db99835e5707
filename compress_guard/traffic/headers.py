"""Figures from the header of an image file, and the reasons why a file is left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Reason = Literal[
    "empty file",
    "not an image",
    "damaged header",
    "truncated",
    "animated",
    "too many pixels",
    "not a regular file",
    "cannot be read",
]
"""Reasons why a file is left out; nothing else about such a file is kept."""

MOST_PIXELS: Final = 178_956_970
"""Largest number of pixels of an image; Pillow warns of a decompression bomb above it."""
_MOST_SIDE: Final = 2**31 - 1


class LeftOut(Exception):
    """A file that is counted by its reason alone; the message is the reason, and names no file."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Final[Reason] = reason


@dataclass(frozen=True, slots=True)
class JpegQuality:
    """Quality of a JPEG file by its quantisation tables, on libjpeg's scale of 1 to 100."""

    value: int
    exact: bool
    """True if all tables are those of libjpeg at this quality; False for the quality whose tables are nearest."""


@dataclass(frozen=True, slots=True)
class FileHeader:
    """Figures of one file: numbers and words of this package, no text of the file."""

    format: str
    width: int
    height: int
    size: int
    """Bytes of the file."""
    coded_size: int
    """Bytes without metadata and without what follows the image, as far as the format's header tells."""
    lossy: bool | None = True
    """True if the coding loses anything; None where the header does not tell."""
    quality: JpegQuality | None = None
    chroma: str | None = None
    """Chroma resolution such as 4:2:0, ``grey`` or ``CMYK``; None where the header does not tell."""
    progressive: bool | None = None
    turned: bool = False
    """The file asks for its image to be turned or mirrored (EXIF, or `irot` and `imir` of HEIF)."""
    icc: int = 0
    """Bytes of the ICC profile; 0 for none."""
    traces: frozenset[str] = frozenset()
    """Marks that programs left that wrote or changed the file; see `jpeg.TRACES`."""

    @property
    def pixels(self) -> int:
        return self.width * self.height

    @property
    def bpp(self) -> float:
        """Bits per pixel of the whole file."""
        return 8 * self.size / self.pixels

    @property
    def coded_bpp(self) -> float:
        """Bits per pixel without metadata, which is what a codec of the gate writes."""
        return 8 * self.coded_size / self.pixels


def checked(header: FileHeader) -> FileHeader:
    """Return a header whose size is possible; raises `LeftOut` for another."""
    if not (0 < header.width <= _MOST_SIDE and 0 < header.height <= _MOST_SIDE):
        raise LeftOut("damaged header")
    if header.pixels > MOST_PIXELS:
        raise LeftOut("too many pixels")
    return header
