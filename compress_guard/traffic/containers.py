"""The header of WebP (RIFF), and the boxes of ISO/IEC 14496-12, which `heif` and `jxl` read."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import Final

from compress_guard.traffic.exif import read_exif
from compress_guard.traffic.headers import FileHeader, LeftOut

_MOST_PARTS: Final = 10_000
_MOST_EXIF: Final = 2**17
_ANIMATED: Final = 0x02


@dataclass(frozen=True, slots=True)
class Part:
    """A chunk or a box: its name, and the place of its body."""

    name: bytes
    start: int
    size: int


def read_webp(file: BufferedReader, size: int) -> FileHeader:
    """Return the header of a WebP file; raises `LeftOut`."""
    file.seek(4)
    end = int.from_bytes(file.read(4), "little") + 8
    if end > size:
        raise LeftOut("truncated")
    canvas: tuple[int, int] | None = None
    coded, icc, turned, picture = 0, 0, False, None
    for part in _chunks(file, end):
        if part.name in (b"ANIM", b"ANMF"):
            raise LeftOut("animated")
        if part.name == b"VP8X":
            flags, canvas = _canvas(first_bytes(file, part, 10))
            if flags & _ANIMATED:
                raise LeftOut("animated")
        elif part.name in (b"VP8 ", b"VP8L", b"ALPH"):
            coded += part.size + 8
            if part.name != b"ALPH" and picture is None:
                picture = part
        elif part.name == b"ICCP":
            icc = part.size
        elif part.name == b"EXIF":
            block = first_bytes(file, part, min(part.size, _MOST_EXIF))
            turned = read_exif(block.removeprefix(b"Exif\0\0")).turned
    if picture is None:
        raise LeftOut("damaged header")
    width, height = canvas or _picture_size(file, picture)
    lossy = picture.name == b"VP8 "
    chroma = "4:2:0" if lossy else None
    return FileHeader("webp", width, height, size, coded + 12, lossy=lossy, chroma=chroma, turned=turned, icc=icc)


def _chunks(file: BufferedReader, end: int) -> Iterator[Part]:
    at = 12
    for _ in range(_MOST_PARTS):
        if at + 8 > end:
            return
        file.seek(at)
        name, size = struct.unpack("<4sI", file.read(8))
        if at + 8 + size > end:
            raise LeftOut("truncated")
        yield Part(name, at + 8, size)
        at += 8 + size + size % 2
    raise LeftOut("damaged header")


def _canvas(body: bytes) -> tuple[int, tuple[int, int]]:
    return body[0], (1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little"))


def _picture_size(file: BufferedReader, part: Part) -> tuple[int, int]:
    if part.name == b"VP8L":
        body = first_bytes(file, part, 5)
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    body = first_bytes(file, part, 10)
    if body[3:6] != b"\x9d\x01\x2a":
        raise LeftOut("damaged header")
    width, height = struct.unpack_from("<HH", body, 6)
    return width & 0x3FFF, height & 0x3FFF


def first_bytes(file: BufferedReader, part: Part, count: int) -> bytes:
    """Return the first bytes of a part's body; raises `LeftOut` if it has fewer."""
    file.seek(part.start)
    data = file.read(count)
    if len(data) < count or part.size < count:
        raise LeftOut("damaged header")
    return data


def boxes_in(file: BufferedReader, start: int, end: int) -> Iterator[Part]:
    """Yield the boxes between two places of a file; raises `LeftOut` for damaged ones, and where the file ends."""
    at = start
    for _ in range(_MOST_PARTS):
        if at >= end:
            return
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            raise LeftOut("truncated")
        size, name, length = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1:
            size, length = int.from_bytes(head[8:16], "big"), 16
        elif size == 0:
            size = end - at
        if size < length:
            raise LeftOut("damaged header")
        if at + size > end:
            raise LeftOut("truncated")
        yield Part(name, at + length, size - length)
        at += size
    raise LeftOut("damaged header")
