"""The limit that a measured drop gives: the upper end of its interval, and a margin."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from compress_guard.records import CellResult, Guard, Thresholds

MARGIN: Final = 0.5
"""Points above the interval: what a release may lose before a cell is no longer certain to hold."""


def limit_for(result: CellResult) -> float | None:
    """Return the max_drop, with one decimal, that a measured cell passes; None for a cell without an interval."""
    high = result.drop_high
    if high is None or not math.isfinite(high):
        return None
    # Rounded up, but not by an error of the sum in its last digit.
    return min(100.0, max(MARGIN, math.ceil(round((high + MARGIN) * 10, 6)) / 10))


def unlimited(thresholds: Thresholds) -> Thresholds:
    """Return the guards without limits of the drop, of cells and of slices, to be measured and not judged by these."""
    return replace(thresholds, guards=tuple(_without_limits(guard) for guard in thresholds.guards))


def _without_limits(guard: Guard) -> Guard:
    cells = (replace(cell, max_drop=None, slice_limits=(), doubts=()) for cell in guard.cells)
    return replace(guard, cells=tuple(cells))
