"""The baseline of one call: results that the caller names, in files or as they were returned."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias, final

from compress_guard.engine.releases.baseline import Baseline, CellEvidence, evidence_of, read_files
from compress_guard.errors import OptionError, UsageError
from compress_guard.foreign import shown
from compress_guard.records import CellResult

Given: TypeAlias = "str | os.PathLike[str] | tuple[str | os.PathLike[str], str] | CellResult | Iterable[CellResult]"
"""A results file or a folder of them, the same with the name of a guard, or results that `measure` has returned."""
_NAMED: Final = 3
"""Cells that a message names."""
_EXPECTED: Final = "a results file, a pair of such a file and the name of a guard, or results that measure has returned"


@final
@dataclass(frozen=True, slots=True, eq=False)
class GivenBaseline:
    """Earlier cells, found by task, metric, codec and operating point."""

    where: str
    cells: Mapping[str, CellEvidence] = field(repr=False)

    @classmethod
    def of(cls, given: Given) -> GivenBaseline:
        """Return the baseline that a caller names; raises `OptionError` for one that cannot be read."""
        if isinstance(given, CellResult):
            given = [given]
        if isinstance(given, str | os.PathLike):
            return cls._read(given, None)
        if isinstance(given, tuple) and len(given) == 2:
            path, guard = given
            if isinstance(path, str | os.PathLike) and isinstance(guard, str):
                return cls._read(path, guard)
        return cls("baseline", {str(number): CellEvidence(each) for number, each in enumerate(_results(given))})

    @classmethod
    def _read(cls, path: str | os.PathLike[str], guard: str | None) -> GivenBaseline:
        try:
            baseline = Baseline(read_files(Path(path)))
            cells = {name: evidence_of(file, name) for file in baseline.files for name in file.cells}
        except UsageError as problem:
            raise OptionError(f"baseline: {problem}") from problem
        kept = {name: cell for name, cell in cells.items() if guard in (None, cell.result.guard)}
        if not kept:
            guards = ", ".join(dict.fromkeys(cell.result.guard for cell in cells.values())) or "none"
            raise OptionError(f"baseline: {path} has no guard {shown(guard or '')!r}; its guards are {shown(guards)}")
        return cls(f"baseline {path}", kept)

    def check(self, task: str, metric: str, labels: Sequence[str]) -> None:
        """Raise `OptionError` where no cell with one of these labels is there, or where several are for one."""
        if not any(self._same(task, metric, label) for label in labels):
            known = self._listed(self.cells.values())
            raise OptionError(f"{self.where} has no cell {labels[0]} of {task} by {metric}; it has {known}")
        for label in labels:
            same = self._same(task, metric, label)
            if len(same) > 1:
                remedy = "give one of them" if self.where == "baseline" else "name a guard too: baseline=(FILE, GUARD)"
                raise OptionError(f"{self.where} has {len(same)} cells {label}: {self._listed(same)}; {remedy}")

    def cell(self, known: CellResult) -> CellEvidence | None:
        """Return the earlier cell of the codec and point of a result; None if there is none."""
        same = self._same(known.task, known.metric, label_of(known.id))
        return same[0] if same else None

    def _same(self, task: str, metric: str, label: str) -> list[CellEvidence]:
        return [
            each
            for each in self.cells.values()
            if (each.result.task, each.result.metric, label_of(each.result.id)) == (task, metric, label)
        ]

    @staticmethod
    def _listed(cells: Iterable[CellEvidence]) -> str:
        names = [shown(each.result.id.rpartition("::")[2]) for each in cells]
        return ", ".join(_first(names)) or "no cell"


def _results(given: object) -> list[CellResult]:
    results = list(given) if isinstance(given, Iterable) else []
    if not results or not all(isinstance(each, CellResult) for each in results):
        raise OptionError(f"baseline is of type {type(given).__name__}, expected {_EXPECTED}")
    return results


def _first(names: Sequence[str]) -> Iterator[str]:
    yield from names[:_NAMED]
    if len(names) > _NAMED:
        yield f"and {len(names) - _NAMED} more"


def label_of(node_id: str) -> str:
    """Return the codec and point that a cell is named by: ``jpeg-0.5bpp`` of ``t.yaml::photos[jpeg-0.5bpp]``."""
    name = node_id.rpartition("::")[2].partition("#")[0]
    return name.partition("[")[2].removesuffix("]") if name.endswith("]") else name
