"""The headers of AVIF and HEIC: items of ISO/IEC 23008-12 in the boxes of ISO/IEC 14496-12.

A file may hold several pictures: tiles, thumbnails, depth maps. Size and turn are those of the primary item.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from typing import Final

from compress_guard.traffic.containers import Part, boxes_in, first_bytes
from compress_guard.traffic.headers import FileHeader, LeftOut

_MOST_META: Final = 2**24
"""Largest size in bytes of a box of metadata that is read."""
_SEQUENCES: Final = frozenset([b"avis", b"hevc", b"hevx", b"msf1"])


@dataclass(frozen=True, slots=True)
class _Properties:
    """Properties of a file's items."""

    all: tuple[Part, ...]
    primary: tuple[Part, ...]
    """Properties of the primary item; all where the file does not tell."""


def read_heif(file: BufferedReader, size: int, format_name: str) -> FileHeader:
    """Return the header of an AVIF or HEIC file; raises `LeftOut`."""
    boxes = list(boxes_in(file, 0, size))
    brand = next((first_bytes(file, box, min(box.size, 4)) for box in boxes if box.name == b"ftyp"), b"")
    if brand in _SEQUENCES:
        raise LeftOut("animated")
    meta = next((box for box in boxes if box.name == b"meta"), None)
    if meta is None or not 4 <= meta.size <= _MOST_META:
        raise LeftOut("damaged header")
    inside = list(boxes_in(file, meta.start + 4, meta.start + meta.size))
    if not any(box.name in (b"mdat", b"idat") for box in (*boxes, *inside)):
        raise LeftOut("truncated")
    try:
        properties = _properties(file, inside)
    except (struct.error, IndexError):
        raise LeftOut("damaged header") from None
    width, height = _size(file, properties)
    icc = max((part.size - 4 for part in properties.all if _is_profile(file, part)), default=0)
    # The primary item of tiles has none of its own.
    chroma = next((found for part in (*properties.primary, *properties.all) if (found := _chroma(file, part))), None)
    turned = any(_turns(file, part) for part in properties.primary)
    return FileHeader(format_name, width, height, size, max(size - icc, 1), chroma=chroma, turned=turned, icc=icc)


def _properties(file: BufferedReader, inside: Sequence[Part]) -> _Properties:
    """Return the properties; raises `struct.error` and IndexError for damaged tables, and `LeftOut`."""
    found: list[Part] = []
    numbers: list[int] = []
    item = _primary(file, inside)
    for box in inside:
        if box.name != b"iprp":
            continue
        for inner in boxes_in(file, box.start, box.start + box.size):
            if inner.name == b"ipco":
                found += boxes_in(file, inner.start, inner.start + inner.size)
            elif inner.name == b"ipma" and item is not None:
                numbers += _associated(first_bytes(file, inner, inner.size), item)
    primary = tuple(found[number - 1] for number in numbers if number)
    return _Properties(tuple(found), primary or tuple(found))


def _primary(file: BufferedReader, inside: Sequence[Part]) -> int | None:
    """Return the number of the primary item, None where the file names none."""
    box = next((box for box in inside if box.name == b"pitm"), None)
    if box is None:
        return None
    body = first_bytes(file, box, min(box.size, 8))
    (item,) = struct.unpack_from(">I" if body[0] else ">H", body, 4)
    return int(item)


def _associated(body: bytes, item: int) -> Iterator[int]:
    """Yield the numbers, from 1, of the properties that the body of a box `ipma` gives an item; 0 says nothing."""
    name = ">I" if body[0] else ">H"
    wide = body[3] & 1
    (count,) = struct.unpack_from(">I", body, 4)
    at = 8
    for _ in range(count):
        (number,) = struct.unpack_from(name, body, at)
        at += struct.calcsize(name)
        used = body[at]
        at += 1
        for _ in range(used):
            given = struct.unpack_from(">H", body, at)[0] & 0x7FFF if wide else body[at] & 0x7F
            at += 2 if wide else 1
            if number == item:
                yield given


def _size(file: BufferedReader, properties: _Properties) -> tuple[int, int]:
    """Return width and height as they are shown, before any turn; encoders fill up to whole blocks and cut that off."""
    sides = [_sides(file, part) for part in properties.primary if part.name == b"ispe"]
    sides = sides or [_sides(file, part) for part in properties.all if part.name == b"ispe"]
    if not sides:
        raise LeftOut("damaged header")
    width, height = max(sides, key=lambda sides: sides[0] * sides[1])
    for part in properties.primary:
        if part.name == b"clap":
            across, by, down, of = struct.unpack(">4I", first_bytes(file, part, 16))
            if by and of and 0 < across // by <= width and 0 < down // of <= height:
                return across // by, down // of
    return width, height


def _sides(file: BufferedReader, part: Part) -> tuple[int, int]:
    width, height = struct.unpack_from(">II", first_bytes(file, part, 12), 4)
    return width, height


def _is_profile(file: BufferedReader, part: Part) -> bool:
    return part.name == b"colr" and part.size > 4 and first_bytes(file, part, 4) in (b"prof", b"rICC")


def _turns(file: BufferedReader, part: Part) -> bool:
    return part.name == b"imir" or (part.name == b"irot" and bool(first_bytes(file, part, 1)[0] & 3))


def _chroma(file: BufferedReader, part: Part) -> str | None:
    if part.name == b"av1C":
        flags = first_bytes(file, part, 3)[2]
        if flags & 0x10:
            return "grey"
        return {0: "4:4:4", 2: "4:2:2", 3: "4:2:0"}.get(flags >> 2 & 3)
    if part.name == b"hvcC":
        return ("grey", "4:2:0", "4:2:2", "4:4:4")[first_bytes(file, part, 17)[16] & 3]
    return None
