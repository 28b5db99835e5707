"""Streams of the bundled codec: a header, then symbols, coded by CompressAI's range coder or packed as they are."""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import itertools
import math
import struct
import sys
import threading
import zlib
from array import array
from dataclasses import dataclass
from typing import Any, Final, Protocol

from compress_guard.codecs.zoo.library import missing_library
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.records import Bits

_HEADER: Final = struct.Struct(">BHHB")
_ESTIMATE: Final = struct.Struct(">I")
_WORD: Final = 4
"""Bytes of a word: the range coder writes whole words, and must not get less to read."""
_PRECISION: Final = 16
"""log2 of the sum of the frequencies of a row."""
_CODER_BYTES: Final = 6.0
"""Average bytes of the range coder's last state: two words of 4 bytes that hold up to 2 bytes of symbols."""
LONGEST_SIDE: Final = 65535
FORMAT: Final = 1
"""Version of the format: increased when the same stream would decode to other pixels, or not at all."""
_CODER: Final = "compressai.ans"
_LOADING: Final = threading.Lock()
"""Guards the import of an extension module, which two threads must not load at the same time."""


@dataclass(frozen=True, slots=True)
class Header:
    """The first six bytes of a stream: setting, size, and a check of the rest."""

    rung: int
    """Place of the step size in the tables, from 0, finest first."""
    height: int
    width: int

    def sealed(self, payload: bytes, bits: Bits) -> bytes:
        """Return the stream of header and payload."""
        return _HEADER.pack(self.rung, self.height, self.width, self._check(payload, bits)) + payload

    @classmethod
    def opened(cls, stream: bytes, rungs: int, bits: Bits) -> tuple[Header, bytes]:
        """Return header and payload.

        Raises `CodecError` for a stream of another kind, or one that was cut or changed.
        """
        if len(stream) < _HEADER.size + 2 * _WORD:
            raise CodecError(f"{len(stream)} bytes are fewer than a header and a coded image take")
        rung, height, width, check = _HEADER.unpack_from(stream)
        header, payload = cls(rung, height, width), stream[_HEADER.size :]
        whole = bits == "estimated" or len(payload) % _WORD == 0
        if check != header._check(payload, bits) or not whole or rung >= rungs or 0 in (height, width):
            raise CodecError(
                f"its check byte does not fit; it was cut or changed, or is no {bits} stream of this codec"
            )
        return header, payload

    def _check(self, payload: bytes, bits: Bits) -> int:
        # The native decoder reads past the end of a cut stream, or of the stream of a smaller image.
        return zlib.crc32(payload, zlib.crc32(f"{bits} {self.rung} {self.height} {self.width}".encode())) & 0xFF


@dataclass(frozen=True, slots=True, eq=False)
class Frequencies:
    """Cumulative frequencies of symbols, as CompressAI's coder takes them: one row per distribution."""

    rows: list[list[int]]
    """Cumulative frequencies up to 2 ** 16, one more than symbols and an escape; padded with 0."""
    sizes: list[int]
    """Number of used entries of each row."""
    offsets: list[int]
    """The smallest symbol of each row."""


def coder() -> Any:
    """Return CompressAI's extension module with its range coder; raise `CodecUnavailable` without it.

    The package around it takes seconds to import and is not needed. Whoever imports that later finds this module.
    """
    with _LOADING:
        return sys.modules.get(_CODER) or _loaded_coder()


def _loaded_coder() -> Any:
    if (reason := missing_library()) is not None:
        raise CodecUnavailable(reason)
    package = importlib.util.find_spec("compressai")
    folders = package.submodule_search_locations if package is not None else None
    spec = importlib.machinery.PathFinder.find_spec(_CODER, folders)
    if spec is None or spec.loader is None:
        raise CodecUnavailable(
            "compressai is installed without its range coder; pip install --force-reinstall compressai"
        )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules[_CODER] = module
    return module


