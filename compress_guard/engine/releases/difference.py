"""The difference between two releases: cells that fail now, that hold again, whose score moved, that came or went."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from compress_guard.engine.releases.baseline import Baseline, CellEvidence, read_files
from compress_guard.engine.releases.changed_cells import KINDS, CellChange, Kind, Moved, moved_cell
from compress_guard.engine.releases.comparison import Comparison, Yardstick, compared
from compress_guard.engine.releases.junit_files import read_junit
from compress_guard.engine.releases.other_cells import OtherResult, other_changes, other_remarks
from compress_guard.errors import DataError, UsageError
from compress_guard.records import CellResult, Evidence
from compress_guard.registry import TASKS

if TYPE_CHECKING:
    from compress_guard.tasks.scorer import Scorer

ERROR: Final = 0.05
"""Probability that any cell of two equal releases is said to have moved; all cells share it."""
_MODEL_SIDE: Final = ("compress-guard", "torch", "torchvision", "numpy")
"""Distributions that may move any score, whatever the codec."""


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """The cells of one side, with their evidence where files of results have it."""

    path: Path
    cells: Mapping[str, CellResult]
    files: Baseline | None = None
    """The results files; None for a JUnit report, which has no evidence."""
    lost: tuple[str, ...] = ()
    """Cells that a JUnit report names as selected and without a result."""

    @property
    def others(self) -> Mapping[str, OtherResult]:
        """Recovery studies and throughput cells by node id; a JUnit report is not asked for them."""
        files = [] if self.files is None else self.files.files
        studies: dict[str, OtherResult] = {each.id: each for file in files for each in file.recovery}
        return studies | {each.id: each for file in files for each in file.throughput}

    @property
    def packages(self) -> Mapping[str, str]:
        """Versions of the libraries."""
        named = [] if self.files is None else self.files.files
        return {name: version for file in named for name, version in file.packages.items()}

    @property
    def not_measured(self) -> frozenset[str]:
        """Node ids of cells that were selected and have no result."""
        named = [] if self.files is None else self.files.files
        lost = [*self.lost, *(name for file in named for name in file.ending.not_measured)]
        return frozenset(lost) - self.cells.keys()

    def cell(self, node_id: str) -> CellEvidence:
        """Return a cell with what evidence there is of it."""
        found = None if self.files is None else self.files.cell(node_id)
        return CellEvidence(self.cells[node_id]) if found is None else found


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseDifference:
    """Changes between two releases: of cells, and of the versions of packages."""

    changes: Sequence[CellChange]
    both: int
    """Number of cells that both have."""
    confidence: float
    """Confidence at which each cell is compared."""
    packages: tuple[Moved, ...] = ()
    remarks: tuple[str, ...] = field(default=())
    others: int = 0
    """Recovery studies and throughput cells among those that both have."""

    @property
    def regressions(self) -> int:
        """Number of changes for the worse."""
        return sum(change.regression for change in self.changes)


def read_release(path: Path) -> Release:
    """Read results files or a JUnit report; raises `UsageError`."""
    if path.suffix.lower() == ".xml":
        if not path.is_file():
            raise UsageError(str(path), "there is no such file", "name a results file or a JUnit report")
        report = read_junit(path)
        return Release(path, report.cells, lost=report.not_measured)
    files = Baseline(read_files(path))
    return Release(path, files.cells, files)


def difference(base: Release, head: Release) -> ReleaseDifference:
    """Compare two releases cell by cell; raises `UsageError` where they cannot be compared."""
    common = [name for name in head.cells if name in base.cells]
    others = base.others.keys() & head.others.keys()
    if not common and not others:
        found = f"it has no cell of {base.path}"
        raise UsageError(str(head.path), found, "name two results of the same thresholds file")
    scored = sum(head.cells[name].score is not None and base.cells[name].score is not None for name in common)
    confidence = 1 - ERROR / max(scored, 1)
    packages = tuple(_moved_packages(base.packages, head.packages))
    changes: list[CellChange] = []
    remarks: dict[str, int] = {}
    for name in common:
        try:
            comparison = _compared(base.cell(name), head.cell(name), confidence)
        except DataError as problem:
            found = f"{name}: {problem}"
            raise UsageError(str(head.path), found, "name two results of the same images") from problem
        if comparison.figures.baseline_remark is not None:
            remarks[comparison.figures.baseline_remark] = remarks.get(comparison.figures.baseline_remark, 0) + 1
        changes.extend(_change(base.cells[name], head.cells[name], comparison, packages))
    changes.extend(_come_and_gone(base, head))
    if base.files is not None and head.files is not None:
        changes.extend(other_changes(base.others, head.others, head.not_measured))
    ordered = sorted(changes, key=lambda change: KINDS.index(change.kind))
    said = tuple(f"{remark} ({count} of {len(common)} cells)" for remark, count in remarks.items())
    said += (*_broken_off(base), *_broken_off(head), *other_remarks(base.others, head.others))
    if len(others) < len(base.others) + len(head.others) and (base.files is None or head.files is None):
        said += ("recovery studies and throughput cells are not compared with a JUnit report",)
    return ReleaseDifference(ordered, len(common) + len(others), confidence, packages, said, len(others))


def _change(
    before: CellResult, after: CellResult, comparison: Comparison, packages: Sequence[Moved]
) -> Iterator[CellChange]:
    moved = (*moved_cell(before, after), *(each for each in packages if each.name in _MODEL_SIDE))
    fall = comparison.fall

    def change(kind: Kind, remark: str = "") -> CellChange:
        return CellChange(before.id, kind, before, after, comparison, moved, remark)

    if after.outcome == "failed" and before.outcome != "failed":
        yield change("newly failing")
    elif before.score is not None and after.score is None:
        yield change("vanished", f"it was measured before, and now has no score: {after.reason}")
    elif before.outcome == "failed" and after.outcome == "passed":
        yield change("recovered")
    elif fall is not None and fall.low > 0:
        yield change("fell")
    elif fall is not None and fall.high < 0:
        yield change("rose")


def _come_and_gone(base: Release, head: Release) -> Iterator[CellChange]:
    for name, cell in head.cells.items():
        if name not in base.cells:
            yield CellChange(name, "appeared", None, cell)
    for name, cell in base.cells.items():
        if name not in head.cells:
            lost = "it was selected, and has no result" if name in head.not_measured else ""
            yield CellChange(name, "vanished", cell, None, remark=lost)


def _compared(base: CellEvidence, head: CellEvidence, confidence: float) -> Comparison:
    """Compare one cell; nothing is compared where this run has no score of it."""
    result = head.result
    if result.score is None or result.drop is None:
        return Comparison.none("this run has no score of it")
    if result.task not in TASKS:
        return Comparison.none(f"the task {result.task} is not installed here")
    task = TASKS.resolve(result.task)()

    def score(evidence: Evidence) -> Scorer:
        made: Scorer = task.scorer(result.metric, evidence.items)
        return made

    return compared(base, head, Yardstick(score, result.metric, confidence, result.seed))


def _broken_off(release: Release) -> Iterator[str]:
    """Say which files are of a run that did not come to its end, and how much is missing in them."""
    for file in [] if release.files is None else release.files.files:
        lost = len(file.ending.not_measured)
        missing = f"{lost} of its selected cells have no result" if lost else ""
        if file.ending.exit_status is None:
            yield f"{file.path} is of a run that did not come to its end" + (f": {missing}" if missing else "")
        elif missing:
            yield f"{file.path}: {missing} (exit status {file.ending.exit_status})"


def _moved_packages(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Moved]:
    if before and after:
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name):
                yield Moved(name, before.get(name), after.get(name))
