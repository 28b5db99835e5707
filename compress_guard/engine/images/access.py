"""Access to one data set: one read at a time, one length, and its own thread only if it refuses others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar, final

from compress_guard.engine.machine.worker import aside
from compress_guard.engine.trouble import pass_on
from compress_guard.errors import DataError, RunError, described

T = TypeVar("T")

REMARK: Final = (
    "the data can be read only on the thread that made it (SQLite, an event loop, thread-local state), so images are "
    "read between predictions and not during them; to save that time, open its files or connections once per thread"
)
"""Remark, given once, on data that another thread cannot read."""


class OtherThread(RunError):
    """A read that must be repeated on the data set's own thread, because another thread did it or cannot do it."""


@final
class Access:
    """Access to one data set, shared by all its readers in one process; `name` is its name in the thresholds file.

    Data sets are rarely safe to read from two threads at once (open archives, shared random state), and some are bound
    to the thread that opened them. So reads take turns, and a read that fails on another thread is repeated on the
    thread that measures the cells: only a read that fails there too is a failure of the data.
    """

    def __init__(self, name: str = "") -> None:
        self.name: Final = name
        self.lock: Final = threading.Lock()
        """Lock that is held while the data set is read."""
        self.bound = False
        """True if the data set can be read on its own thread only."""
        self._remarked = False
        self._refused: Final[set[Hashable]] = set()
        """Reads that failed on another thread and have not been repeated."""
        self._length: int | None = None

    def read(self, key: Hashable, read: Callable[[], T]) -> T:
        """Do the read that `key` names; the caller holds `lock`.

        Raises `OtherThread` if the data set's own thread has to do it, and on that thread anything that `read` raises.
        """
        if not aside():
            done = read()
            self.bound = self.bound or key in self._refused
            return done
        if self.bound:
            raise OtherThread(REMARK)
        try:
            return read()
        except BaseException as problem:  # also SystemExit: it is judged where the read is repeated
            pass_on(problem)
            self._refused.add(key)
            raise OtherThread(f"read beside the cells: {described(problem)}") from problem

    def length(self, data: Any) -> int:
        """Return the length of the data set; raises `DataError` if it differs from the first one."""
        with self.lock:
            count = self.read("length", lambda: self._looked(data))
            if self._length is None and not aside():
                self._length = count
            return count

    def _looked(self, data: Any) -> int:
        count = len(data)
        if self._length is not None and count != self._length:
            raise DataError(
                f"the data set had {self._length} images when it was first read and has {count} now; expected the "
                "same images throughout the run; fix the list of images before the data set is handed over"
            )
        return count

    def remark_once(self) -> str | None:
        """Return the remark on data that is bound to its thread at the first call; None at later ones."""
        if not self.bound or self._remarked:
            return None
        self._remarked = True
        return REMARK
