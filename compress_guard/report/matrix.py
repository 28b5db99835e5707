"""One guard as a matrix: codecs down, operating points across, in each cell the drop and a mark for its verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from compress_guard.records import Fixed, OperatingPoint, Quality, Rate
from compress_guard.report import numbers
from compress_guard.report.blocks.cell_texts import CellTexts
from compress_guard.report.groups import coded_by
from compress_guard.report.markup import GAP, Line, Span, trimmed
from compress_guard.report.signs import Signs

if TYPE_CHECKING:
    from compress_guard.records import CellResult

FLOORS: Final[tuple[tuple[str, Callable[[CellResult], float | None]], ...]] = (
    ("min score", lambda result: result.min_score),
    ("min clean", lambda result: result.min_clean or None),
)
"""Rows of limits that scores must reach; a min_clean of 0 is no limit."""


def matrix(results: Sequence[CellResult], signs: Signs, gap: str = "   ") -> Iterator[Line]:
    """Yield the lines of one guard's matrix. `results` holds at least one result, and those of one guard only.

    `gap` is the space between columns, more than a blank, since texts of cells have blanks inside.

    Codecs are in the order of the results, rates ascending, qualities behind them. A cell takes up to three lines: the
    drop with its mark, the interval of the drop, the setting that the rate came to. Allowed drops have a row of their
    own if they are the same for all codecs and there are none between decoders, else each follows its drop. A decoder
    that is compared with another has a row of its own, with its drop from the other.
    """
    grid = MatrixGrid.of(results)
    shared = shared_limits(grid, results)
    columns = [_Column(point.label or "fixed", gap) for point in grid.points]
    for row in grid.rows:
        for column, point in zip(columns, grid.points, strict=True):
            column.cells.append(_cell(row.get(point), signs, with_limit=shared is None))
    heads = limit_rows(grid, shared)
    for _, limits in heads:
        for column, text in zip(columns, limits, strict=True):
            column.limits.append(text)
    labels = ["", *(name for name, _ in heads), *(codec for codec, _ in grid.codecs)]
    width = max(len(label) for label in labels)

    yield _row("", width, [column.spans(column.head, "bold") for column in columns])
    for place, (name, _) in enumerate(heads):
        yield _row(name, width, [column.spans(column.limits[place], "light") for column in columns])
    for place, (codec, _) in enumerate(grid.codecs):
        cells = [column.cells[place] for column in columns]
        for line in range(max(len(cell) for cell in cells)):
            label = codec if line == 0 else ""
            texts = [cell[line] if line < len(cell) else ("", "") for cell in cells]
            yield _row(label, width, [column.spans(*text) for column, text in zip(columns, texts, strict=True)])


def shared_limits(grid: MatrixGrid, results: Sequence[CellResult]) -> list[str] | None:
    """Return the allowed drop at each point; None if codecs differ, or if there are limits between decoders."""
    # Limits between decoders follow their drops; a drop without its limit would stand below these limits.
    return None if any(result.max_decoder_drop is not None for result in results) else grid.shared_limits()


@dataclass(frozen=True, slots=True)
class MatrixGrid:
    """Place of each result in the matrix."""

    codecs: tuple[tuple[str, int], ...]
    """Rows: a codec, with its decoder if that is compared with another, and the number of its row, since results that
    share codec and point need a row each."""
    points: tuple[OperatingPoint, ...]
    rows: tuple[Mapping[OperatingPoint, CellResult], ...]

    @classmethod
    def of(cls, results: Sequence[CellResult]) -> MatrixGrid:
        rows: dict[tuple[str, int], dict[OperatingPoint, CellResult]] = {}
        for result in results:
            again = 0
            while result.point in rows.setdefault((coded_by(result), again), {}):
                again += 1
            rows[coded_by(result), again][result.point] = result
        order = list(dict.fromkeys(codec for codec, _ in rows))
        codecs = sorted(rows, key=lambda row: (order.index(row[0]), row[1]))
        points = sorted({result.point for result in results}, key=_place)
        return cls(tuple(codecs), tuple(points), tuple(rows[codec] for codec in codecs))

    def values(self, point: OperatingPoint, of: Callable[[CellResult], float | None]) -> list[float]:
        """Return the values of the codecs at a point, each once, ascending."""
        values = (of(row[point]) for row in self.rows if point in row)
        return sorted({value for value in values if value is not None})

    def shared_limits(self) -> list[str] | None:
        """Return the allowed drop at each point; None if codecs differ."""
        limits = [self.values(point, lambda result: result.max_drop) for point in self.points]
        if any(len(distinct) > 1 for distinct in limits):
            return None
        return [numbers.limit(distinct[0]) if distinct else "" for distinct in limits]


def _place(point: OperatingPoint) -> tuple[int, float]:
    """Return the place of a column: rates ascending, then qualities ascending, then codecs without a choice."""
    match point:
        case Rate(bpp):
            return 0, bpp
        case Quality(setting):
            return 1, setting
        case Fixed():
            return 2, 0.0


@dataclass(slots=True)
class _Column:
    """The texts of one point and the room they take."""

    head: str
    gap: str
    limits: list[str] = field(default_factory=list)
    cells: list[tuple[Span, ...]] = field(default_factory=list)
    """Lines of each row."""

    def spans(self, text: str, style: str) -> list[Span]:
        """Return a text at the left edge of the column, and blanks up to the next one."""
        lines = (line for cell in self.cells for line, _ in cell)
        width = max(len(shown) for shown in (self.head, *self.limits, *lines))
        return [(self.gap, ""), (text, style), (" " * (width - len(text)), "")]


def limit_rows(grid: MatrixGrid, shared: list[str] | None) -> list[tuple[str, list[str]]]:
    """Return the rows of limits above the codecs: a name and one text per point."""
    rows = []
    if shared is not None and any(shared):
        rows.append(("allowed", shared))
    for name, floor in FLOORS:
        floors = [grid.values(point, floor) for point in grid.points]
        if any(floors):
            rows.append((name, [numbers.span(map(numbers.limit, values)) if values else "" for values in floors]))
    return rows


def _cell(result: CellResult | None, signs: Signs, *, with_limit: bool) -> tuple[Span, ...]:
    """Return the lines of a cell; none for a cell that was not selected or is not in the file."""
    if result is None:
        return ()
    texts = CellTexts.of(result, signs)
    drop = texts.drop
    if (with_limit or result.first_decoder is not None) and texts.limit and texts.measured:
        drop = f"{drop} / {texts.limit}"
    if texts.traffic:
        drop = f"{drop} ({texts.traffic})"
    first = f"{drop} {texts.mark}" if texts.mark else drop
    below = ((text, "light") for text in (texts.interval, texts.setting) if text)
    return ((first, texts.style), *below)


def title(results: Sequence[CellResult], shown: str) -> Line:
    """Return the line above a guard's cells; `shown` says what is in them."""
    first = results[0]
    scores = sorted(result.clean_score for result in results if result.clean_score is not None)
    used = sorted(result.images_used for result in results if result.images_used is not None)
    text = f": {first.metric}"
    if scores and used:
        text += f" {numbers.span(map(numbers.points, scores))} on {numbers.span(map(str, used))} clean images"
        text += reshaped(results)
    return ((first.guard, "bold"), (f"{text}; {shown}", ""))


