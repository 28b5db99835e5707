"""The entropy coder: asymmetric numeral systems (Duda, 2013), by the library constriction.

It works like a stack, last symbol first, so that a reader gets symbols in the order in which they were put. Its state
begins at `_EMPTY` and is there again when the last symbol was read, and only then: a stream that was cut or changed, or
is that of another image, ends elsewhere.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from compress_guard.codecs.neural.frequencies import (
    LONGEST_ESCAPE,
    Frequencies,
    Integers,
    escaped,
    groups,
    least_information,
    lengths,
    lengths_in_use,
    located,
    models,
    symbols_at,
)
from compress_guard.errors import CodecError

CODER_BYTES: Final = 4.5
"""Average bytes of a stream beside the information of its symbols: the state's first word, and half a byte."""
_EMPTY: Final = (0, 1)
"""The words of the coder's first state, 2 ** 32: the smallest at which no symbol is written for nothing."""
_WORD: Final = np.dtype("<u4")
_WASTE: Final = 0.99
"""Share of the information that a stream takes at least. A state of 2 ** 32 or more is rounded by less than 1 in 256
for a symbol, and by the less the fewer bits the symbol has."""

_Coded = list[tuple[Integers, Any]]
"""Places with their models, in the order in which they are read."""


class AnsWriter:
    """Codes symbols for real."""

    def __init__(self) -> None:
        self._put: Final[_Coded] = []

    def put(self, symbols: Integers, rows: Integers, frequencies: Frequencies) -> None:
        """See `Writer.put`."""
        order, parts = groups(rows)
        places, distances = located(symbols[order], rows[order], frequencies)
        table = models(frequencies)
        self._put.extend((places[part], table[row]) for row, part in parts)
        if len(distances):
            digits = lengths(distances)
            self._put.append((digits - 1, _uniform(LONGEST_ESCAPE)))
            for length, which in lengths_in_use(digits):
                rest = distances[which] - (1 << (length - 1))
                self._put.append((rest.astype(np.int32), _uniform(1 << (length - 1))))

    def finish(self) -> bytes:
        """See `Writer.finish`: whole words, the last without the zeros at its end."""
        coder = _coder(np.asarray(_EMPTY, np.uint32))
        for places, model in reversed(self._put):
            coder.encode_reverse(places, model)
        coded: bytes = coder.get_compressed().astype(_WORD).tobytes()
        return coded.rstrip(b"\0")


class AnsReader:
    """Reads the bytes of an `AnsWriter`."""

    def __init__(self, payload: bytes) -> None:
        if payload.endswith(b"\0"):
            raise CodecError("its last byte is zero, and no stream of this codec ends with one")
        padded = payload + bytes(-len(payload) % _WORD.itemsize)
        self._coder: Final = _coder(np.frombuffer(padded, _WORD).astype(np.uint32))

    @staticmethod
    def fewest_bytes(frequencies: Frequencies, count: int) -> int:
        """See `Reader.fewest_bytes`."""
        return int(_WASTE * count * least_information(frequencies) / 8)

    def get(self, rows: Integers, frequencies: Frequencies) -> Integers:
        """See `Reader.get`."""
        order, parts = groups(rows)
        table = models(frequencies)
        places = np.empty(len(rows), np.int32)
        for row, part in parts:
            places[part] = self._next(table[row], part.stop - part.start)
        sorted_rows = rows[order]
        distances = self._distances(int(np.count_nonzero(escaped(places, sorted_rows, frequencies))))
        symbols = np.empty(len(rows), np.int32)
        symbols[order] = symbols_at(places, sorted_rows, distances, frequencies)
        return symbols

    def finish(self) -> None:
        """See `Reader.finish`."""
        if self._coder.pos() != (0, 1 << 32):
            raise CodecError("it does not end with the last symbol of the image")

    def _distances(self, count: int) -> Integers:
        """Return the distances of the next `count` escapes."""
        distances = np.zeros(count, np.int64)
        if count:
            digits = self._next(_uniform(LONGEST_ESCAPE), count) + 1
            distances[:] = np.int64(1) << (digits - 1)
            for length, which in lengths_in_use(digits):
                distances[which] += self._next(_uniform(1 << (length - 1)), int(which.sum()))
        return distances

    def _next(self, model: Any, count: int) -> Integers:
        # A coder without symbols decodes on and on, to nothing that anybody coded.
        if self._coder.num_words() < len(_EMPTY):
            raise CodecError("it ends before the last symbol of the image")
        return np.asarray(self._coder.decode(model, count), np.int32)


def _coder(words: Integers) -> Any:
    import constriction

    return constriction.stream.stack.AnsCoder(words)


@functools.cache
def _uniform(count: int) -> Any:
    """Return the model of `count` symbols, 2 or more, that are equally frequent."""
    import constriction

    return constriction.stream.model.Uniform(count)
