"""The output of a command: progress and a line per cell on standard error, tables on standard output."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable
from typing import Final, TextIO, final

from compress_guard.engine.frames import traced
from compress_guard.engine.pace import Pace
from compress_guard.errors import Fault, RunError
from compress_guard.foreign import shown_line, shown_lines
from compress_guard.records import CellResult, RecoveryResult, ThroughputResult
from compress_guard.report import Line, ansi, brief, counted, plain
from compress_guard.report.blocks.display import WIDTH

_TERMINAL_SECONDS: Final = 0.2


def show(lines: Iterable[Line], color: str = "auto") -> None:
    """Write tables to standard output, with styles where it takes colour; what its encoding lacks is escaped."""
    _write(sys.stdout, ansi(lines) if coloured(sys.stdout, color) else plain(lines))


def coloured(stream: TextIO, color: str = "auto") -> bool:
    """Return True if a stream gets styles: as ``--color`` says, else on a terminal that neither NO_COLOR nor TERM=dumb
    speaks against."""
    if color != "auto":
        return color == "yes"
    return not os.environ.get("NO_COLOR") and animated(stream)


def animated(stream: TextIO) -> bool:
    """Return True for a terminal that takes escape sequences."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def put(text: str) -> None:
    """Write lines to standard output, and a line feed after the last."""
    _write(sys.stdout, f"{shown_lines(text)}\n")


def tell(text: str) -> None:
    """Write lines to standard error, and a line feed after the last."""
    _write(sys.stderr, f"{shown_lines(text)}\n")


def tell_result(
    name: str,
    result: CellResult | RecoveryResult | ThroughputResult,
    problem: RunError | None = None,
    *,
    quiet: bool = False,
) -> None:
    """Write a cell's line to standard error; below it the traceback of an unexpected exception.

    A failure has its reason in brief; the whole reason is below the table at the end. `quiet`: nothing is written.
    """
    if quiet:
        return
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
    """One line on a terminal that is overwritten; elsewhere, where each finished cell has a line, a line now and then.

    Without a `pace`, and where it is `silent`, nothing but warnings is written.
    """

    def __init__(self, prefix: str, pace: Pace | None = None, *, silent: bool = False) -> None:
        self._prefix: Final = prefix
        self._pace: Final = pace
        self._silent: Final = silent
        self._terminal: Final = animated(sys.stderr) and not silent
        self._next = 0.0

    def __enter__(self) -> StandardErrorProgress:
        if self._pace is not None:
            self._pace.start()
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._silent or not self._due():
            return
        left = f"; {self._pace.left}" if self._pace is not None and self._pace.left else ""
        line = shown_line(f"{self._prefix} {counted(what, done, total)}{left}")
        if self._terminal:
            width = shutil.get_terminal_size((WIDTH, 24)).columns - 1
            line = line if len(line) <= width else f"{line[: max(width - 4, 0)]} ..."
        _write(sys.stderr, f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def _due(self) -> bool:
        """Return True if a line is due; the next one is then due later."""
        if not self._terminal:
            return self._pace is not None and self._pace.due()
        if (now := time.monotonic()) < self._next:
            return False
        self._next = now + _TERMINAL_SECONDS
        return True

    def tell(self, line: str) -> None:
        """Write a line that stays; where it is silent, warnings alone."""
        if self._silent and not line.startswith("WARNING"):
            return
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
        tell(line)

    def __exit__(self, *_: object) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
