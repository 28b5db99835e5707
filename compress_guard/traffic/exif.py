"""The few EXIF fields that matter here: the turn, whether there is a thumbnail, and the size at capture."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_ORIENTATION: Final = 0x0112
_SUB_IFD: Final = 0x8769
_WIDTH: Final = 0xA002
_HEIGHT: Final = 0xA003
_SHORT, _LONG = 3, 4
_MOST_ENTRIES: Final = 1000


@dataclass(frozen=True, slots=True)
class Exif:
    """Fields of an EXIF block; what is missing or damaged has the value that says nothing."""

    turned: bool = False
    thumbnail: bool = False
    size: tuple[int, int] | None = None
    """Width and height that the camera wrote, which most programs keep when they resize."""


def read_exif(block: bytes) -> Exif:
    """Return the fields of an EXIF block, which begins with its TIFF header; damaged parts are passed over."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None or len(block) < 8:
        return Exif()
    first, following = _entries(block, order, struct.unpack_from(f"{order}I", block, 4)[0])
    sub = first.get(_SUB_IFD)
    inner = _entries(block, order, sub)[0] if sub is not None else {}
    width, height = inner.get(_WIDTH, 0), inner.get(_HEIGHT, 0)
    return Exif(
        turned=2 <= first.get(_ORIENTATION, 1) <= 8,
        thumbnail=following is not None and bool(_entries(block, order, following)[0]),
        size=(width, height) if width and height else None,
    )


def _entries(block: bytes, order: str, offset: int) -> tuple[dict[int, int], int | None]:
    """Return the whole-number fields of the directory at an offset, and the offset of the next directory, if any."""
    fields: dict[int, int] = {}
    try:
        (count,) = struct.unpack_from(f"{order}H", block, offset)
        for number in range(min(count, _MOST_ENTRIES)):
            at = offset + 2 + 12 * number
            tag, kind, values = struct.unpack_from(f"{order}HHI", block, at)
            if values == 1 and kind in (_SHORT, _LONG):
                fields[tag] = struct.unpack_from(f"{order}{'H' if kind == _SHORT else 'I'}", block, at + 8)[0]
        (following,) = struct.unpack_from(f"{order}I", block, offset + 2 + 12 * count)
    except struct.error:
        return fields, None
    return fields, following or None
