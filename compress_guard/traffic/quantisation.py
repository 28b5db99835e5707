"""The quality of a JPEG file by its quantisation tables.

libjpeg scales two tables of the standard (ITU-T T.81, tables K.1 and K.2) by a quality of 1 to 100, in
`jpeg_set_quality` of its jcparam.c. Files by libjpeg, libjpeg-turbo and what uses them (Pillow, OpenCV, ImageMagick,
torchvision) have exactly such tables. Cameras, Photoshop and mozjpeg have tables of their own, whose quality is only
the nearest one.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import log
from typing import Final

from compress_guard.traffic.headers import JpegQuality

# fmt: off
_LUMA: Final = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51,
    87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)
_CHROMA: Final = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
)
ZIGZAG: Final = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21,
    28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54,
    47, 55, 62, 63,
)
"""Place of each value of a file's table in the rows of a block."""
# fmt: on
_QUALITIES: Final = range(1, 101)
_BASELINE: Final = 255
_EXTENDED: Final = 32767
"""Largest value in files of more than eight bits, and in those of eight bits by `force_baseline=FALSE`."""


def libjpeg_table(base: Sequence[int], quality: int, most: int = _BASELINE) -> tuple[int, ...]:
    """Return the table that libjpeg writes at a quality, in rows."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return tuple(min(max((value * scale + 50) // 100, 1), most) for value in base)


@cache
def _qualities() -> dict[tuple[int, ...], int]:
    """Return the quality of each luma table that libjpeg writes."""
    return {libjpeg_table(_LUMA, quality, most): quality for most in (_EXTENDED, _BASELINE) for quality in _QUALITIES}


@cache
def _logarithms() -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(map(log, libjpeg_table(_LUMA, quality, _EXTENDED))) for quality in _QUALITIES)


def quality_of(luma: Sequence[int], chroma: Sequence[Sequence[int]] = ()) -> JpegQuality:
    """Return the quality of a luma table and the chroma tables beside it, each 64 numbers of at least 1 in rows.

    Exact if all are libjpeg's at one quality. Other luma tables have the quality whose table is nearest, by the sum of
    the absolute differences of logarithms, since what counts is the ratio of step sizes.
    """
    exact = _qualities().get(tuple(luma))
    if exact is not None:
        own = {libjpeg_table(base, exact, most) for base in (_LUMA, _CHROMA) for most in (_BASELINE, _EXTENDED)}
        return JpegQuality(exact, all(tuple(table) in own for table in chroma))
    logs = tuple(map(log, luma))
    distances = [sum(abs(a - b) for a, b in zip(logs, known, strict=True)) for known in _logarithms()]
    return JpegQuality(1 + min(range(len(distances)), key=distances.__getitem__), exact=False)
