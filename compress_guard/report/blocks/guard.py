"""The whole block of one guard."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report.blocks.display import Display
from compress_guard.report.blocks.failed import failed_cells
from compress_guard.report.blocks.layouts import guard_cells
from compress_guard.report.blocks.undecided import undecided_cells
from compress_guard.report.blocks.wrapping import wrapped
from compress_guard.report.markup import Line
from compress_guard.report.traffic.drop import traffic_line

if TYPE_CHECKING:
    from compress_guard.records import CellResult, TrafficResult


def guard_block(
    results: Sequence[CellResult], display: Display, traffic: Sequence[TrafficResult] = ()
) -> Iterator[Line]:
    """Yield the lines of one guard: its cells, its drop over the traffic, failed cells, undecided ones."""
    yield from guard_cells(results, display)
    for drop in traffic:
        yield from wrapped(traffic_line(drop), display.sentence_width)
    for part in (failed_cells(results, display), undecided_cells(results, display)):
        yield from part
