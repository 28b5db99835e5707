"""The summary of a run: a matrix for each guard, failures with their reasons, and notes."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report.brief import failures
from compress_guard.report.markup import Line
from compress_guard.report.matrix import matrix
from compress_guard.report.notes.lines import notes
from compress_guard.report.signs import Signs
from compress_guard.report.tally import tally
from compress_guard.report.traffic.drop import traffic_line

if TYPE_CHECKING:
    from compress_guard.records import CellResult, TrafficResult


def lines(
    results: Sequence[CellResult],
    encoding: str | None = "utf-8",
    shown: Container[str] = (),
    *,
    verbose: bool = False,
    traffic: Sequence[TrafficResult] = (),
) -> Iterator[Line]:
    """Yield the report on these results, guards and codecs in their order, with signs that the `encoding` has.

    Failures with ids in `shown` are in brief: their reasons were written above. `verbose` as in `notes`. The drop over
    the `traffic` of a guard is below its matrix.
    """
    if not results:
        return
    signs = Signs.of(encoding)
    yield signs.legend("drop = clean - compressed (negative: a gain)", results)
    guards = dict.fromkeys(result.guard for result in results)
    for guard in guards:
        yield ()
        yield from matrix([result for result in results if result.guard == guard], signs)
        yield from (traffic_line(drop) for drop in traffic if drop.guard == guard)
    for part in (failures(results, shown, ("cell", "cells")), notes(results, verbose=verbose)):
        written = list(part)
        if written:
            yield ()
            yield from written
    yield ()
    yield ((str(tally(results)), "bold"),)
