"""The scout: makes the plans that a run needs next, while the model works on images that are coded already."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Final, TypeAlias, final

from compress_guard.engine.machine.worker import Worker
from compress_guard.errors import RunError
from compress_guard.records import Cell, CodecSpec

AHEAD: Final = 2
"""Number of plans made before they are needed: enough to keep idle cores busy, few enough to keep memory small."""
_NICENESS: Final = 10
"""Priority of coding ahead: it uses the time of the cores that predictions leave."""

Stopped: TypeAlias = Callable[[], bool]
Key: TypeAlias = tuple[str, CodecSpec, int | None]


@final
class Scout:
    """Plans ahead on one thread of low priority.

    Errors on this thread are dropped: they occur again, and are reported, when the cell itself is measured.
    """

    def __init__(self, cells: Sequence[Cell], plan: Callable[[Cell, Stopped], None]) -> None:
        """Take the cells of the run in its order, and `plan`, which makes the plan of a cell unless it exists."""
        self._cells: Final = tuple(cells)
        self._plan: Final = plan
        self._stop: Final = threading.Event()
        self._sent: Final[dict[Key, Future[None]]] = {}
        self._worker: Final = Worker("compress-guard-scout", _step_back)

    def coming(self, cell: Cell) -> list[Cell]:
        """Return the first cell of each of the next few plans after this cell's own plan."""
        if cell not in self._cells:
            return []
        coming: dict[Key, Cell] = {}
        for later in self._cells[self._cells.index(cell) :]:
            coming.setdefault(_key(later), later)
            if len(coming) > AHEAD:
                break
        return list(coming.values())[1:]

    def send(self, cell: Cell) -> None:
        """Have the plan of a cell made, unless that was requested before."""
        if _key(cell) not in self._sent:
            self._sent[_key(cell)] = self._worker.submit(partial(self._go, cell))

    def _go(self, cell: Cell) -> None:
        if not self._stop.is_set():
            with contextlib.suppress(RunError):
                self._plan(cell, self._stop.is_set)

    def close(self) -> None:
        """Cancel the remaining plans and wait for the thread to end; after Ctrl-C, wait only a short time."""
        self._stop.set()
        self._worker.close()


def _key(cell: Cell) -> Key:
    return cell.guard, cell.codec, cell.limit


def _step_back() -> None:
    """Lower the priority of this thread and of the threads that it starts, on systems that support it (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
