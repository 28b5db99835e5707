"""Memory that was freed and that the C library holds on to: given back where it piles up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

from compress_guard.engine.machine.memory import give_back

PILE_BYTES: Final = 32 * 2**20
"""So much may a process grow before what is free in it is given back."""
LOOK_BYTES: Final = 8 * 2**20
"""Images let go between two looks at the process."""
EASE: Final = 20
"""Giving back may not happen again before so many times the time that it took have passed: it must cost next to
nothing, whatever a process is full of."""

_STATM: Final = Path("/proc/self/statm")


def resident() -> int | None:
    """Bytes of this process in memory; None where the system does not tell."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


@final
class Heap:
    """Keeps what was freed from piling up while images stream through; for one thread at a time.

    Images are allocated by one thread, in its own arena, and freed by another, among small objects that stay; and what
    is split off to align a tensor is not put together again (glibc before 2.38). So a process that never used more than
    280 MB took 320 MB more for 1600 images of 256x256 than for 400, most of it free. `python -m benchmarks.gate.memory`
    watches over it.
    """

    def __init__(
        self,
        resident: Callable[[], int | None] = resident,
        give_back: Callable[[], None] = give_back,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resident: Final = resident
        self._give_back: Final = give_back
        self._clock: Final = clock
        self._freed = 0
        self._level: int | None = None
        """What the process had when it held least since the last time, None before the first look."""
        self._not_before = clock()

    def freed(self, count: int) -> None:
        """Told of so many bytes that were let go, look from time to time whether the process has grown."""
        self._freed += count
        if self._freed < LOOK_BYTES:
            return
        self._freed = 0
        now, started = self._resident(), self._clock()
        if now is None:
            return
        if self._level is None or now < self._level:
            self._level = now
        if now <= self._level + PILE_BYTES or started < self._not_before:
            return
        self._give_back()
        ended = self._clock()
        self._level, self._not_before = self._resident(), ended + EASE * (ended - started)
