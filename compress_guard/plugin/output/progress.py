"""The progress of a long cell on pytest's terminal."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.engine.pace import Pace
from compress_guard.foreign import shown_line
from compress_guard.plugin.output.terminal import width_of, write_line
from compress_guard.report.markup import counted

if TYPE_CHECKING:
    import pytest

    from compress_guard.plugin.run import Run


QUIET_SECONDS: Final = 5.0
"""Cells that take less have no progress."""
LINE_SECONDS: Final = {True: 0.5, False: 20.0}
"""Seconds between two lines: on a terminal, where they overwrite one another, and in a log."""


@final
class TerminalProgress:
    """A callable for the core, and a context that leaves the terminal on a fresh line."""

    def __init__(
        self,
        reporter: pytest.TerminalReporter | None,
        clock: Callable[[], float] = time.monotonic,
        pace: Pace | None = None,
    ) -> None:
        self._reporter: Final = reporter
        self._pace: Final = pace
        self._clock: Final = clock
        self._started: Final = clock()
        # Output is captured for the whole process, and only the thread that runs the test may lift that.
        self._thread: Final = threading.get_ident()
        self._next = self._started + QUIET_SECONDS
        self._shown = False

    def __enter__(self) -> TerminalProgress:
        if self._pace is not None:
            self._pace.start()
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        now = self._clock()
        reporter = self._reporter
        if reporter is None or now < self._next or threading.get_ident() != self._thread:
            return
        if reporter.config.get_verbosity() < 0:
            return
        animated = bool(reporter.hasmarkup)
        if not animated and self._pace is not None and not self._pace.due():
            return
        self._next = now + (LINE_SECONDS[animated] if animated or self._pace is None else 0.0)
        line = shown_line(f"  {self._place()}{counted(what, done, total)}, {now - self._started:.0f} s{self._left()}")
        if animated:
            line = _cut(line, reporter)
        with _uncaptured(reporter):
            if not self._shown:
                reporter.ensure_newline()
            self._shown = True
            if animated:
                reporter.rewrite(line, erase=True)
                reporter.flush()
            else:
                write_line(reporter, line)

    def _place(self) -> str:
        return f"{self._pace.place}, " if self._pace is not None and self._pace.place else ""

    def _left(self) -> str:
        return f"; {self._pace.left}" if self._pace is not None and self._pace.left else ""

    def tell(self, line: str) -> None:
        """Write a line that stays; a line that begins with WARNING stands out, and is written under -q too."""
        reporter = self._reporter
        loud = line.startswith("WARNING")
        if reporter is None or (reporter.config.get_verbosity() < 0 and not loud):
            return
        with _uncaptured(reporter):
            reporter.ensure_newline()
            write_line(reporter, line, yellow=loud, bold=loud, light=not loud)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._shown and self._reporter is not None and self._reporter.hasmarkup:
            with _uncaptured(self._reporter):
                self._reporter.rewrite("", erase=True)


def progress_of(run: Run) -> TerminalProgress:
    """Return the progress of a test: on the terminal, silent in workers of pytest-xdist."""
    reporter = None if run.is_worker else run.config.pluginmanager.get_plugin("terminalreporter")
    return TerminalProgress(reporter, pace=run.pace)


def log_pace(run: Run) -> None:
    """Write how many cells are done, where workers of pytest-xdist measure them and the output is a log."""
    reporter = run.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or reporter.hasmarkup or reporter.config.get_verbosity() != 0:
        return
    if run.pace.due():
        left = f", {run.pace.left}" if run.pace.left else ""
        reporter.ensure_newline()
        write_line(reporter, f"  {run.pace.count}{left}")


def _cut(line: str, reporter: pytest.TerminalReporter) -> str:
    """Return a line that is not wider than the terminal, which could not take back one that it has broken."""
    width = width_of(reporter) - 1
    return line if len(line) <= width else f"{line[: max(width - 4, 0)]} ..."


def _uncaptured(reporter: pytest.TerminalReporter) -> contextlib.AbstractContextManager[None]:
    """Return a context in which output reaches the terminal: in a test pytest captures its own reporter too."""
    capture: Any = reporter.config.pluginmanager.get_plugin("capturemanager")
    if capture is None:
        return contextlib.nullcontext()
    lifted: contextlib.AbstractContextManager[None] = capture.global_and_fixture_disabled()
    return lifted
