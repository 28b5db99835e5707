"""The header of JPEG XL, as far as the kind of coding: ISO/IEC 18181-1, whose first bit is the lowest one."""

from __future__ import annotations

from collections.abc import Iterable
from io import BufferedReader
from typing import Final, final

from compress_guard.traffic.containers import Part, boxes_in
from compress_guard.traffic.headers import FileHeader, LeftOut

_RATIOS: Final = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
"""Ratios of width to height that JPEG XL has a number for, from 1."""
_HEAD: Final = 128
"""Bytes of the codestream that are read: headers of files with plain colours end long before."""
_ENUM: Final = ((0, 0), (1, 0), (2, 4), (18, 6))
"""Base and bits of the four forms of an enumerated value."""
_RGB, _GREY = 0, 1


def read_jxl(file: BufferedReader, size: int) -> FileHeader:
    """Return the header of a JPEG XL file, with or without its container; raises `LeftOut`."""
    file.seek(0)
    head, transcoded = file.read(2 + _HEAD), False
    if head[:2] != b"\xff\x0a":
        boxes = list(boxes_in(file, 0, size))
        head = _beginning(file, boxes)
        transcoded = any(box.name == b"jbrd" for box in boxes)
    if head[:2] != b"\xff\x0a":
        raise LeftOut("damaged header")
    if len(head) < 4:
        raise LeftOut("truncated")
    bits = _Bits(head[2:])
    width, height = _size(bits)
    # With a box jbrd it is a JPEG file, packed.
    return FileHeader("jxl", width, height, size, size, lossy=True if transcoded else _lossy(bits))


def _beginning(file: BufferedReader, boxes: Iterable[Part]) -> bytes:
    """Return the first bytes of the codestream, which may be in pieces; each piece begins with its number."""
    head = b""
    for box in boxes:
        number = 4 if box.name == b"jxlp" else 0
        if box.name in (b"jxlc", b"jxlp") and len(head) < 2 + _HEAD:
            file.seek(box.start + number)
            head += file.read(min(max(box.size - number, 0), 2 + _HEAD - len(head)))
    return head


@final
class _Bits:
    """The bits of a header, from the first one on; behind the last byte come zeros."""

    def __init__(self, data: bytes) -> None:
        self._value: Final = int.from_bytes(data, "little")
        self._end: Final = 8 * len(data)
        self._at = 0

    @property
    def over(self) -> bool:
        """True if more bits were taken than there are."""
        return self._at > self._end

    def take(self, count: int) -> int:
        value = self._value >> self._at & (1 << count) - 1
        self._at += count
        return value

    def choice(self, forms: tuple[tuple[int, int], ...]) -> int:
        """Return a number in one of four forms: a base, and so many bits that are added to it."""
        base, count = forms[self.take(2)]
        return base + self.take(count)

    def align(self) -> None:
        """Go on at the next whole byte."""
        self._at += -self._at % 8


def _size(bits: _Bits) -> tuple[int, int]:
    """Return width and height."""
    small = bits.take(1)

    def side() -> int:
        return 8 * (1 + bits.take(5)) if small else 1 + bits.take((9, 13, 18, 30)[bits.take(2)])

    height = side()
    ratio = bits.take(3)
    if ratio == 0:
        return side(), height
    across, down = _RATIOS[ratio - 1]
    return height * across // down, height


def _lossy(bits: _Bits) -> bool | None:
    """Return True for files in XYB or of the mode VarDCT, False for the modular mode in the image's own colours.

    None where the header does not tell, or has parts that are not read here, such as an ICC profile.
    """
    if bits.take(1):  # all default, so in XYB
        return True
    extra = bits.take(1)
    if extra and not _skip_extra(bits):
        return None
    _skip_depth(bits)
    bits.take(1)
    for _ in range(bits.choice(((0, 0), (1, 0), (2, 4), (1, 12)))):
        if not bits.take(1):  # any extra channel but alpha of 8 bits
            return None
    if bits.take(1):
        return None if bits.over else True
    if not _skip_colours(bits) or (extra and not bits.take(1)):  # tone mapping that is not the default
        return None
    if bits.take(2) or not bits.take(1):  # extensions, transforms of one's own
        return None
    bits.align()
    varies = bits.take(1)
    modular = not varies and bits.take(2) == 0 and bits.take(1) == 1
    return None if bits.over else not modular


def _skip_extra(bits: _Bits) -> bool:
    """Pass over orientation and intrinsic size; return False for a file with a preview. Raises `LeftOut`."""
    bits.take(3)
    if bits.take(1):
        _size(bits)
    if bits.take(1):
        return False
    if bits.take(1):
        raise LeftOut("animated")
    return True


def _skip_depth(bits: _Bits) -> None:
    if bits.take(1):
        bits.choice(((32, 0), (16, 0), (24, 0), (1, 6)))
        bits.take(4)
    else:
        bits.choice(((8, 0), (10, 0), (12, 0), (1, 6)))


def _skip_colours(bits: _Bits) -> bool:
    """Pass over the colour encoding; return False for one with an ICC profile or chromaticities of its own."""
    if bits.take(1):
        return True
    if bits.take(1):
        return False
    space = bits.choice(_ENUM)
    if space not in (_RGB, _GREY):
        return False
    custom = 2
    if bits.choice(_ENUM) == custom or (space == _RGB and bits.choice(_ENUM) == custom):
        return False
    if bits.take(1):
        bits.take(24)
    else:
        bits.choice(_ENUM)
    bits.choice(_ENUM)
    return True
