"""One guard as a report shows it: its matrix, figures, tables and notes."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from compress_guard.records import CellResult, RecoveryResult
from compress_guard.report import numbers
from compress_guard.report.html.cell import CellView
from compress_guard.report.html.chart import Chart, charts
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.pictures import ImageView, shown_images
from compress_guard.report.html.tables import DataTable, guard_tables
from compress_guard.report.matrix import MatrixGrid, limit_rows, reshaped
from compress_guard.report.notes.lines import notes
from compress_guard.report.recovery_figure import recovery_figure
from compress_guard.report.signs import Result


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One codec of the matrix."""

    name: str
    cells: tuple[CellView | None, ...]


@dataclass(frozen=True, slots=True)
class GuardView:
    """Texts, figures and tables of one guard."""

    anchor: str
    name: str
    model: str
    """Name of the model behind the word, ``model package.module:callable``; empty if the results do not tell."""
    subtitle: str
    points: tuple[str, ...]
    """Heads of the matrix: operating points."""
    limits: tuple[tuple[str, tuple[str, ...]], ...]
    """Rows of limits above the codecs."""
    rows: tuple[MatrixRow, ...]
    cells: tuple[CellView, ...]
    charts: tuple[Chart, ...]
    tables: tuple[DataTable, ...]
    notes: tuple[str, ...]
    recovery: str
    """Figure of the recovery as the address of a picture, which holds all of it; empty without studies."""

    @property
    def failed(self) -> tuple[CellView, ...]:
        """Cells that fail the run."""
        return tuple(cell for cell in self.cells if cell.tone == "bad")

    @property
    def undecided(self) -> int:
        """Number of cells that these images could not decide, and that do not fail the run by it."""
        return sum(cell.tone == "unsure" and not cell.waived for cell in self.cells)

    @property
    def waived(self) -> int:
        """Number of known failures that a waiver names."""
        return sum(cell.waived for cell in self.cells)

    @property
    def others(self) -> tuple[CellView, ...]:
        """Cells that are not shown as bad."""
        return tuple(cell for cell in self.cells if cell.tone != "bad")


def guard_views(run: RunContents, *, with_pictures: bool = False) -> Iterator[GuardView]:
    """Yield the guards of a run, in the order of its results."""
    pictures = shown_images(run.cells, run.pictures if with_pictures else ())
    results: tuple[Result, ...] = (*run.cells, *run.throughput, *run.recovery)
    for number, name in enumerate(dict.fromkeys(result.guard for result in results), start=1):
        yield _view(f"guard-{number}", name, run, pictures)


def _view(anchor: str, name: str, run: RunContents, pictures: Mapping[str, tuple[ImageView, ...]]) -> GuardView:
    results = [result for result in run.cells if result.guard == name]
    views = {
        id(result): CellView.of(result, f"{anchor}-cell-{number}", results, pictures.get(result.id, ()))
        for number, result in enumerate(results, start=1)
    }
    grid = MatrixGrid.of(results)
    rows = tuple(
        MatrixRow(codec, tuple(views[id(row[point])] if point in row else None for point in grid.points))
        for (codec, _), row in zip(grid.codecs, grid.rows, strict=True)
    )
    studies = [result for result in run.recovery if result.guard == name]
    tables = guard_tables(
        results,
        [result for result in run.throughput if result.guard == name],
        studies,
        [result for result in run.ending.traffic if result.guard == name],
    )
    return GuardView(
        anchor,
        name,
        _model(run, name),
        _subtitle(results, _model(run, name)),
        tuple(point.label or "fixed" for point in grid.points),
        tuple((row, tuple(texts)) for row, texts in limit_rows(grid, grid.shared_limits())),
        rows,
        tuple(views.values()),
        tuple(charts(results)),
        tuple(tables),
        tuple("".join(text for text, _ in line) for line in notes(results)) if results else (),
        _recovery(studies),
    )


def _recovery(studies: Sequence[RecoveryResult]) -> str:
    """Return the figure as a picture: its style must not touch the page, and pictures run no scripts."""
    if not any(study.clean is not None and study.points for study in studies):
        return ""
    return f"data:image/svg+xml;base64,{base64.b64encode(recovery_figure(studies).encode()).decode()}"


def _model(run: RunContents, name: str) -> str:
    """Return ``model package.module:callable``, as the thresholds file has it; empty if the results do not tell."""
    models = run.environment.get("models")
    model = models.get(name) if isinstance(models, Mapping) else None
    return f"model {model}" if isinstance(model, str) else ""


def _subtitle(results: Sequence[CellResult], model: str) -> str:
    """Return what the guard measures: its model, the task, the clean score, the number of images."""
    if not results:
        return model or "no model was judged"
    first = results[0]
    scores = sorted(result.clean_score for result in results if result.clean_score is not None)
    used = sorted(result.images_used for result in results if result.images_used is not None)
    text = f"{first.task}, {first.metric}"
    if scores and used:
        text += f" {numbers.span(map(numbers.points, scores))} on {numbers.span(map(str, used))} clean images"
        text += reshaped(results)
    return f"{model}: {text}" if model else text
