"""The way to one data set: one read at a time, one length, and its own thread alone where it refuses others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar, final

from compress_guard.engine.machine.worker import aside
from compress_guard.engine.trouble import pass_on
from compress_guard.errors import DataError, RunError, described

T = TypeVar("T")

REMARK: Final = (
    "the data can be read on the thread that made it alone (SQLite, an event loop, state of a thread), so images are "
    "read between predictions and not beside them; open what it reads from anew on each thread to save that time"
)
"""Said once of data that another thread cannot read."""


class OtherThread(RunError):
    """A read that another thread did, or that only the data set's own thread can do: to be done again there."""


@final
class Access:
    """Shared by all who look at one data set in one process; `name` is what the thresholds file calls it.

    Data sets are rarely safe to read from two threads at once (open archives, shared random state), and some are bound
    to the thread that opened them. So reads take turns, and one that fails beside the cells is done again where the
    cells are measured: only what fails there too is the data's failure.
    """

    def __init__(self, name: str = "") -> None:
        self.name: Final = name
        self.lock: Final = threading.Lock()
        """Held while the data set is read."""
        self.bound = False
        """Whether the data set can be read on its own thread alone."""
        self._told = False
        self._refused: Final[set[Hashable]] = set()
        """Reads that failed beside the cells, and have not been done again."""
        self._length: int | None = None

    def read(self, key: Hashable, read: Callable[[], T]) -> T:
        """Do a read, of which `key` is the name; `lock` is held.

        Raises `OtherThread` where another thread has to do it, and what `read` raises on the data set's own thread.
        """
        if not aside():
            done = read()
            self.bound = self.bound or key in self._refused
            return done
        if self.bound:
            raise OtherThread(REMARK)
        try:
            return read()
        except BaseException as problem:  # SystemExit, say: what it means is told where the read is done again
            pass_on(problem)
            self._refused.add(key)
            raise OtherThread(f"read beside the cells: {described(problem)}") from problem

    def length(self, data: Any) -> int:
        """Return how many images the data set says it has; raises `DataError` unless it says the same at every look."""
        with self.lock:
            count = self.read("length", lambda: self._looked(data))
            if self._length is None and not aside():
                self._length = count
            return count

    def _looked(self, data: Any) -> int:
        count = len(data)
        if self._length is not None and count != self._length:
            raise DataError(
                f"the data set had {self._length} images when it was first looked at and has {count} now; expected the "
                "same images throughout the run; settle the list of images before the data set is handed over"
            )
        return count

    def remark_once(self) -> str | None:
        """Return what to say of data that is bound to its thread, the first time that somebody asks; else None."""
        if not self.bound or self._told:
            return None
        self._told = True
        return REMARK
