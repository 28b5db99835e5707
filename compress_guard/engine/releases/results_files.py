"""Results files that are read again: documents that may be truncated, foreign, or without their evidence."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from compress_guard.destination import evidence_path
from compress_guard.engine.releases.checked_cells import checked_cell
from compress_guard.engine.releases.names import part_name
from compress_guard.errors import UsageError, described
from compress_guard.records import SCHEMA, CellResult, Evidence

PREVIOUS: Final = ".previous"
"""The ending of the name of results that the next run has set aside."""
_REMEDY: Final = "name a file that --cg-json, or --json, has written"
_MOST_BYTES: Final = 2**32
"""Largest part of an archive in bytes, unpacked."""


@dataclass(frozen=True, slots=True, eq=False)
class ResultsFile:
    """A results file, checked, with the archive of its evidence if that is there."""

    path: Path
    text: bytes
    document: Mapping[str, Any]
    cells: Mapping[str, CellResult]
    """The cells by node id."""
    archive: bytes | None
    """The evidence, whose hash is that of the document; None if the document names none, or if it is not there."""

    @property
    def packages(self) -> Mapping[str, str]:
        """Versions of the libraries that the run worked with."""
        environment = self.document.get("environment")
        packages = environment.get("packages") if isinstance(environment, dict) else None
        given = packages.items() if isinstance(packages, dict) else ()
        return {name: version for name, version in given if isinstance(version, str)}

    @property
    def not_measured(self) -> Sequence[str]:
        """Node ids of the cells that were selected and have no result."""
        named = self.document.get("not_measured")
        return [name for name in named if isinstance(name, str)] if isinstance(named, list) else []

    def part(self, node_id: str, part: str) -> Evidence | None:
        """Return one part of the evidence of a cell; None if it is not there. Raises `UsageError` for damaged bytes."""
        if self.archive is None:
            return None
        try:
            with zipfile.ZipFile(io.BytesIO(self.archive)) as archive:
                entry = archive.getinfo(part_name(node_id, part))
                if entry.file_size > _MOST_BYTES:
                    raise ValueError(f"an entry that unpacks to {entry.file_size} bytes")
                return Evidence.from_bytes(archive.read(entry))
        except KeyError:
            return None
        except Exception as problem:  # a damaged archive fails in a dozen ways
            found = f"its evidence of {node_id} is damaged ({described(problem)})"
            raise UsageError(str(self.path), found, "name files as a run has written them") from problem


def read_results(path: Path) -> ResultsFile:
    """Read a results file and its evidence; raises `UsageError`: where, what was found, what to do."""
    text = _bytes(path)
    try:
        document = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as problem:
        raise UsageError(str(path), f"this is no JSON document, or a truncated one ({problem})", _REMEDY) from problem
    schema = document.get("schema") if isinstance(document, dict) else None
    if not isinstance(schema, str) or not isinstance(document.get("cells"), list):
        raise UsageError(str(path), "this is no results file of compress_guard", _REMEDY)
    if schema != SCHEMA:
        remedy = "use the version of compress_guard that has written it"
        raise UsageError(str(path), f"its schema is {schema}, and this version reads {SCHEMA}", remedy)
    return ResultsFile(path, text, document, _cells(path, document["cells"]), _archive(path, document))


def read_folder(folder: Path) -> list[ResultsFile]:
    """Read all results files in a folder and below it; other JSON documents are passed over. Raises `UsageError`."""
    files = [read_results(path) for path in sorted(folder.rglob("*.json")) if path.is_file() and not _foreign(path)]
    if not files:
        raise UsageError(str(folder), "there is no results file in this folder", _REMEDY)
    return files


def _foreign(path: Path) -> bool:
    """Return True for a JSON document of something else, which a folder of reports may hold too."""
    try:
        document = json.loads(_bytes(path))
    except (ValueError, RecursionError):
        return False
    return not isinstance(document, dict) or not str(document.get("schema", "")).startswith("compress-guard/")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        found = "there is no such file" if isinstance(problem, FileNotFoundError) else problem.strerror or str(problem)
        raise UsageError(str(path), found, _REMEDY) from problem


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no number of JSON")


def _cells(path: Path, listed: Sequence[object]) -> dict[str, CellResult]:
    cells: dict[str, CellResult] = {}
    for values in listed:
        try:
            cell = checked_cell(values)
        except ValueError as problem:
            raise UsageError(str(path), f"this is no results file of compress_guard: {problem}", _REMEDY) from problem
        if cell.id in cells:
            raise UsageError(str(path), f"the cell {cell.id} is in it twice", _REMEDY)
        cells[cell.id] = cell
    return cells


def _archive(path: Path, document: Mapping[str, Any]) -> bytes | None:
    """Return the evidence that a document names, from a file beside it; None if there is none."""
    named = document.get("evidence")
    if not isinstance(named, dict):
        return None
    place = next((place for place in _places(path, str(named.get("file"))) if place.is_file()), None)
    if place is None:
        return None
    archive = _bytes(place)
    if hashlib.sha256(archive).hexdigest() != named.get("sha256"):
        raise UsageError(
            str(path),
            f"{place.name} beside it is the evidence of another run (its sha256 differs)",
            "keep the two files of a run together",
        )
    return archive


def _places(path: Path, name: str) -> Iterator[Path]:
    """Yield where the evidence of a results file may lie: both may have been renamed."""
    if path.name.endswith(PREVIOUS):
        own = evidence_path(path.with_name(path.name.removesuffix(PREVIOUS)))
        yield own.with_name(own.name + PREVIOUS)
        return
    if name == Path(name).name:
        yield path.with_name(name)
    yield evidence_path(path)
