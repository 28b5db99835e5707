"""The gate's lines on pytest's terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compress_guard.foreign import shown_line

if TYPE_CHECKING:
    import pytest


def write_line(reporter: pytest.TerminalReporter, text: str, **styles: bool) -> None:
    """Write a line of the gate; what somebody else chose of it can neither begin another nor command a CI runner."""
    reporter.write_line(shown_line(text), **styles)
