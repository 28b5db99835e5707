"""Streams of the bundled codec: a header of six bytes, then what a writer made of the symbols."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from compress_guard.errors import CodecError
from compress_guard.records import Bits

if TYPE_CHECKING:
    from compress_guard.codecs.neural.frequencies import Frequencies, Integers

_HEADER: Final = struct.Struct(">BHHB")
HEADER_BYTES: Final = _HEADER.size
ESTIMATE: Final = struct.Struct(">I")
"""First bytes behind the header of an estimating stream: the bytes that coding would take."""
LONGEST_SIDE: Final = 65535
FORMAT: Final = 2
"""Version of the format: increased when the same stream would decode to other pixels, or not at all."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first six bytes of a stream: setting, size, and a check of the rest."""

    rung: int
    """Place of the step size in the tables, from 0, finest first."""
    height: int
    width: int

    def sealed(self, payload: bytes, bits: Bits) -> bytes:
        """Return the stream of header and payload."""
        return _HEADER.pack(self.rung, self.height, self.width, self._check(payload, bits, FORMAT)) + payload

    @classmethod
    def opened(cls, stream: bytes, rungs: int, bits: Bits) -> tuple[Header, bytes]:
        """Return header and payload.

        Raises `CodecError` for a stream of another kind or format, or one that was cut or changed.
        """
        if len(stream) <= HEADER_BYTES:
            raise CodecError(f"{len(stream)} bytes are fewer than a header and a coded image take")
        rung, height, width, check = _HEADER.unpack_from(stream)
        header, payload = cls(rung, height, width), stream[HEADER_BYTES:]
        if rung < rungs and 0 not in (height, width):
            if check == header._check(payload, bits, FORMAT):
                return header, payload
            for earlier in range(1, FORMAT):
                if check == header._check(payload, bits, earlier):
                    raise CodecError(
                        f"its check byte is that of format {earlier}, which an earlier version of the codec wrote, and "
                        f"this one reads format {FORMAT}; code the image again"
                    )
        raise CodecError(f"its check byte does not fit; it was cut or changed, or is no {bits} stream of this codec")

    def _check(self, payload: bytes, bits: Bits, version: int) -> int:
        prefix = "" if version == 1 else f"{version} "
        return zlib.crc32(payload, zlib.crc32(f"{prefix}{bits} {self.rung} {self.height} {self.width}".encode())) & 0xFF


def estimate(stream: bytes) -> int:
    """Return the bytes that an estimating stream counts for."""
    (size,) = ESTIMATE.unpack_from(stream, HEADER_BYTES)
    return int(size)


class Writer(Protocol):
    """Collects symbols, each with the row of frequencies that it is coded by."""

    def put(self, symbols: Integers, rows: Integers, frequencies: Frequencies) -> None:
        """Add symbols (int32, N), in the order in which a reader asks for them."""

    def finish(self) -> bytes:
        """Return the bytes of all symbols."""


class Reader(Protocol):
    """Returns symbols in the order in which they were put."""

    @staticmethod
    def fewest_bytes(frequencies: Frequencies, count: int) -> int:
        """Return a lower bound of the bytes of any stream that holds `count` symbols of each row."""

    def get(self, rows: Integers, frequencies: Frequencies) -> Integers:
        """Return the next symbols (int32, N), one for each row; raise `CodecError` where there are no more."""

    def finish(self) -> None:
        """Raise `CodecError` unless all symbols were read."""
