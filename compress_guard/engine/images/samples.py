"""The images of a guard: all of its data set, or a seeded subset."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar, final

from compress_guard.codecs.pictures.orientation import UPRIGHT
from compress_guard.engine.images.access import Access
from compress_guard.engine.images.placing import Arrival, settled
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.sample import Sample
from compress_guard.errors import DataError
from compress_guard.records import Orientation, seeded_numbers

T = TypeVar("T")

COMPARED: Final = 2**24
"""Largest data set in which every position takes part in the choice: seconds of work for a data set of this size."""
_FEW: Final = 16
"""A heap picks a subset if the data set is at least so many times larger; a sort is faster for larger subsets."""


@final
class Samples:
    """Checked samples of a data set; a seeded subset of `limit` images if there are more.

    They come in the data set's order or, `shuffled`, in a seeded random one, whose beginnings are fair samples. Subsets
    of one data set share its reader.
    """

    def __init__(
        self, reader: SampleReader, *, limit: int | None = None, seed: int = 0, shuffled: bool = False
    ) -> None:
        self._reader: Final = reader
        self.seed: Final = seed
        self.shuffled: Final = shuffled
        self._positions = _chosen(len(reader), limit, seed, shuffled=shuffled)

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, index: int) -> Sample:
        """Return the sample at this index of the subset; raises `DataError`: see `SampleReader`."""
        return self._reader[self._positions[index]]

    def arrange(self, indices: Sequence[int]) -> None:
        """Bring the samples into this order of their present indices, of which each occurs once."""
        self._positions = [self._positions[index] for index in indices]

    def settle(self, arrivals: Mapping[str, Arrival]) -> bool:
        """Choose the one orientation that fits the targets of these arrivals, by id, for all later reads.

        Return True if some samples were read in another orientation. Raises `DataError` if none fits, or both.
        """
        orientation = settled(arrivals)
        if orientation is None:
            return False
        self._reader.read_as(orientation)
        return any(arrival.turn != UPRIGHT and arrival.used != orientation for arrival in arrivals.values())

    def read_again(self, index: int) -> None:
        """Read the sample at this index again and compare; raises `DataError`: see `SampleReader`."""
        self._reader.read_again(self._positions[index])

    def look(self, index: int, look: Callable[[Any, int], T], /) -> T:
        """Return what `look` makes of the data set and the position in it of the sample at this index."""
        return self._reader.look(self._positions[index], look)

    @property
    def reading_seconds(self) -> float:
        """Seconds spent reading the data set so far."""
        return self._reader.seconds

    @property
    def access(self) -> Access:
        """Access to the data set."""
        return self._reader.access

    def check_length(self, end: int | None) -> None:
        """Raise `DataError` if the length of the data set has changed, or the data set ends before it, at `end`."""
        length = len(self._reader)
        if end is not None:
            raise DataError(
                f"the data set has a length of {length} but ends at {end}: sample {end} and all samples after it raise "
                f"IndexError or StopIteration; expected {length} images; let len() return the number of images that "
                "can be read"
            )

    def position(self, index: int) -> int:
        """Return the position in the data set of the sample at this index of the subset."""
        return self._positions[index]

    @property
    def orientation(self) -> Orientation:
        """Orientation in which images that EXIF turns are read; known once all have been read."""
        return self._reader.orientation

    def name(self, index: int) -> str:
        """Return the name of a sample that could not be read: its id if it is known, else its position."""
        return self._reader.name(self._positions[index])


def _chosen(count: int, limit: int | None, seed: int, *, shuffled: bool) -> Sequence[int]:
    """Return the positions of a seeded subset, in data order or shuffled; a smaller limit gives a part of them.

    The choice goes by position, not by id: ids are known only once an image has been read. In a data set of up to
    `COMPARED` images, positions with the smallest hashes are chosen, so that most of them remain when images are added.
    In a larger one positions are drawn, so that time and memory depend on the limit alone.
    """
    if limit is None or limit >= count:
        return _smallest(count, count, seed) if shuffled else range(count)
    chosen = _smallest(count, limit, seed) if count <= COMPARED else _drawn(count, limit, seed)
    return chosen if shuffled else sorted(chosen)


def _smallest(count: int, limit: int, seed: int) -> list[int]:
    """Return so many of the positions below `count`, those of the smallest hashes first."""
    number = seeded_numbers(seed, "position ")
    # The floating-point number, not the whole one, is what subsets have always been ordered by.
    if limit * _FEW <= count:
        return heapq.nsmallest(limit, range(count), key=lambda position: number(position) / 2**64)
    return sorted(range(count), key=lambda position: number(position) / 2**64)[:limit]


def _drawn(count: int, limit: int, seed: int) -> list[int]:
    """Return so many different positions below `count`, in the order in which they are drawn.

    Draws are numbers below a power of two of which too large ones are passed over: so most positions remain if images
    are added.
    """
    number, bits = seeded_numbers(seed, "draw "), (count - 1).bit_length()
    chosen: dict[int, None] = {}
    draw = 0
    while len(chosen) < limit:
        position = number(draw) >> (64 - bits)
        if position < count:
            chosen[position] = None
        draw += 1
    return list(chosen)
