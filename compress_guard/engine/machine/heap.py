"""Freed memory that the C library keeps: it is returned to the system where it piles up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, final

from compress_guard.engine.machine.memory import give_back

PILE_BYTES: Final = 32 * 2**20
"""Bytes by which a process may grow before its free memory is returned."""
LOOK_BYTES: Final = 8 * 2**20
"""Bytes of images freed between two checks of the process."""
EASE: Final = 20
"""Pause between two returns of memory, as a multiple of the time that the last one took: the cost stays small."""

_STATM: Final = Path("/proc/self/statm")


def resident() -> int | None:
    """Return the bytes of this process in memory; None if the system does not tell."""
    try:
        pages = int(_STATM.read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


@final
class Heap:
    """Keeps freed memory from piling up while images stream through; for one thread at a time.

    Images are allocated by one thread, in its own arena, and freed by another, among small objects that stay; and
    pieces that are split off to align a tensor are not merged again (glibc before 2.38). A process that never used more
    than 280 MB took 320 MB more for 1600 images of 256x256 than for 400, most of it free.
    `python -m benchmarks.gate.memory` checks this.
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
        """Smallest size of the process since memory was returned last, in bytes; None before the first check."""
        self._not_before = clock()

    def freed(self, count: int) -> None:
        """Record `count` freed bytes; now and then, return memory to the system if the process has grown."""
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
