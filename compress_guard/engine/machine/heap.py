"""Freed memory that the C library keeps: it is returned to the system where it piles up."""

from __future__ import annotations

import contextlib
import ctypes
import functools
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
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt(3)."""
_BLOCK_BYTES: Final = 32 * 2**20
"""Largest block that is reused: glibc's own limit."""
_OWN_CHOICE: Final = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")
"""Variables of the environment by which a person sets these parameters."""


@functools.cache
def reuse_freed_memory() -> None:
    """Let the C library reuse the memory of images, in the whole process; `Heap` returns what piles up.

    glibc returns blocks of the size of an image to the system when they are freed, until a block of 32 MB has been
    freed: these are the values that it has from then on. Fetching the pages again took a tenth of the CPU time of
    `compressed_batches` on JPEG, and a quarter of a gate's. Nothing is changed if the environment sets one of these
    values, or if the C library has none.
    """
    if any(name in os.environ for name in _OWN_CHOICE):
        return
    with contextlib.suppress(OSError, AttributeError, TypeError):  # other C libraries than glibc
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _BLOCK_BYTES)
        mallopt(_TRIM_THRESHOLD, 2 * _BLOCK_BYTES)


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