def reshaped(results: Sequence[CellResult]) -> str:
    """Return what was done to the clean images of a guard before the model saw them; empty if they are the sources."""
    return ", scaled and cropped as each codec does" if results[0].reference == "input" else ""


def contents(results: Sequence[CellResult]) -> str:
    """Return what a matrix shows of its cells: ``drop in points / allowed drop, 95 % interval``."""
    text = "drop in points"
    if shared_limits(MatrixGrid.of(results), results) is None:
        text += " / allowed drop"
    if any(result.traffic is not None for result in results):
        text += " (share of traffic)"
    text += interval_head(results, ", with its ")
    if firsts := dict.fromkeys(result.first_decoder for result in results if result.first_decoder is not None):
        text += f"; by another decoder: drop from {', '.join(firsts)} / allowed drop"
    return text


def interval_head(results: Sequence[CellResult], before: str = "") -> str:
    """Return ``95 % interval`` behind a text, or ``interval`` where confidences differ; empty without an interval."""
    levels = {numbers.percent(result.confidence) for result in results if result.drop_low is not None}
    return "" if not levels else f"{before}{levels.pop()} interval" if len(levels) == 1 else f"{before}interval"


def _row(label: str, width: int, cells: Sequence[list[Span]]) -> Line:
    return trimmed([(f"{GAP}{label:<{width}}", ""), *(span for cell in cells for span in cell)])
