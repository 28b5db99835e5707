"""Reports of an earlier run, renamed when a run starts, so that they cannot be taken for reports of this run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from compress_guard.destination import destination, evidence_path, require_replaceable

ENDING: Final = ".previous"


def results_files(path: Path) -> tuple[Path, Path]:
    """Return the files that belong to a results file: itself and the evidence beside it."""
    return path, evidence_path(path)


def set_aside(paths: Iterable[Path]) -> list[str]:
    """Rename each file to ``NAME.previous``, in place of an older one; return a sentence for each that cannot be.

    A link stays, since the new report is written through it: what it leads to is renamed. What is no regular file, such
    as a pipe or ``/dev/stdout``, stays where it is.
    """
    problems = []
    for path in paths:
        try:
            place = destination(path)
        except OSError:
            continue
        aside = place.with_name(place.name + ENDING)
        try:
            if place.is_file():
                require_replaceable(aside)
                place.replace(aside)
        except OSError as problem:
            problems.append(
                f"{path}: this report of an earlier run cannot be renamed to {aside.name} "
                f"({problem.strerror or problem}); do not take it for a report of this run, and remove what is in "
                "the way"
            )
    return problems
