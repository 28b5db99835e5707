"""The result of a cell together with the evidence that it rests on."""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.engine.cells.changes import Changes
from compress_guard.errors import RunError
from compress_guard.records import CellResult, Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """Result of a cell, with the evidence that it rests on."""

    result: CellResult
    evidence: Evidence | None = None
    clean_evidence: Evidence | None = None
    changes: Changes | None = None
    sources: Evidence | None = None
    """Hashes of the images' sources and targets; see `Survey.sources_of`."""
    groups: tuple[str, ...] = ()
    """The group of each image of the evidence; empty if images stand alone."""
    problem: RunError | None = None
    """The error behind the result, for its traceback."""
