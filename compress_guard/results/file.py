"""A results file, checked, with the archive of its evidence if that is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from compress_guard.errors import UsageError
from compress_guard.records import (
    CellResult,
    Ending,
    Evidence,
    RecoveryResult,
    Scope,
    ThroughputResult,
    TrafficResult,
)
from compress_guard.results.archive import TOGETHER, damaged, entries, entry, named_evidence, read_archive
from compress_guard.results.checked import checked, checked_cell
from compress_guard.results.document import AGAIN, REMEDY, is_foreign, parsed, read_bytes
from compress_guard.results.typed import misfit

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class ResultsFile:
    """The results of one run, or of a part of it, as a file has them."""

    path: Path
    text: bytes
    cells: Mapping[str, CellResult]
    """The cells by node id."""
    recovery: Sequence[RecoveryResult]
    throughput: Sequence[ThroughputResult]
    environment: Mapping[str, object]
    ending: Ending
    evidence_file: str | None
    """Name of the archive of evidence that belongs to the results, which need not be there; None: there is none."""
    archive: bytes | None
    """The evidence, whose hash is that of the document; None if it is not there, or if nobody asked for it."""

    @property
    def packages(self) -> Mapping[str, str]:
        """Versions of the libraries that the run worked with."""
        packages = self.environment.get("packages")
        given = packages.items() if isinstance(packages, dict) else ()
        return {name: version for name, version in given if isinstance(version, str)}

    def part(self, node_id: str, name: str) -> Evidence | None:
        """Return a part of the evidence of a cell, by its name in the archive; None if it is not there.

        Raises `UsageError` for damaged bytes.
        """
        data = None if self.archive is None else entry(self.path, self.archive, name)
        try:
            return None if data is None else Evidence.from_bytes(data)
        except Exception as problem:  # damaged bytes fail in a dozen ways
            raise damaged(self.path, problem, node_id) from problem

    def evidence(self) -> Mapping[str, bytes]:
        """Return all files of the evidence by name, none of a run that kept none.

        Raises `UsageError` where the archive that the document names is missing or damaged.
        """
        if self.archive is not None:
            return entries(self.path, self.archive)
        if self.evidence_file is not None:
            raise UsageError(str(self.path), f"its evidence {self.evidence_file} is not beside it", TOGETHER)
        return {}


def read_results(path: Path, *, with_evidence: bool = True) -> ResultsFile:
    """Read a results file and its evidence; raises `UsageError`: where, what was found, what to do."""
    text = read_bytes(path)
    document = parsed(path, text)
    try:
        cells = _listed(document, "cells", checked_cell)
        recovery = _listed(document, "recovery", lambda values: checked(RecoveryResult, values))
        throughput = _listed(document, "throughput", lambda values: checked(ThroughputResult, values))
        environment = _value(document, "environment", dict, {})
        ending = _ending(document)
    except ValueError as problem:
        raise UsageError(str(path), f"this is no results file of compress_guard: {problem}", REMEDY) from problem
    _check_once(path, [result.id for results in (cells, recovery, throughput) for result in results])
    evidence = named_evidence(path, document.get("evidence"))
    archive = None if evidence is None or not with_evidence else read_archive(path, evidence)
    by_id = {cell.id: cell for cell in cells}
    file = None if evidence is None else evidence.file
    return ResultsFile(path, text, by_id, recovery, throughput, environment, ending, file, archive)


def only_file(path: Path) -> ResultsFile:
    """Read the results, without their evidence, of a file or of the only one in a folder. Raises `UsageError`."""
    paths = paths_of(path)
    if len(paths) > 1:
        found = f"there are {len(paths)} results files in this folder, the first is {paths[0].relative_to(path)}"
        raise UsageError(str(path), found, "name one of them, or join them by compress-guard merge")
    return read_results(paths[0], with_evidence=False)


def read_all(path: Path) -> list[ResultsFile]:
    """Read a results file with its evidence, or all files in a folder. Raises `UsageError`."""
    return [read_results(each) for each in paths_of(path)]


def paths_of(path: Path) -> list[Path]:
    """Return the path of a file, or those of all results files in a folder and below it, sorted.

    Other JSON documents in a folder are passed over. Raises `UsageError` for a folder without results.
    """
    if not path.is_dir():
        return [path]
    paths = [each for each in sorted(path.rglob("*.json")) if each.is_file() and not is_foreign(each)]
    if not paths:
        raise UsageError(str(path), "there is no results file in this folder", REMEDY)
    return paths


def _listed(document: Mapping[str, object], key: str, make: Callable[[object], T]) -> list[T]:
    values = _value(document, key, list, None if key == "cells" else [])
    return [make(each) for each in values]


def _value(document: Mapping[str, object], key: str, kind: type[T], absent: T | None = None) -> T:
    """Return a value of a document; raises ValueError where it is of another type, or absent without a default."""
    value = document.get(key, absent)
    if isinstance(value, kind):
        return value
    if key not in document:
        raise ValueError(f"it has no {key}")
    raise ValueError(_wrong(key, value, "a list" if kind is list else "an object"))


def _wrong(key: str, value: object, wanted: str) -> str:
    return f"its {misfit(key, value, wanted)}"


def _text(document: Mapping[str, object], key: str) -> str | None:
    text = document.get(key)
    if not isinstance(text, str | None):
        raise ValueError(_wrong(key, text, "a text or null"))  # noqa: TRY004 - a value in a file
    return text


def _texts(document: Mapping[str, object], key: str) -> tuple[str, ...]:
    names = _value(document, key, list, [])
    if not all(isinstance(name, str) for name in names):
        raise ValueError(_wrong(key, names, "a list of texts"))
    return tuple(names)


def _ending(document: Mapping[str, object]) -> Ending:
    """Return the end of the run as the document has it; a document of an earlier version says less."""
    status = document.get("exit_status")
    if not isinstance(status, int | None) or isinstance(status, bool):
        raise ValueError(_wrong("exit_status", status, "a whole number or null"))  # noqa: TRY004 - a value in a file
    digest, shard = _text(document, "thresholds_sha256"), _text(document, "shard")
    traffic = _listed(document, "traffic", lambda values: checked(TrafficResult, values))
    scope = Scope(digest, _texts(document, "all_cells"), shard)
    return Ending(status, _texts(document, "not_measured"), tuple(traffic), scope)


def _check_once(path: Path, ids: Sequence[str]) -> None:
    known: set[str] = set()
    for node_id in ids:
        if node_id in known:
            raise UsageError(str(path), f"the cell {node_id} is in it twice", AGAIN)
        known.add(node_id)
