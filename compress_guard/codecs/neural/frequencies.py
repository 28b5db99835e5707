"""Tables of integer frequencies, one per distribution, and the escape that codes a symbol outside of its table."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from compress_guard.errors import CodecError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PRECISION: Final = 16
"""log2 of the sum of the frequencies of a row."""
LONGEST_ESCAPE: Final = 24
"""Most bits of a distance that an escape can code."""
_CODER_PRECISION: Final = 24
"""log2 of the sum of frequencies in constriction's models."""

Integers = NDArray[np.integer[Any]]
"""Symbols, rows, places or frequencies; their functions say of which type."""


@dataclass(frozen=True, slots=True, eq=False)
class Frequencies:
    """Frequencies of symbols: one row per distribution."""

    rows: Sequence[Integers]
    """Frequencies of neighbouring symbols and, last, of the escape: integers above 0, 2 ** 16 together."""
    offsets: Integers
    """The smallest symbol of each row, int32."""


def from_cumulative(rows: Sequence[Sequence[int]], sizes: Sequence[int], offsets: Sequence[int]) -> Frequencies:
    """Return the frequencies of cumulative ones, as the weights have them: padded rows, of which `sizes` are used."""
    used = [np.diff(np.asarray(row[:size], np.int64)) for row, size in zip(rows, sizes, strict=True)]
    return Frequencies(used, np.asarray(offsets, np.int32))


def located(symbols: Integers, rows: Integers, frequencies: Frequencies) -> tuple[Integers, Integers]:
    """Return the place of each symbol in its row, the last for one outside, and the distances of these to their rows.

    Distances are 1, 3, 5 ... above and 2, 4, 6 ... below. Raises `CodecError` for a symbol that no escape reaches.
    """
    last = _last_places(frequencies)[rows]
    at = symbols.astype(np.int64) - frequencies.offsets[rows]
    outside = (at < 0) | (at >= last)
    if not outside.any():
        return at.astype(np.int32), np.zeros(0, np.int64)
    far, end = at[outside], last[outside]
    distances = np.where(far < 0, -2 * far, 2 * (far - end) + 1)
    if int(distances.max()) >= 1 << LONGEST_ESCAPE:
        raise CodecError(f"a symbol is further from its table than {LONGEST_ESCAPE} bits can say")
    return np.where(outside, last, at).astype(np.int32), distances


def escaped(places: Integers, rows: Integers, frequencies: Frequencies) -> NDArray[np.bool_]:
    """Return which places (int32, N) are those of the escape, bool."""
    return np.asarray(places == _last_places(frequencies)[rows])


def symbols_at(places: Integers, rows: Integers, distances: Integers, frequencies: Frequencies) -> Integers:
    """Return the symbols (int32, N) that `located` takes apart: places, and distances of the escapes among them."""
    if len(distances):
        outside = escaped(places, rows, frequencies)
        places = places.copy()
        places[outside] = np.where(distances % 2, places[outside] + distances // 2, -(distances // 2))
    return np.asarray(places + frequencies.offsets[rows], np.int32)


def groups(rows: Integers) -> tuple[Integers, list[tuple[int, slice]]]:
    """Return the order (N,) that sorts symbols by row and keeps each row's own order, and each row with its part."""
    # numpy sorts integers of 16 bits by counting them, in linear time.
    order = np.argsort(rows.astype(np.uint16), kind="stable")
    counts = np.bincount(rows)
    ends = np.cumsum(counts)
    present = np.flatnonzero(counts)
    parts = [slice(int(end - count), int(end)) for end, count in zip(ends[present], counts[present], strict=True)]
    return order, list(zip(present.tolist(), parts, strict=True))


@functools.cache
def models(frequencies: Frequencies) -> list[Any]:
    """Return constriction's model of each row, with exactly these frequencies.

    A model is made of floating-point weights: it gives each of n symbols 1 of 2 ** 24, and shares out the rest by the
    weights. Weights that are the integers of this rest are scaled by exactly 1 and rounded nowhere.
    """
    import constriction

    grow = 1 << (_CODER_PRECISION - PRECISION)
    categorical = constriction.stream.model.Categorical
    return [categorical((row * grow - 1).astype(np.float64), perfect=False) for row in frequencies.rows]


@functools.cache
def information(frequencies: Frequencies) -> list[NDArray[np.float64]]:
    """Return the bits of each symbol of each row, those of the escape last."""
    return [float(PRECISION) - np.log2(row.astype(np.float64)) for row in frequencies.rows]


def total_information(symbols: Integers, rows: Integers, frequencies: Frequencies) -> float:
    """Return the bits of symbols by the frequencies that they are coded by, escapes included."""
    places, distances = located(symbols, rows, frequencies)
    table, starts = _all_information(frequencies)
    bits = float(table[starts[rows] + places].sum())
    return bits + math.fsum(math.log2(LONGEST_ESCAPE) + length - 1 for length in lengths(distances).tolist())


@functools.cache
def least_information(frequencies: Frequencies) -> float:
    """Return the bits of one symbol of each row, if each is the one that takes fewest."""
    return math.fsum(float(row.min()) for row in information(frequencies))


def lengths(distances: Integers) -> Integers:
    """Return the bits of numbers from 1 up, which are below 2 ** 24, int32."""
    return np.asarray(np.frexp(distances.astype(np.float64))[1], np.int32)


def lengths_in_use(used: Integers) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield each length above 1 that occurs, shortest first, and the places (bool) where it does."""
    for length in np.unique(used[used > 1]).tolist():
        yield length, used == length


@functools.cache
def _last_places(frequencies: Frequencies) -> Integers:
    return np.asarray([len(row) - 1 for row in frequencies.rows], np.int32)


@functools.cache
def _all_information(frequencies: Frequencies) -> tuple[NDArray[np.float64], Integers]:
    """Return the bits of all rows one after the other, and the place where each row starts."""
    sizes = [len(row) for row in frequencies.rows]
    return np.concatenate(information(frequencies)), np.cumsum([0, *sizes[:-1]])
