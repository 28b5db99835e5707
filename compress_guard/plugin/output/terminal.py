"""The gate's lines on pytest's terminal."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from compress_guard.foreign import shown_line

if TYPE_CHECKING:
    import pytest

    from compress_guard.records import CellResult
    from compress_guard.report import Display


def write_line(reporter: pytest.TerminalReporter, text: str, **styles: bool) -> None:
    """Write a line of the gate; text of other people in it can neither begin another line nor command a CI runner."""
    reporter.write_line(shown_line(text), **styles)


def display_of(
    reporter: pytest.TerminalReporter, shown: Container[str], command: Callable[[CellResult], str]
) -> Display:
    """Return the form of our text on pytest's terminal; `shown` and `command` are as in `Display`."""
    from compress_guard.report import Display

    verbose = reporter.config.get_verbosity() > 0
    return Display(encoding_of(reporter), width_of(reporter), bool(reporter.isatty), verbose, shown, command)


def width_of(reporter: pytest.TerminalReporter) -> int:
    """Return the width of pytest's terminal in columns."""
    return reporter.config.get_terminal_writer().fullwidth


def encoding_of(reporter: pytest.TerminalReporter) -> str | None:
    """Return the encoding of pytest's terminal, None where that is not known."""
    # Private: pytest's TerminalWriter has no public way to the file that it writes to. Nothing else here reads it.
    file = getattr(reporter.config.get_terminal_writer(), "_file", None)
    encoding: str | None = getattr(file, "encoding", None)
    return encoding
