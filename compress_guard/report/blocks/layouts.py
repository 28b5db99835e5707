"""The cells of a guard in the form that fits an output: a matrix, a list, or a list with two lines for each cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import numbers
from compress_guard.report.blocks.cell_texts import CellTexts
from compress_guard.report.blocks.display import Display
from compress_guard.report.blocks.wrapping import shortened_name, wrapped
from compress_guard.report.groups import cells_by_row
from compress_guard.report.markup import GAP, Line, trimmed
from compress_guard.report.matrix import FLOORS, contents, interval_head, matrix, title

if TYPE_CHECKING:
    from compress_guard.records import CellResult

_Column = tuple[str, list[tuple[str, str]]]
"""Head of a column, and the text and style of each cell."""


def guard_cells(results: Sequence[CellResult], display: Display) -> Iterator[Line]:
    """Yield the title of a guard and its cells; `results` holds at least one result, and those of one guard only."""
    drawn = list(matrix(results, display.signs))
    if _width(drawn) > display.width:
        drawn = list(matrix(results, display.signs, gap="  "))
    heading = title(results, contents(results))
    if _width(drawn) > display.width:
        drawn = _list(results, display)
        heading = title(results, "drop in points")
    if _width(drawn) > display.width:
        drawn = list(_stacked(results, display))
    yield from wrapped(heading, display.sentence_width)
    yield from drawn


def unjudged_lines(results: Sequence[CellResult], display: Display) -> Iterator[Line]:
    """Yield the cells of each guard, without notes on limits: nothing was judged."""
    for guard in dict.fromkeys(result.guard for result in results):
        yield from guard_cells([result for result in results if result.guard == guard], display)
        yield ()


def _list(results: Sequence[CellResult], display: Display) -> list[Line]:
    """Return a line for each cell, below a line of heads."""
    ordered = cells_by_row(results)
    texts = [CellTexts.of(result, display.signs) for result in ordered]
    columns: list[_Column] = [
        ("", [(each.name, "") for each in texts]),
        ("drop", [(each.marked, each.style) for each in texts]),
        (interval_head(results) or "interval", [(each.interval, "light") for each in texts]),
        ("allowed", [(each.limit, "light") for each in texts]),
        *_floors(ordered),
        ("setting", [(each.setting, "light") for each in texts]),
        ("traffic", [(each.traffic, "light") for each in texts]),
    ]
    kept = [column for column in columns if any(text for text, _ in column[1])]
    heads = [(head, "bold") for head, _ in kept]
    widths = [max(len(head), *(len(text) for text, _ in cells)) for head, cells in kept]
    rows = [heads, *([cells[at] for _, cells in kept] for at in range(len(ordered)))]
    return [_row(row, widths) for row in rows]


def _row(row: Sequence[tuple[str, str]], widths: Sequence[int]) -> Line:
    spans = []
    for (text, style), width in zip(row, widths, strict=True):
        spans += [(GAP, ""), (text, style), (" " * (width - len(text)), "")]
    return trimmed(spans)


def _floors(results: Sequence[CellResult]) -> Iterator[_Column]:
    """Yield a column for each floor of a score that a cell has."""
    for name, floor in FLOORS:
        values = [floor(result) for result in results]
        yield name, [("" if value is None else numbers.limit(value), "light") for value in values]


def _stacked(results: Sequence[CellResult], display: Display) -> Iterator[Line]:
    """Yield for each cell its drop, and below it the interval, the limits and the setting."""
    for result in cells_by_row(results):
        texts = CellTexts.of(result, display.signs)
        name = shortened_name(texts.name, max(display.width - len(texts.marked) - 2 * len(GAP), 8))
        yield (GAP, ""), (name, ""), (GAP, ""), (texts.marked, texts.style)
        details = [texts.interval, f"allowed {texts.limit}" if texts.limit else ""]
        details += (f"{floor} {numbers.limit(value)}" for floor, of in FLOORS if (value := of(result)) is not None)
        details += [texts.setting, f"{texts.traffic} of traffic" if texts.traffic else ""]
        below = ", ".join(filter(None, details))
        if below:
            yield from wrapped(((f"{2 * GAP}{below}", "light"),), display.width)


def _width(lines: Sequence[Line]) -> int:
    return max(sum(len(text) for text, _ in line) for line in lines)
