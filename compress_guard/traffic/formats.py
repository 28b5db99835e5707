"""The format of a file by its first bytes, and its header by the reader of that format."""

from __future__ import annotations

import os
from io import BufferedReader
from pathlib import Path
from typing import Final

from compress_guard.files import Foreign, open_regular
from compress_guard.traffic.containers import read_webp
from compress_guard.traffic.headers import FileHeader, LeftOut, checked
from compress_guard.traffic.heif import read_heif
from compress_guard.traffic.jpeg import read_jpeg
from compress_guard.traffic.jxl import read_jxl
from compress_guard.traffic.rasters import read_raster

_START: Final = 32
_SIGNATURES: Final = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"\xff\x0a", "jxl"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "jxl"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "jp2"),
    (b"\xff\x4f\xff\x51", "jp2"),
)
_AVIF: Final = frozenset([b"avif", b"avis"])
_HEIC: Final = frozenset([b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"])


def format_of(start: bytes) -> str | None:
    """Return the format of a file that begins so; None for a file that is no image."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    if start[4:8] == b"ftyp":
        brands = {start[at : at + 4] for at in (8, 16, 20, 24, 28)}
        return "avif" if brands & _AVIF else "heic" if brands & _HEIC else None
    if start[:2] == b"BM" and start[6:10] == bytes(4):  # two letters alone may begin any text
        return "bmp"
    return next((name for signature, name in _SIGNATURES if start.startswith(signature)), None)


def read_header(path: Path) -> FileHeader:
    """Return the header of a file, whatever its name ends with; raises `LeftOut` for a file that is only counted.

    Links are followed to a regular file; pipes and devices are never opened.
    """
    try:
        with open_regular(Path(os.path.realpath(path))) as file:
            return checked(_read(file, os.fstat(file.fileno()).st_size))
    except (Foreign, IsADirectoryError):
        raise LeftOut("not a regular file") from None
    except (OSError, ValueError):  # a path with a null character is a ValueError
        raise LeftOut("cannot be read") from None


def _read(file: BufferedReader, size: int) -> FileHeader:
    if not size:
        raise LeftOut("empty file")
    name = format_of(file.read(_START))
    if name is None:
        raise LeftOut("not an image")
    if name == "jpeg":
        return read_jpeg(file, size)
    if name == "webp":
        return read_webp(file, size)
    if name in ("avif", "heic"):
        return read_heif(file, size, name)
    return read_jxl(file, size) if name == "jxl" else read_raster(file, size, name)
