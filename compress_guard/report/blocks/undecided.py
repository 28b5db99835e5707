"""Cells of a guard that these images cannot decide: how they were settled, and what would decide them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import numbers
from compress_guard.report.blocks.display import Display
from compress_guard.report.blocks.failed import explained
from compress_guard.report.blocks.wrapping import wrapped
from compress_guard.report.groups import cell
from compress_guard.report.markup import GAP, Line
from compress_guard.report.notes.certainty import settled, to_settle

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def undecided_cells(results: Sequence[CellResult], display: Display) -> Iterator[Line]:
    """Yield a line on the undecided cells of a guard; in a verbose run the images behind each that did not fail."""
    undecided = [result for result in results if result.verdict == "inconclusive"]
    if not undecided:
        return
    used = sorted(result.images_used for result in undecided if result.images_used is not None)
    images = f"with {numbers.span(map(str, used))} images, " if used else ""
    needs = "; ".join(to_settle(undecided))
    text = f"{images}{settled(undecided)}{': ' if needs else ''}{needs}"
    line = ((GAP, ""), (f"? {len(undecided)} undecided ", "yellow bold"), (text, ""))
    yield from wrapped(line, display.sentence_width)
    if display.verbose:
        for result in undecided:
            if result.outcome != "failed":
                yield ((f"{GAP}? {cell(result)}", "light"),)
                yield from explained(result, display)
