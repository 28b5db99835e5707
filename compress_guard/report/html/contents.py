"""Contents of a report: the results of a run as it ends, or those of a results file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from compress_guard.errors import UsageError, described
from compress_guard.records import CellResult, Ending, RecoveryResult, ThroughputResult
from compress_guard.results.document import REMEDY
from compress_guard.results.file import ResultsFile


@dataclass(frozen=True, slots=True)
class RunContents:
    """Results of one run, and how it ended."""

    cells: Sequence[CellResult] = ()
    recovery: Sequence[RecoveryResult] = ()
    throughput: Sequence[ThroughputResult] = ()
    environment: Mapping[str, object] = field(default_factory=dict)
    """Versions and settings, as the results file has them."""
    ending: Ending = field(default_factory=Ending)
    pictures: tuple[Path, ...] = ()
    """Folders with pictures of the worst images: one, or those of several jobs."""

    @property
    def results(self) -> tuple[CellResult | RecoveryResult | ThroughputResult, ...]:
        """Results of all kinds."""
        return (*self.cells, *self.recovery, *self.throughput)


def contents_of(file: ResultsFile, pictures: Iterable[Path] = ()) -> RunContents:
    """Return the contents of a results file, with the folders of its pictures."""
    cells = list(file.cells.values())
    return RunContents(cells, file.recovery, file.throughput, file.environment, file.ending, tuple(pictures))


def unfit(path: Path, problem: Exception) -> UsageError:
    """Return the error for a results file whose fields are there and hold what no run writes."""
    found = f"this is no results file of compress_guard: its values do not go together ({described(problem)})"
    return UsageError(str(path), found, REMEDY)
