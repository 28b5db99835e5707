"""Ctrl-C, told apart from a KeyboardInterrupt that somebody's code raises."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final, final

_signals: Final = [0]
"""How many signals came while somebody watched. No lock: a handler may come while one is held."""


@final
class Watch:
    """Whether SIGINT came since a piece of work began; `_thread.interrupt_main` counts too."""

    __slots__ = ("_before", "handler")

    def __init__(self) -> None:
        self._before: Final = _signals[0]
        self.handler: Any = None
        """Python's handler of the signal while the work lasts; None where nobody watches."""

    @property
    def came(self) -> bool:
        """Whether the signal came, since then and while somebody watched."""
        return _signals[0] > self._before

    def check(self) -> None:
        """Raise KeyboardInterrupt if the signal came: for loops, and after code that may have swallowed it."""
        if self.came:
            raise KeyboardInterrupt


_watches: Final[list[Watch]] = []
"""The watch of the outermost piece of work; signals belong to the process, so there is one at a time."""
_adopted: Final = threading.local()


def current() -> Watch:
    """Return the watch of the work that goes on; a new one where nobody watches."""
    own: Watch | None = getattr(_adopted, "watch", None)
    return own or (_watches[0] if _watches else Watch())


@contextlib.contextmanager
def adopted(watch: Watch) -> Iterator[None]:
    """Let this thread go by a watch of the work that it was given, which may have been given up meanwhile."""
    _adopted.watch = watch
    try:
        yield
    finally:
        del _adopted.watch


@contextlib.contextmanager
def watched() -> Iterator[Watch]:
    """Watch for SIGINT while inside; whatever handled the signal before handles it still, and alone afterwards.

    Inside another watch, on another thread than the main one, or where the signal is ignored, nothing is changed.
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
