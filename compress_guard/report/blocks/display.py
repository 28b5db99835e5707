"""The form of a report in text: what its output can show, and how much of it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compress_guard.report.rerun import pytest_command
from compress_guard.report.signs import Signs

if TYPE_CHECKING:
    from compress_guard.records import CellResult

WIDTH: Final = 80
"""Width of tables where nobody knows that of the output."""


@dataclass(frozen=True, slots=True)
class Display:
    """An output for text, and how much its readers want to know."""

    encoding: str | None = "utf-8"
    """Encoding of the output, which may lack signs; None: unknown."""
    width: int = WIDTH
    """Columns that a table may take."""
    wraps: bool = False
    """True if sentences are broken at `width` too: on a terminal, which would break them inside a number."""
    verbose: bool = False
    shown: Container[str] = ()
    """Ids of the failures whose whole reasons stand above already."""
    command: Callable[[CellResult], str] = pytest_command
    """A function that returns the command which measures a cell alone."""

    @property
    def signs(self) -> Signs:
        """Signs for verdicts that the encoding has."""
        return Signs.of(self.encoding)

    @property
    def sentence_width(self) -> int | None:
        """Columns at which sentences are broken; None: never."""
        return self.width if self.wraps else None
