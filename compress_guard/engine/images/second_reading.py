"""A second reading of a few samples from the data set: images that change between readings cannot be scored."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from compress_guard.records import seeded_fraction

MOST: Final = 16
"""Largest number of images that are read twice: if one image in six changes, 19 checks of 20 notice it."""
FEWEST: Final = 2
"""Images that are read twice in any case: a data set that draws all pixels or labels anew shows in the first."""
SHARE: Final = 0.02
"""Largest time of the second reading, as a share of the first one's; the fewest images may exceed it."""


class Readable(Protocol):
    """Samples that can be read again, by their index."""

    @property
    def seed(self) -> int: ...

    @property
    def reading_seconds(self) -> float: ...

    def position(self, index: int) -> int: ...

    def read_again(self, index: int) -> None: ...


def read_again(samples: Readable, usable: Sequence[int], stopwatch: Callable[[], float] = time.perf_counter) -> int:
    """Read a seeded choice of the usable samples once more and compare; return the number of samples read.

    There are at most `MOST` samples. After the `FEWEST`, another one is read only if it is expected to fit into `SHARE`
    of the time that the first reading took. `stopwatch` returns seconds.

    Raises `DataError` for a sample that gives other pixels, another target, id or slices than before.
    """
    chosen = heapq.nsmallest(
        MOST, usable, key=lambda index: seeded_fraction(samples.seed, f"second reading {samples.position(index)}")
    )
    allowed, started = SHARE * samples.reading_seconds, stopwatch()
    for count, index in enumerate(chosen):
        if count >= FEWEST and (stopwatch() - started) * (count + 1) / count > allowed:
            return count
        samples.read_again(index)
    return len(chosen)
