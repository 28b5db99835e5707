"""The summary of a run: a block for each guard, then notes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report.blocks.display import Display
from compress_guard.report.blocks.guard import guard_block
from compress_guard.report.blocks.wrapping import wrapped
from compress_guard.report.markup import Line
from compress_guard.report.notes.lines import notes
from compress_guard.report.tally import tally

if TYPE_CHECKING:
    from compress_guard.records import CellResult, TrafficResult

DEFAULT: Display = Display()


def lines(
    results: Sequence[CellResult], display: Display = DEFAULT, *, traffic: Sequence[TrafficResult] = ()
) -> Iterator[Line]:
    """Yield the report on these results, guards and codecs in their order, as the `display` has it.

    The drop over the `traffic` of a guard is below its cells.
    """
    if not results:
        return
    width = display.sentence_width
    legend = display.signs.legend("drop = clean - compressed (negative: a gain)", results)
    yield from wrapped(legend, width, blanks="   ")
    guards = dict.fromkeys(result.guard for result in results)
    for guard in guards:
        yield ()
        of_guard = [result for result in results if result.guard == guard]
        yield from guard_block(of_guard, display, [drop for drop in traffic if drop.guard == guard])
    written = list(notes(results, verbose=display.verbose, below_blocks=True))
    if written:
        yield ()
    for line in written:
        yield from wrapped(line, width)
    yield ()
    yield from wrapped(((str(tally(results)), "bold"),), width)
