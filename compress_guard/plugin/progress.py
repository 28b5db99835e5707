"""How far a long cell is, on pytest's terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    import pytest


QUIET_SECONDS: Final = 5.0
"""Nothing is said of a cell that takes less."""
LINE_SECONDS: Final = {True: 0.5, False: 20.0}
"""Between two lines: on a terminal, where they overwrite one another, and in a log."""


@final
class TerminalProgress:
    """A callable for the core, and a context that leaves the terminal on a fresh line."""

    def __init__(self, reporter: pytest.TerminalReporter | None) -> None:
        self._reporter: Final = reporter
        self._started: Final = time.monotonic()
        self._next = self._started + QUIET_SECONDS
        self._shown = False

    def __enter__(self) -> TerminalProgress:
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if self._reporter is None or now < self._next or self._reporter.config.get_verbosity() < 0:
            return
        animated = bool(self._reporter.hasmarkup)
        self._next = now + LINE_SECONDS[animated]
        count = f"{done}/{total}" if total else f"{done}"
        line = f"  {what}: {count} images, {now - self._started:.0f} s"
        if not self._shown:
            self._reporter.ensure_newline()
        self._shown = True
        if animated:
            self._reporter.rewrite(line, erase=True)
        else:
            self._reporter.write_line(line)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._shown and self._reporter is not None and self._reporter.hasmarkup:
            self._reporter.rewrite("", erase=True)
