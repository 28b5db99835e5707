"""Time of a guard's cells on a few images, and an estimate of the time on all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.report import numbers

FIRST_IMAGES: Final = 2
"""Images of the pass that comes before the cells: it loads the model, imports libraries and predicts a first batch."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of a guard's cells on a few images; what only starting takes is kept apart, since it does not grow."""

    first: float
    """Seconds of the pass over `FIRST_IMAGES` that came before the cells."""
    cells: Sequence[float]
    """Seconds of each measured cell, without what starting takes."""
    images: int
    """Images of each cell; 0 where nothing could be measured."""

    @property
    def spent(self) -> float:
        """All seconds."""
        return self.first + sum(self.cells)

    @property
    def start(self) -> float:
        """Seconds that do not depend on the number of images."""
        if not self.images or not self.cells:
            return self.first
        return max(0.0, self.first - FIRST_IMAGES * self.cells[0] / self.images)

    def whole(self, images: Sequence[int]) -> float:
        """Return about the seconds of a whole run whose cells have these numbers of images."""
        each = (seconds * max(1.0, count / self.images) for seconds, count in zip(self.cells, images, strict=True))
        return self.start + sum(each)

    def lines(self, images: Sequence[int] | None) -> Iterator[str]:
        """Yield the time here, and about that with these numbers of images, None where they are unknown."""
        text = f"  time    {_duration(self.spent)} for {numbers.count(len(self.cells), 'cell')} here"
        if images is not None and self.images:
            text += f", about {_duration(self.whole(images))} with all images of the guard"
        yield text


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} minutes" if seconds < 7200 else f"{round(seconds / 3600)} hours"
