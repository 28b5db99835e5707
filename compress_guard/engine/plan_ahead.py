"""The scout: plans the codecs that a run comes to next, while the model works on what is there already."""

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
"""Plans made before they are needed: enough to keep idle cores busy, few enough for memory to stay small."""
_NICENESS: Final = 10
"""Coding ahead takes what predictions leave of the cores, not the other way round."""

Stopped: TypeAlias = Callable[[], bool]
Key: TypeAlias = tuple[str, CodecSpec, int | None]


@final
class Scout:
    """Plans ahead on one thread of low priority.

    What goes wrong there goes wrong once more when the cell itself is measured, and is told there.
    """

    def __init__(self, cells: Sequence[Cell], plan: Callable[[Cell, Stopped], None]) -> None:
        """`cells` are those of the run, in its order; `plan` makes the plan that one needs, if it is not made yet."""
        self._cells: Final = tuple(cells)
        self._plan: Final = plan
        self._stop: Final = threading.Event()
        self._sent: Final[dict[Key, Future[None]]] = {}
        self._worker: Final = Worker("compress-guard-scout", _step_back)

    def coming(self, cell: Cell) -> list[Cell]:
        """The first cells of the next few plans after that of this one."""
        if cell not in self._cells:
            return []
        found: dict[Key, Cell] = {}
        for one in self._cells[self._cells.index(cell) :]:
            found.setdefault(_key(one), one)
            if len(found) > AHEAD:
                break
        return list(found.values())[1:]

    def send(self, cell: Cell) -> None:
        """Have the plan of a cell made, unless that was asked before."""
        if _key(cell) not in self._sent:
            self._sent[_key(cell)] = self._worker.submit(partial(self._go, cell))

    def _go(self, cell: Cell) -> None:
        if not self._stop.is_set():
            with contextlib.suppress(RunError):
                self._plan(cell, self._stop.is_set)

    def close(self) -> None:
        """Give up what is not done; returns once the thread has ended, and after Ctrl-C soon in any case."""
        self._stop.set()
        self._worker.close()


def _key(cell: Cell) -> Key:
    return cell.guard, cell.codec, cell.limit


def _step_back() -> None:
    """Lower the priority of this thread, and of those that it starts, where the system has such (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
