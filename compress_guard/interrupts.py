"""Ctrl-C, distinguished from a KeyboardInterrupt that other code raises."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final, final

_signals: Final = [0]
"""Number of signals that came during a watch. It has no lock, since a handler may run while a lock is held."""


@final
class Watch:
    """A watch for SIGINT from the beginning of a piece of work; `_thread.interrupt_main` counts too."""

    __slots__ = ("_before", "handler")

    def __init__(self) -> None:
        self._before: Final = _signals[0]
        self.handler: Any = None
        """Python's handler of the signal during the work; None without a watch."""

    @property
    def came(self) -> bool:
        """True if the signal came during the watch."""
        return _signals[0] > self._before

    def check(self) -> None:
        """Raise KeyboardInterrupt if the signal came; for loops, and after code that may have caught it."""
        if self.came:
            raise KeyboardInterrupt


_watches: Final[list[Watch]] = []
"""The watch of the outermost piece of work; signals belong to the process, so there is at most one."""
_adopted: Final = threading.local()


def current() -> Watch:
    """Return the watch of the current work, or a new one if there is none."""
    own: Watch | None = getattr(_adopted, "watch", None)
    return own or (_watches[0] if _watches else Watch())


@contextlib.contextmanager
def adopted(watch: Watch) -> Iterator[None]:
    """Give this thread the watch of the work that it belongs to, which may have ended since."""
    _adopted.watch = watch
    try:
        yield
    finally:
        del _adopted.watch


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """Watch for SIGINT while inside; the earlier handler is called too, and is alone again afterwards.

    Nothing changes inside another watch, on a thread other than the main one, or if the signal is ignored.
    """
    if _watches or threading.current_thread() is not threading.main_thread():
        yield current()
        return
    watch = Watch()
    before = signal.getsignal(signal.SIGINT)

    def noted(number: int, frame: FrameType | None) -> None:
        _signals[0] += 1
        if callable(before):
            before(number, frame)

    # The system's default ends the process, and an ignored signal raises nothing: both stay as they are.
    if callable(before):
        signal.signal(signal.SIGINT, noted)
    watch.handler = signal.getsignal(signal.SIGINT)
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.pop()
        if signal.getsignal(signal.SIGINT) is noted:
            signal.signal(signal.SIGINT, before)


def is_real(problem: BaseException) -> bool:
    """Return True if the user pressed Ctrl-C, whatever exception it has become.

    Without a watch, or if other code has set a handler of its own, a KeyboardInterrupt on the main thread counts.
    """
    watch = current()
    if watch.came:
        return True
    if not issubclass(type(problem), KeyboardInterrupt) or threading.current_thread() is not threading.main_thread():
        return False
    return watch.handler is None or signal.getsignal(signal.SIGINT) is not watch.handler
