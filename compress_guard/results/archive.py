"""The archive of evidence beside a results file: it may be missing, damaged, or of another run."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compress_guard.destination import evidence_path
from compress_guard.errors import UsageError, described
from compress_guard.results.document import AGAIN, PREVIOUS, REMEDY, read_bytes

TOGETHER: Final = "keep the two files of a run together"
_MOST_BYTES: Final = 2**32
"""Most bytes of evidence, unpacked."""


@dataclass(frozen=True, slots=True)
class NamedArchive:
    """The archive that a results file names."""

    file: str
    digest: str


def named_evidence(path: Path, named: object) -> NamedArchive | None:
    """Return the archive that a document names, None for none; raises `UsageError` where it names none rightly."""
    if named is None:
        return None
    file = named.get("file") if isinstance(named, dict) else None
    digest = named.get("sha256") if isinstance(named, dict) else None
    if not isinstance(file, str) or not isinstance(digest, str):
        found = "this is no results file of compress_guard: its evidence is no file with a sha256"
        raise UsageError(str(path), found, REMEDY)
    return NamedArchive(file, digest)


def read_archive(path: Path, named: NamedArchive) -> bytes | None:
    """Return the archive that a results file names, from a file beside it; None if there is none.

    Raises `UsageError` for an archive that is not the one that the run has written.
    """
    places = [place for place in dict.fromkeys(_places(path, named.file)) if place.is_file()]
    for place in places:
        archive = read_bytes(place, most=None)
        if hashlib.sha256(archive).hexdigest() == named.digest:
            return _opened(path, archive)
    if places:
        found = f"{places[0].name} beside it is truncated, or the evidence of another run (its sha256 differs)"
        raise UsageError(str(path), found, TOGETHER)
    return None


def _opened(path: Path, archive: bytes) -> bytes:
    """Return an archive that can be opened; raises `UsageError` for another."""
    try:
        zipfile.ZipFile(io.BytesIO(archive)).close()
    except Exception as problem:  # a damaged archive fails in a dozen ways
        raise damaged(path, problem) from problem
    return archive


def _places(path: Path, name: str) -> Iterator[Path]:
    """Yield where the evidence of a results file may lie: both may have been renamed."""
    if path.name.endswith(PREVIOUS):
        own = evidence_path(path.with_name(path.name.removesuffix(PREVIOUS)))
        yield own.with_name(own.name + PREVIOUS)
        return
    if name == Path(name).name and name.isprintable() and name not in ("", ".", ".."):
        yield path.with_name(name)
    yield evidence_path(path)


def entry(path: Path, archive: bytes, name: str) -> bytes | None:
    """Return one file of an archive, None if it is not there; raises `UsageError` for a damaged archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return _unpacked(opened, name) if name in opened.namelist() else None
    except Exception as problem:  # a damaged archive fails in a dozen ways
        raise damaged(path, problem) from problem


def entries(path: Path, archive: bytes) -> Mapping[str, bytes]:
    """Return all files of an archive by name; raises `UsageError` for a damaged archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            if sum(each.file_size for each in opened.infolist()) > _MOST_BYTES:
                raise ValueError(f"it unpacks to more than {_MOST_BYTES / 2**30:g} GiB")
            return {name: _unpacked(opened, name) for name in opened.namelist()}
    except Exception as problem:  # as above
        raise damaged(path, problem) from problem


def damaged(path: Path, problem: Exception, cell: str | None = None) -> UsageError:
    """Return the error for evidence that cannot be read, that of one cell or all of it."""
    whose = "its evidence" if cell is None else f"its evidence of {cell}"
    return UsageError(str(path), f"{whose} is damaged ({described(problem)})", AGAIN)


def _unpacked(opened: zipfile.ZipFile, name: str) -> bytes:
    info = opened.getinfo(name)
    if info.file_size > _MOST_BYTES:
        raise ValueError(f"an entry that unpacks to {info.file_size} bytes")
    return opened.read(info)
