"""The output of a command: progress and a line per cell on standard error, tables on standard output."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Iterable
from typing import Final, TextIO, final

from compress_guard.engine.frames import traced
from compress_guard.errors import Fault, RunError
from compress_guard.foreign import shown_line, shown_lines
from compress_guard.records import CellResult, RecoveryResult, ThroughputResult
from compress_guard.report import Display, Line, ansi, brief, counted, plain
from compress_guard.report.blocks.display import WIDTH
from compress_guard.report.rerun import pytest_command

_TERMINAL_SECONDS: Final = 0.2


def show(lines: Iterable[Line]) -> None:
    """Write tables to standard output, with styles on a terminal; characters that its encoding lacks are escaped."""
    _write(sys.stdout, ansi(lines) if sys.stdout.isatty() else plain(lines))


def display(*, verbose: bool = False, command: Callable[[CellResult], str] = pytest_command) -> Display:
    """Return the form of text on standard output; `command` as in `Display`."""
    width = shutil.get_terminal_size((WIDTH, 24)).columns
    return Display(sys.stdout.encoding, width, sys.stdout.isatty(), verbose, command=command)


def put(text: str) -> None:
    """Write lines to standard output, and a line feed after the last."""
    _write(sys.stdout, f"{shown_lines(text)}\n")


def tell(text: str) -> None:
    """Write lines to standard error, and a line feed after the last."""
    _write(sys.stderr, f"{shown_lines(text)}\n")


def tell_result(
    name: str, result: CellResult | RecoveryResult | ThroughputResult, problem: RunError | None = None
) -> None:
    """Write a cell's line to standard error; below it the traceback of an unexpected exception.

    A failure has its reason in brief; the whole reason is below the table at the end.
    """
    text = f"{name} {result.outcome}: {brief(result) if result.outcome == 'failed' else result.reason}"
    if isinstance(problem, Fault) and (trace := traced(problem)) is not None:
        text += f"\n{trace}"
    tell(text)


def _write(stream: TextIO, text: str) -> None:
    """Write text; what the stream's encoding does not have is escaped."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))


@final
class StandardErrorProgress:
    """One line on a terminal that is overwritten.

    Elsewhere, where each finished cell has a line of its own, it is silent, or writes a line every `log_seconds`.
    """

    def __init__(self, prefix: str, log_seconds: float | None = None) -> None:
        self._prefix: Final = prefix
        self._terminal: Final = sys.stderr.isatty()
        self._between: Final = _TERMINAL_SECONDS if self._terminal else log_seconds
        self._next = 0.0

    def __enter__(self) -> StandardErrorProgress:
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._between is None or (now := time.monotonic()) < self._next:
            return
        self._next = now + self._between
        line = shown_line(f"{self._prefix} {counted(what, done, total)}")
        _write(sys.stderr, f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def tell(self, line: str) -> None:
        """Write a line that stays."""
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
        tell(line)

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
