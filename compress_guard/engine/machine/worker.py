"""A thread for work that is done ahead of its use, which never keeps a process from ending."""

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
"""How long a run that gets Ctrl-C waits for the thread: coding stops with the next image, but a data set that reads
from a network may be anywhere."""

_ASIDE: Final = threading.local()


def aside() -> bool:
    """Return whether this code runs on the thread of a worker."""
    return getattr(_ASIDE, "active", False)


@final
class Worker:
    """One thread that does what it is given, in order.

    The threads of `concurrent.futures` are waited for when a process ends, so that data which hangs keeps Ctrl-C from
    ending it. This one is waited for when it is closed, and after Ctrl-C not for long.
    """

    def __init__(self, name: str, begin: Callable[[], None] = lambda: None) -> None:
        """`begin` is called first on the thread, which starts with the first work."""
        self._begin: Final = begin
        self._work: Final[queue.SimpleQueue[_Work | None]] = queue.SimpleQueue()
        self._thread: Final = threading.Thread(target=self._go, name=name, daemon=True)
        self._watch: Final = interrupts.Watch()
        self._closed: Final = threading.Event()

    def submit(self, deed: Callable[[], T]) -> Future[T]:
        """Have something done after what was submitted before."""
        future: Future[T] = Future()
        if self._thread.ident is None:
            self._thread.start()
        self._work.put((future, deed, interrupts.current()))
        return future

    def close(self) -> None:
        """Cancel what has not begun, and wait for what has; after Ctrl-C not for long."""
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
                except BaseException as problem:  # noqa: BLE001 -- it is raised again where the result is asked for
                    future.set_exception(problem)
            del work, future, deed, watch  # or what was made would live until the next work comes
