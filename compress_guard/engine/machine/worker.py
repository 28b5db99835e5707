"""A thread for work that is done ahead of its use; it never keeps a process from ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeAlias, TypeVar, final

from compress_guard import interrupts

T = TypeVar("T")
_Work: TypeAlias = tuple[Future[Any], Callable[[], Any], interrupts.Watch]

PATIENCE_SECONDS: Final = 3.0
"""Longest wait for the thread after Ctrl-C: coding stops with the next image, but a data set may wait for a network."""

_ASIDE: Final = threading.local()


def aside() -> bool:
    """Return True if this code runs on the thread of a worker."""
    return getattr(_ASIDE, "active", False)


@final
class Worker:
    """One thread that does the submitted work in order.

    A process waits for the threads of `concurrent.futures` when it ends, so that data which hangs would keep Ctrl-C
    from ending it. It waits for this thread when the worker is closed, and after Ctrl-C only for a short time.
    """

    def __init__(self, name: str, begin: Callable[[], None] = lambda: None) -> None:
        """Take the name of the thread, which starts with the first work, and `begin`, which it calls first."""
        self._begin: Final = begin
        self._work: Final[queue.SimpleQueue[_Work | None]] = queue.SimpleQueue()
        self._thread: Final = threading.Thread(target=self._go, name=name, daemon=True)
        self._watch: Final = interrupts.Watch()
        self._closed: Final = threading.Event()

    def submit(self, deed: Callable[[], T]) -> Future[T]:
        """Have work done after all that was submitted before."""
        future: Future[T] = Future()
        if self._thread.ident is None:
            self._thread.start()
        self._work.put((future, deed, interrupts.current()))
        return future

    def close(self) -> None:
        """Cancel work that has not begun and wait for the rest; after Ctrl-C, wait only for a short time."""
        self._closed.set()
        self._work.put(None)
        if self._thread.ident is not None:
            self._thread.join(PATIENCE_SECONDS if self._watch.came else None)

    def _go(self) -> None:
        _ASIDE.active = True
        self._begin()
        while (work := self._work.get()) is not None:
            future, deed, watch = work
            if self._closed.is_set():
                future.cancel()
            if future.set_running_or_notify_cancel():
                try:
                    with interrupts.adopted(watch):
                        future.set_result(deed())
                except BaseException as problem:  # noqa: BLE001 -- raised again where the result is requested
                    future.set_exception(problem)
            del work, future, deed, watch  # otherwise the result would live until the next work comes
