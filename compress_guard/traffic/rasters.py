"""The headers of the formats that Pillow reads without decoding: PNG, GIF, BMP, TIFF, JPEG 2000."""

from __future__ import annotations

import warnings
from io import BufferedReader
from typing import Final

from compress_guard.traffic.exif import read_exif
from compress_guard.traffic.headers import FileHeader, LeftOut

_PILLOW: Final = {"png": "PNG", "gif": "GIF", "bmp": "BMP", "tiff": "TIFF", "jp2": "JPEG2000"}
_LOSSY_TIFF: Final = frozenset(["jpeg", "tiff_jpeg", "webp"])
"""Compressions of TIFF files, by Pillow's names, that lose something."""
_PNG_END: Final = b"IEND\xae\x42\x60\x82"
_TAIL: Final = 64
_JP2_HEAD: Final = 2**17
"""Bytes in which the coding style of a JPEG 2000 file is looked for, behind an ICC profile too."""
_CODING, _TILE = b"\x52", b"\x90"
_WAVELET: Final = 9
"""Place of the wavelet in the coding style, behind its length: 0 is 9-7."""


def read_raster(file: BufferedReader, size: int, format_name: str) -> FileHeader:
    """Return the header of a file in one of these formats; raises `LeftOut`."""
    from PIL import Image

    if format_name == "png" and not _png_ends(file, size):
        raise LeftOut("truncated")
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the file's contents, which are counted instead
            with Image.open(file, formats=(_PILLOW[format_name],)) as image:
                animated = format_name != "tiff" and bool(getattr(image, "is_animated", False))
                width, height = image.size
                icc = image.info.get("icc_profile")
                exif = image.info.get("exif")
                lossy: bool | None = format_name == "tiff" and image.info.get("compression") in _LOSSY_TIFF
    except Image.DecompressionBombError:
        raise LeftOut("too many pixels") from None
    except Exception:  # noqa: BLE001 -- Pillow's parsers raise anything for damaged files
        raise LeftOut("damaged header") from None
    if format_name == "jp2":
        lossy = _lossy_jp2(file)
    if animated:
        raise LeftOut("animated")
    profile = len(icc) if isinstance(icc, bytes) else 0
    block = exif.removeprefix(b"Exif\0\0") if isinstance(exif, bytes) else b""
    return FileHeader(
        format_name,
        width,
        height,
        size,
        max(size - len(block), 1),
        lossy=lossy,
        turned=read_exif(block).turned,
        icc=profile,
    )


def _lossy_jp2(file: BufferedReader) -> bool | None:
    """Return True for a JPEG 2000 file with the wavelet 9-7, which always loses something.

    None for the reversible 5-3, since headers do not tell whether the stream was cut; ISO/IEC 15444-1, annex A.
    """
    file.seek(0)
    data = file.read(_JP2_HEAD)
    at = data.find(b"\xff\x4f\xff\x51")
    if at < 0:
        return None
    at += 2
    while data[at : at + 1] == b"\xff" and data[at + 1 : at + 2] not in (_TILE, b""):
        body = data[at + 4 : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
        if data[at + 1 : at + 2] == _CODING:
            return True if body[_WAVELET : _WAVELET + 1] == b"\0" else None
        at += 4 + len(body)
    return None


def _png_ends(file: BufferedReader, size: int) -> bool:
    """Return True if the end of a PNG file is there, with at most a few bytes behind it."""
    file.seek(max(size - _TAIL, 0))
    return _PNG_END in file.read(_TAIL)
