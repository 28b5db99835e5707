"""The header in front of the last file of a pipeline: the size of the source, and the bytes of each step.

It is ours and not part of what is delivered, so that it does not count as bits. In little-endian order: the text
``CGP1``, the height and the width of the source in pixels (4 bytes each), the number of coded steps (1 byte), and the
bytes that each of them came to (8 bytes each). Behind it follows the stream of the last codec as it is.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from compress_guard.errors import CodecError

_MAGIC: Final = b"CGP1"
_HEAD: Final = struct.Struct("<4sIIB")
_LENGTH: Final = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Parcel:
    """The stream of a pipeline, taken apart."""

    size: tuple[int, int]
    """(H, W) of the source in pixels."""
    lengths: tuple[int, ...]
    """Bytes of each coded step, the last one included."""
    stream: bytes
    """Stream of the last codec."""

    def packed(self) -> bytes:
        """Return header and stream in one piece."""
        head = _HEAD.pack(_MAGIC, *self.size, len(self.lengths))
        return b"".join((head, *map(_LENGTH.pack, self.lengths), self.stream))

    @classmethod
    def unpacked(cls, data: bytes) -> Parcel:
        """Return the parts of a stream; raises `CodecError` for one with another header."""
        if len(data) < _HEAD.size or not data.startswith(_MAGIC):
            raise CodecError("it does not begin with the header of a pipeline")
        _, height, width, count = _HEAD.unpack_from(data)
        start = _HEAD.size + count * _LENGTH.size
        if len(data) < start:
            raise CodecError("its header is incomplete")
        lengths = tuple(length for (length,) in _LENGTH.iter_unpack(data[_HEAD.size : start]))
        return cls((height, width), lengths, data[start:])
