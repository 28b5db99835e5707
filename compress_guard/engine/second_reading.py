"""A second look at a few samples, fresh from the data set: what changes from reading to reading cannot be scored."""

from __future__ import annotations

import heapq
import time
from collections.abc import Sequence
from typing import Final, Protocol

from compress_guard.records import seeded_fraction

MOST: Final = 16
"""Images that are read twice: one in six that changes is noticed 19 times in 20."""
FEWEST: Final = 2
SHARE: Final = 0.02
"""Part of the time that reading the data set took."""
SECONDS: Final = 0.25
"""Time that is always given: too little to matter, and enough for `MOST` small images."""


class Readable(Protocol):
    """Samples that can be read again, by their index."""

    @property
    def seed(self) -> int: ...

    @property
    def reading_seconds(self) -> float: ...

    def position(self, index: int) -> int: ...

    def read_again(self, index: int) -> None: ...


def read_again(samples: Readable, usable: Sequence[int]) -> int:
    """Read a seeded choice of the usable samples once more and compare; return how many it were.

    Raises `DataError` for a sample that gives other pixels, another target, id or slices than before.
    """
    chosen = heapq.nsmallest(
        MOST, usable, key=lambda index: seeded_fraction(samples.seed, f"second reading {samples.position(index)}")
    )
    allowed, started = max(SHARE * samples.reading_seconds, SECONDS), time.perf_counter()
    for count, index in enumerate(chosen):
        spent = time.perf_counter() - started
        # With the next one, as long as those before it took.
        if count >= FEWEST and spent * (count + 1) / count > allowed:
            return count
        samples.read_again(index)
    return len(chosen)
