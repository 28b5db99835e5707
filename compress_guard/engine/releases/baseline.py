"""The baseline of a run: one or several results files of an earlier run, read before this run replaces any of them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compress_guard.destination import evidence_path
from compress_guard.engine.releases.names import CLEAN, COMPRESSED, SOURCES, is_of_file, part_name
from compress_guard.errors import UsageError
from compress_guard.records import CellResult, Evidence, Thresholds
from compress_guard.results.file import ResultsFile, read_all

_FOLDER: Final = "baseline"
"""The folder, in that of the run, that holds the baseline for all its processes."""


@dataclass(frozen=True, slots=True, eq=False)
class CellEvidence:
    """A cell of a results file, with what is left of its evidence."""

    result: CellResult
    clean: Evidence | None = None
    compressed: Evidence | None = None
    sources: Evidence | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Results files of one earlier run, or of its parts."""

    files: Sequence[ResultsFile]

    @property
    def cells(self) -> Mapping[str, CellResult]:
        """Results of the cells of all files, by node id."""
        return {name: cell for file in self.files for name, cell in file.cells.items()}

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds that each cell of a thresholds file took, by its name."""
        timed = ((cell.id, cell.seconds) for cell in self.cells.values() if is_of_file(cell.id))
        return {node_id.rpartition("::")[2]: seconds for node_id, seconds in timed if seconds is not None}

    def cell(self, node_id: str) -> CellEvidence | None:
        """Return the cell with this node id, else the only one of this guard and label in any other thresholds file."""
        name = node_id if node_id in self.cells else self._elsewhere(node_id)
        for file in self.files:
            if name is not None and name in file.cells:
                return evidence_of(file, name)
        return None

    def _elsewhere(self, node_id: str) -> str | None:
        """Return the id of the cell that has this name in another thresholds file; None for several, and for tests."""
        if not is_of_file(node_id):
            return None
        name = node_id.rpartition("::")[2]
        same = [other for other in self.cells if is_of_file(other) and other.rpartition("::")[2] == name]
        return same[0] if len(same) == 1 else None

    def keep(self, run_folder: Path) -> None:
        """Copy the files into the folder of the run, where its other processes find them."""
        folder = run_folder / _FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for number, file in enumerate(self.files):
            path = folder / f"{number:06d}.json"
            path.write_bytes(file.text)
            if file.archive is not None:
                # Under the name that the copied document finds it by where the named file is not there.
                evidence_path(path).write_bytes(file.archive)


def evidence_of(file: ResultsFile, node_id: str) -> CellEvidence:
    """Return a cell of a results file with its evidence; raises `UsageError` where that is damaged."""
    clean, compressed, sources = (file.part(node_id, part_name(node_id, part)) for part in (CLEAN, COMPRESSED, SOURCES))
    return CellEvidence(file.cells[node_id], clean, compressed, sources)


def read_files(path: Path) -> list[ResultsFile]:
    """Read a results file, or all in a folder; raises `UsageError`, also for files that disagree about a cell."""
    files = read_all(path)
    first: dict[str, ResultsFile] = {}
    for file in files:
        for node_id in file.cells:
            other = first.setdefault(node_id, file)
            if other is not file:
                found = f"{other.path.name} and {file.path.name} both have the cell {node_id}"
                raise UsageError(str(path), found, "name one file, or keep the results of one run in the folder")
    return files


def read_baseline(path: Path, option: str, thresholds: Thresholds) -> Baseline:
    """Read the baseline that an option names; raises `UsageError` where it cannot be that of these guards."""
    try:
        baseline = Baseline(read_files(path))
    except UsageError as problem:
        raise UsageError(option, f"{problem.where}: {problem.found}", problem.remedy) from problem
    _check_guards(baseline.cells.values(), path, option, thresholds)
    return baseline


def kept_baseline(run_folder: Path) -> Baseline:
    """Return the baseline that `Baseline.keep` has left in the folder of the run; raises `UsageError`."""
    return _kept(run_folder / _FOLDER)


@functools.lru_cache(maxsize=1)
def _kept(folder: Path) -> Baseline:
    return Baseline(read_all(folder))


def _check_guards(cells: Iterable[CellResult], path: Path, option: str, thresholds: Thresholds) -> None:
    """Raise `UsageError` for a baseline without a cell of these guards, or of another task or metric."""
    of_guards: dict[str, list[CellResult]] = {}
    cells = list(cells)
    for cell in cells:
        if is_of_file(cell.id):
            of_guards.setdefault(cell.guard, []).append(cell)
    known = {cell.name for guard in thresholds.guards for cell in guard.cells}
    measured = {cell.id.rpartition("::")[2] for group in of_guards.values() for cell in group}
    # A baseline of own tests alone is one for these.
    if known and known.isdisjoint(measured) and (measured or not cells):
        found = f"{path} has no cell of {thresholds.path}"
        raise UsageError(option, found, "name results of a run of this thresholds file")
    for guard in thresholds.guards:
        for cell in of_guards.get(guard.name, ()):
            for key, before, now in (("task", cell.task, guard.task), ("metric", cell.metric, guard.metric)):
                if before != now:
                    found = f"the {key} of {guard.name} is {before} in {path}, and {now} in {thresholds.path}"
                    raise UsageError(option, found, "name results with the same one, or run without a baseline")
