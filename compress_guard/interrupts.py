"""Ctrl-C, told apart from a KeyboardInterrupt that somebody's code raises."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final, final


@final
class Watch:
    """Whether SIGINT came since a piece of work began; `_thread.interrupt_main` counts too."""

    __slots__ = ("came", "handler")

    def __init__(self) -> None:
        # No threading.Event: its lock is not reentrant, and a signal may come while it is held.
        self.came = False
        self.handler: Any = None
        """Python's handler of the signal while the work lasts; None where nobody watches."""

    def check(self) -> None:
        """Raise KeyboardInterrupt if the signal came: for loops, and after code that may have swallowed it."""
        if self.came:
            raise KeyboardInterrupt


_UNWATCHED: Final = Watch()
_watches: Final = [_UNWATCHED]
"""The watch of the outermost piece of work; signals belong to the process, so there is one at a time."""


def current() -> Watch:
    """Return the watch of the work that goes on in this process. Threads keep it, to stop when their work is given up.

    It never says that the signal came where nobody watches.
    """
    return _watches[-1]


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """Watch for SIGINT while inside; whatever handled the signal before handles it still, and alone afterwards.

    Inside another watch, on another thread than the main one, or where the signal is ignored, nothing is changed.
    """
    if len(_watches) > 1 or threading.current_thread() is not threading.main_thread():
        yield current()
        return
    watch = Watch()
    before = signal.getsignal(signal.SIGINT)

    def noted(number: int, frame: FrameType | None) -> None:
        watch.came = True
        if callable(before):
            before(number, frame)

    # The default of the system ends the process, and an ignored signal raises nothing: neither is ours to change.
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
    """Return whether the person at the keyboard wants the run to end, whatever exception that has become by now.

    Where nobody watches, or somebody's code has put a handler of its own in place, a KeyboardInterrupt on the main
    thread is believed.
    """
    watch = current()
    if watch.came:
        return True
    if not issubclass(type(problem), KeyboardInterrupt) or threading.current_thread() is not threading.main_thread():
        return False
    return watch.handler is None or signal.getsignal(signal.SIGINT) is not watch.handler
