"""A second look at a few samples, fresh from the data set: what changes from reading to reading cannot be scored."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from compress_guard.records import seeded_fraction

MOST: Final = 16
"""Images that are read twice: one in six that changes is noticed 19 times in 20."""
FEWEST: Final = 2
"""Images that are read twice whatever they take: a set that draws all pixels or labels anew shows in the first."""
SHARE: Final = 0.02
"""Part of the time that reading the data set took which the second look may take, beyond the fewest images."""


class Readable(Protocol):
    """Samples that can be read again, by their index."""

    @property
    def seed(self) -> int: ...

    @property
    def reading_seconds(self) -> float: ...

    def position(self, index: int) -> int: ...

    def read_again(self, index: int) -> None: ...


def read_again(samples: Readable, usable: Sequence[int], stopwatch: Callable[[], float] = time.perf_counter) -> int:
    """Read a seeded choice of the usable samples once more and compare; return how many were read.

    There are at most `MOST`, and after the `FEWEST` another one only where it fits into `SHARE` of the time that the
    first reading took, if it takes as long as those before it. `stopwatch` returns seconds.

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
