"""Annotations: what went wrong in a run, each with its place in a file of the project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compress_guard.records import CellResult
from compress_guard.report.brief import missed_places
from compress_guard.report.ci.conclusion import name_of
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.headline import Headline
from compress_guard.report.signs import Result


@dataclass(frozen=True, slots=True)
class Annotation:
    """A message about a line of a file."""

    title: str
    message: str
    file: str | None = None
    """Path of the file; None: about the run as a whole."""
    line: int | None = None
    """Line in the file, counted from 1; None: about the file as a whole."""


def annotated(run: RunContents, thresholds: str) -> Iterator[Annotation]:
    """Yield an annotation for each failed cell, and for each reason beside these why the run is not green.

    `thresholds` is the path of the thresholds file. Cells of tests are placed in the file of their test.
    """
    for result in run.results:
        if result.outcome == "failed":
            yield Annotation(name_of(result), result.reason, _file(result, thresholds), _line(result))
    for problem in Headline.of(run).problems:
        yield Annotation("compress_guard", problem)


def _line(result: Result) -> int | None:
    """Return the line of the first limit that a cell missed; that of its first limit where no other is known."""
    if not isinstance(result, CellResult) or result.limit_line is None:
        return result.limit_line
    place = next(iter(missed_places(result).values()), [""])[0]
    line = place.rpartition(":")[2]
    return int(line) if line.isdecimal() else result.limit_line


def _file(result: Result, thresholds: str) -> str:
    return result.id.partition("::")[0] if result.limit_line is None else thresholds
