"""A results file and its evidence, as one job has written them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from compress_guard.destination import evidence_path
from compress_guard.errors import UsageError, described
from compress_guard.records import Outcome, Verdict
from compress_guard.report.html.contents import RunContents, read_contents, unreadable

_MOST_BYTES: Final = 2**32
"""Most bytes of evidence, unpacked."""
_TOGETHER: Final = "keep the two files of a run together"


@dataclass(frozen=True, slots=True, eq=False)
class JobResults:
    """Results of one job."""

    path: Path
    contents: RunContents
    evidence: Mapping[str, bytes]
    """Files of evidence by name."""


def read_part(path: Path) -> JobResults:
    """Read a results file and its evidence; raises `UsageError` for files that no run has written so."""
    contents = read_contents(path)
    for results in (contents.cells, contents.recovery, contents.throughput):
        for result in results:
            if result.verdict not in get_args(Verdict) or result.outcome not in get_args(Outcome):
                raise unreadable(path, ValueError(f"{result.id} has no verdict and outcome that a run gives"))
        if len({result.id for result in results}) < len(results):
            raise unreadable(path, ValueError("it has a cell twice"))
    return JobResults(path, contents, _evidence(path))


def _evidence(path: Path) -> Mapping[str, bytes]:
    """Return the evidence beside a results file that names it, empty where it names none."""
    named = json.loads(path.read_text(encoding="utf-8")).get("evidence")
    if named is None:
        return {}
    beside = _beside(path, named)
    try:
        archive = beside.read_bytes()
    except OSError as problem:
        found = f"its evidence {beside.name} cannot be read ({problem.strerror})"
        raise UsageError(str(path), found, _TOGETHER) from problem
    if hashlib.sha256(archive).hexdigest() != named.get("sha256"):
        raise UsageError(str(path), f"{beside.name} is the evidence of another run (its sha256 differs)", _TOGETHER)
    try:
        return _unpacked(archive)
    except Exception as problem:  # a damaged archive fails in a dozen ways
        found = f"its evidence {beside.name} is damaged ({described(problem)})"
        raise UsageError(str(path), found, "name files as a run has written them") from problem


def _beside(path: Path, named: Any) -> Path:
    """Return the file of the evidence; it lies beside the results, whatever name the document gives."""
    name = named.get("file") if isinstance(named, dict) else None
    if not isinstance(name, str):
        raise unreadable(path, TypeError("its evidence is no file name"))
    given = path.with_name(Path(name).name or "evidence")
    return given if given.is_file() else evidence_path(path)


def _unpacked(archive: bytes) -> Mapping[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        entries = opened.infolist()
        if sum(entry.file_size for entry in entries) > _MOST_BYTES:
            raise ValueError("it unpacks to more than 4 GiB")
        return {entry.filename: opened.read(entry) for entry in entries}
