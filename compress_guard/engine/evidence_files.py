"""Evidence of measured cells as files of the run folder: written cell by cell, collected for the results file."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Final, Literal

from compress_guard.engine.cells.measured import Measured
from compress_guard.engine.releases.names import SOURCES, evidence_name
from compress_guard.records import CellResult, Evidence

_GROUPS: Final = "groups"
"""The ending of the name of a file of groups, which serves the run alone and is no part of the results."""
UNFINISHED: Final = ".tmp"
"""The ending of the name of a file that is being written."""


def keep_evidence(run_folder: Path, measured: Measured) -> None:
    """Write a cell's evidence, clean, compressed, the changes between and the hashes of the sources, where the end of
    the run collects it.

    Where the disk has no room for it the cell still counts, and `evidence_lost` says so.
    """
    parts = {}
    sides = ("clean", measured.clean_evidence), ("compressed", measured.evidence), (SOURCES, measured.sources)
    for side, evidence in sides:
        if evidence is not None:
            parts[f"{side}.npz"] = evidence.to_bytes()
    if measured.groups:
        parts[_GROUPS] = json.dumps(measured.groups).encode()
    if measured.changes is not None:
        parts["changes.json"] = measured.changes.to_json()
    folder, name = _evidence_folder(run_folder), evidence_name(measured.result.id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, data in parts.items():
            # It gets its name once it is whole: a process that dies here leaves no half of it.
            whole = folder / f"{name}.{part}{UNFINISHED}"
            whole.write_bytes(data)
            whole.replace(folder / f"{name}.{part}")
    except OSError:
        with contextlib.suppress(OSError):
            for part in parts:
                for ending in ("", UNFINISHED):
                    (folder / f"{name}.{part}{ending}").unlink(missing_ok=True)


def kept_evidence(run_folder: Path, result: CellResult, side: Literal["clean", "compressed"]) -> Evidence | None:
    """Return the evidence that a cell has left on one side; None if there is none that can be read."""
    path = _evidence_folder(run_folder) / f"{evidence_name(result.id)}.{side}.npz"
    try:
        return Evidence.from_bytes(path.read_bytes())
    except (OSError, ValueError):
        return None


def kept_groups(run_folder: Path, result: CellResult) -> tuple[str, ...] | None:
    """Return the group of each image of a cell's evidence; empty if images stand alone, None if it cannot be read."""
    path = _evidence_folder(run_folder) / f"{evidence_name(result.id)}.{_GROUPS}"
    if result.groups is None:
        return ()
    try:
        return tuple(map(str, json.loads(path.read_bytes())))
    except (OSError, ValueError):
        return None


def collect_evidence(run_folder: Path) -> dict[str, bytes]:
    """Return all evidence of the run by file name, without files that cannot be read: `evidence_lost` names those."""
    collected = {}
    for path in sorted(_evidence_folder(run_folder).glob("*")):
        if path.suffix in (".npz", ".json"):
            with contextlib.suppress(OSError):
                collected[path.name] = path.read_bytes()
    return collected


def evidence_lost(run_folder: Path, results: Sequence[CellResult], kept: Container[str]) -> str | None:
    """Return a message about measured cells whose evidence has no files among those `kept`; None where all have."""
    measured = [result for result in results if result.drop is not None]
    lost = [result.id for result in measured if f"{evidence_name(result.id)}.compressed.npz" not in kept]
    if not lost:
        return None
    return (
        f"the evidence of {len(lost)} of {len(measured)} cells is not beside their results, the first: {lost[0]}; "
        f"{run_folder.parent} had no room for it: make some, or let TMPDIR name another folder"
    )


def _evidence_folder(run_folder: Path) -> Path:
    return run_folder / "evidence"
