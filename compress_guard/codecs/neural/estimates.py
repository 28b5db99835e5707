"""Streams of estimated size: symbols packed as they are, behind the bytes that coding them would take."""

from __future__ import annotations

import math
import zlib
from typing import Final

import numpy as np

from compress_guard.codecs.neural.coder import CODER_BYTES
from compress_guard.codecs.neural.frequencies import Frequencies, Integers, total_information
from compress_guard.codecs.neural.stream import ESTIMATE, HEADER_BYTES
from compress_guard.errors import CodecError

_SYMBOL: Final = np.dtype("<i4")
_MOST_PACKED: Final = 1032
"""Most bytes that one byte of zlib's format stands for (https://www.zlib.net/zlib_tech.html)."""


class EstimateWriter:
    """Packs symbols without coding, and adds up the bits that coding would take by their probabilities."""

    def __init__(self) -> None:
        self._symbols: Final[list[bytes]] = []
        self._bits = 0.0

    def put(self, symbols: Integers, rows: Integers, frequencies: Frequencies) -> None:
        """See `Writer.put`."""
        self._symbols.append(symbols.astype(_SYMBOL).tobytes())
        self._bits += total_information(symbols, rows, frequencies)

    @property
    def size(self) -> float:
        """Estimated bytes of a stream with its header."""
        return HEADER_BYTES + CODER_BYTES + self._bits / 8

    def finish(self) -> bytes:
        """Do what `Writer.finish` does; the bytes begin with the estimate, in whole bytes."""
        return ESTIMATE.pack(math.ceil(self.size)) + zlib.compress(b"".join(self._symbols), 1)


class EstimateReader:
    """Reads the bytes of an `EstimateWriter`, and unpacks no more of them than it is asked for."""

    def __init__(self, payload: bytes) -> None:
        self._unpacker: Final = zlib.decompressobj()
        self._packed = payload[ESTIMATE.size :]

    @staticmethod
    def fewest_bytes(frequencies: Frequencies, count: int) -> int:
        """See `Reader.fewest_bytes`."""
        return ESTIMATE.size + count * len(frequencies.rows) * _SYMBOL.itemsize // _MOST_PACKED

    def get(self, rows: Integers, frequencies: Frequencies) -> Integers:
        """See `Reader.get`."""
        wanted = len(rows) * _SYMBOL.itemsize
        unpacked = self._unpacked(wanted) if wanted else b""  # 0 would mean: no limit
        if len(unpacked) < wanted:
            raise CodecError("it ends before the last symbol of the image")
        return np.frombuffer(unpacked, _SYMBOL).astype(np.int32)

    def finish(self) -> None:
        """See `Reader.finish`."""
        if self._unpacked(1) or not self._unpacker.eof or self._unpacker.unused_data:
            raise CodecError("it does not end with the last symbol of the image")

    def _unpacked(self, most: int) -> bytes:
        try:
            unpacked = self._unpacker.decompress(self._packed, most)
        except zlib.error as problem:
            raise CodecError(f"its symbols cannot be unpacked: {problem}") from problem
        self._packed = self._unpacker.unconsumed_tail
        return unpacked