class Writer(Protocol):
    """Collects symbols, each with the row of frequencies that it is coded by."""

    def put(self, symbols: list[int], rows: list[int], frequencies: Frequencies) -> None:
        """Add symbols, in the order in which a reader asks for them."""

    def finish(self) -> bytes:
        """Return the bytes of all symbols."""


class Reader(Protocol):
    """Returns symbols in the order in which they were put."""

    def get(self, rows: list[int], frequencies: Frequencies) -> list[int]:
        """Return the next symbols, one for each row."""


class RangeWriter:
    """Codes symbols for real."""

    def __init__(self) -> None:
        self._encoder: Final = coder().BufferedRansEncoder()

    def put(self, symbols: list[int], rows: list[int], frequencies: Frequencies) -> None:
        """See `Writer.put`."""
        self._encoder.encode_with_indexes(symbols, rows, frequencies.rows, frequencies.sizes, frequencies.offsets)

    def finish(self) -> bytes:
        """See `Writer.finish`."""
        coded: bytes = self._encoder.flush()
        return coded


class RangeReader:
    """Reads the bytes of a `RangeWriter`."""

    def __init__(self, payload: bytes) -> None:
        self._decoder: Final = coder().RansDecoder()
        self._decoder.set_stream(payload)

    def get(self, rows: list[int], frequencies: Frequencies) -> list[int]:
        """See `Reader.get`."""
        symbols: list[int] = self._decoder.decode_stream(rows, frequencies.rows, frequencies.sizes, frequencies.offsets)
        return symbols


class EstimateWriter:
    """Packs symbols without coding, and adds up the bits that coding would take by their probabilities."""

    def __init__(self) -> None:
        self._symbols: Final = array("i")
        self._bits = 0.0

    def put(self, symbols: list[int], rows: list[int], frequencies: Frequencies) -> None:
        """See `Writer.put`."""
        self._symbols.extend(symbols)
        known = information(frequencies)
        for symbol, row in zip(symbols, rows, strict=True):
            at = symbol - frequencies.offsets[row]
            within = 0 <= at < len(known[row]) - 1
            self._bits += known[row][at] if within else known[row][-1] + _escape_bits(at, len(known[row]) - 1)

    @property
    def size(self) -> float:
        """Estimated bytes of a stream with its header."""
        return _HEADER.size + _CODER_BYTES + self._bits / 8

    def finish(self) -> bytes:
        """Do what `Writer.finish` does; the bytes begin with the estimate, in whole bytes."""
        return _ESTIMATE.pack(math.ceil(self.size)) + zlib.compress(self._symbols.tobytes(), 1)


class EstimateReader:
    """Reads the bytes of an `EstimateWriter`."""

    def __init__(self, payload: bytes) -> None:
        try:
            self._symbols: Final = array("i", zlib.decompress(payload[_ESTIMATE.size :]))
        except (zlib.error, ValueError) as problem:
            raise CodecError(f"its symbols cannot be unpacked: {problem}") from problem
        self._read = 0

    def get(self, rows: list[int], frequencies: Frequencies) -> list[int]:
        """See `Reader.get`."""
        begin, self._read = self._read, self._read + len(rows)
        if self._read > len(self._symbols):
            raise CodecError(f"it holds {len(self._symbols)} symbols, fewer than the image has")
        return self._symbols[begin : self._read].tolist()


def estimate(stream: bytes) -> int:
    """Return the bytes that an estimating stream counts for."""
    (size,) = _ESTIMATE.unpack_from(stream, _HEADER.size)
    return int(size)


@functools.cache
def information(frequencies: Frequencies) -> list[list[float]]:
    """Return the bits of each symbol of each row, those of the escape last."""
    return [
        [_PRECISION - math.log2(high - low) for low, high in itertools.pairwise(row[:size])]
        for row, size in zip(frequencies.rows, frequencies.sizes, strict=True)
    ]


def _escape_bits(at: int, count: int) -> int:
    """Return the bits that the coder writes beside the escape: the distance in digits of 4 bits, and their number."""
    distance = 2 * (-at) - 1 if at < 0 else 2 * (at - count)
    return 4 * (1 + -(-distance.bit_length() // 4))
