"""The pace of a run: how many of its cells are done, and when the others will be."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, final

FIRST_GAP: Final = 20.0
"""Seconds between the first lines of a log."""
LONGEST_GAP: Final = 300.0
"""Most seconds between two lines of a log: a CI service takes a longer silence for a hang."""
_MINUTE: Final = 60
_HOUR: Final = 3600


@final
class Pace:
    """Cells that are done, the time they took, and when a log is due for its next line.

    Lines come further apart the longer a run takes, so that a log of hours has few.
    """

    def __init__(self, total: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.total = total
        """Number of cells of the run; 0 where it is not known."""
        self.clock: Final = clock
        self._done = 0
        self._started: float | None = None
        self._finished = 0.0
        """Time when the last cell ended."""
        self._due = 0.0

    def start(self) -> None:
        """Note that the first cell begins; later calls change nothing."""
        if self._started is None:
            self._started = self.clock()
            self._due = self._started + FIRST_GAP

    def finish(self, done: int) -> None:
        """Note that so many cells are done."""
        self._done, self._finished = done, self.clock()

    def due(self) -> bool:
        """Return True if a log may have a line now; the next one is due later."""
        now = self.clock()
        if self._started is None or now < self._due:
            return False
        self._due = now + min(max(FIRST_GAP, (now - self._started) / 3), LONGEST_GAP)
        return True

    @property
    def place(self) -> str:
        """The cell in work and the number of all: ``cell 3 of 12``; empty where their number is not known."""
        return f"cell {min(self._done + 1, self.total)} of {self.total}" if self.total else ""

    @property
    def count(self) -> str:
        """The number of cells that are done: ``2 of 12 cells done``."""
        return f"{self._done} of {self.total} cells done"

    @property
    def left(self) -> str:
        """The time that the other cells will take: ``about 4 min left``; empty before the first is done."""
        if self._started is None or not self._done or self._done >= self.total:
            return ""
        mean = (self._finished - self._started) / self._done
        seconds = mean * (self.total - self._done) - (self.clock() - self._finished)
        return f"about {_rounded(seconds)} left" if seconds > 0 else ""


def _rounded(seconds: float) -> str:
    """Return a time for people: ``20 s``, ``4 min``, ``2 h 10 min``."""
    if seconds < 1.5 * _MINUTE:
        return f"{max(10, round(seconds / 10) * 10)} s"
    minutes = round(seconds / _MINUTE)
    if seconds < 1.5 * _HOUR:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60 // 10 * 10} min"
