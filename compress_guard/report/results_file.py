"""The results file: one JSON document, and beside it the evidence of every image."""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from compress_guard.destination import discard, evidence_path, replace
from compress_guard.errors import RunError, error_text
from compress_guard.foreign import shown_json
from compress_guard.records import SCHEMA, Ending

if TYPE_CHECKING:
    from compress_guard.records import CellResult, RecoveryResult, ThroughputResult

UNKNOWN_ENDING: Final = Ending()
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Date of every entry, so that equal evidence gives equal files."""


def document(
    results: Sequence[CellResult],
    environment: Mapping[str, Any],
    throughput: Sequence[ThroughputResult] = (),
    recovery: Sequence[RecoveryResult] = (),
    ending: Ending = UNKNOWN_ENDING,
) -> dict[str, Any]:
    """Return the document of these results; raises ValueError, with the place, for a number that is NaN or infinite."""
    made = _made(results, environment, throughput, recovery, ending)
    for place, number in _numbers(made, ""):
        if not math.isfinite(number):
            raise ValueError(f"{place.lstrip('.')} is {number}; a number that was not measured is None")
    return made


def _made(
    results: Sequence[CellResult],
    environment: Mapping[str, Any],
    throughput: Sequence[ThroughputResult],
    recovery: Sequence[RecoveryResult],
    ending: Ending,
) -> dict[str, Any]:
    """Return the document of these results, whatever values they hold."""
    return {
        "schema": SCHEMA,
        "environment": dict(environment),
        "exit_status": ending.exit_status,
        "not_measured": list(ending.not_measured),
        "thresholds_sha256": ending.scope.digest,
        "shard": ending.scope.shard,
        "all_cells": list(ending.scope.cells),
        "cells": [result.as_dict() for result in results],
        "recovery": [result.as_dict() for result in recovery],
        "throughput": [result.as_dict() for result in throughput],
        "traffic": [result.as_dict() for result in ending.traffic],
        "evidence": None,
    }


def write(
    path: Path,
    results: Sequence[CellResult],
    environment: Mapping[str, Any],
    evidence: Mapping[str, bytes],
    throughput: Sequence[ThroughputResult] = (),
    recovery: Sequence[RecoveryResult] = (),
    ending: Ending = UNKNOWN_ENDING,
) -> None:
    """Write the results to `path` and the evidence, by file name, to ``<stem>.evidence.zip`` beside it; `throughput`
    and `recovery` are those of cells of these kinds, `ending` says how the run went.

    Folders are made; each file is there whole or not at all. A link stays, and the file that it leads to is replaced;
    devices and pipes are refused. The document names the evidence file with its sha256, so that the evidence of another
    run is noticed; without evidence there is no such file. Raises `RunError` if the folder cannot be written, and for
    values that JSON does not have: these are null in the file, and their cells are errors; all other cells stay
    unchanged.
    """
    unfit: list[str] = []
    made = _salvaged(_made(results, environment, throughput, recovery, ending), unfit)
    beside = evidence_path(path)
    try:
        if evidence:
            packed = _packed(evidence)
            made["evidence"] = {"file": beside.name, "sha256": hashlib.sha256(packed).hexdigest()}
            replace(beside, packed)
        else:
            discard(beside)
        text = json.dumps(made, allow_nan=False, ensure_ascii=False, indent=1)
        # JSON's own escapes: a reader gets the values unchanged, lone surrogates too.
        replace(path, shown_json(text).encode() + b"\n")
    except OSError as problem:
        why = problem.strerror or error_text(problem)
        raise RunError(
            f"{path}: results cannot be written ({why}); name a file in a folder that can be written"
        ) from problem
    if unfit:
        raise RunError(f"{path}: {unfit[0]}; this is a fault of compress_guard: please report it")


def _salvaged(made: Mapping[str, Any], unfit: list[str]) -> dict[str, Any]:
    """Return a document without what JSON does not have, which is added to `unfit`; cells that had it are errors."""
    document = {}
    for key, value in made.items():
        if key not in ("cells", "recovery", "throughput"):
            document[key] = _plain(value, key, unfit)
            continue
        document[key] = []
        for number, cell in enumerate(value):
            known = len(unfit)
            values = _plain(cell, f"{key}[{number}]", unfit)
            if len(unfit) > known:
                reason = f"{unfit[known]}, which no result can be; before that: {values['reason']}"
                values |= {
                    "verdict": "error",
                    "outcome": "failed",
                    "settled_by": "policy",
                    "reason": reason,
                    "waived": None,
                }
            document[key].append(values)
    return document


def _plain(value: Any, place: str, unfit: list[str]) -> Any:
    """Return a value as JSON has it, None in place of what it does not have, which is added to `unfit`."""
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item, f"{place}.{key}", unfit) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, f"{place}[{index}]", unfit) for index, item in enumerate(value)]
    unfit.append(f"{place} is {value}" if isinstance(value, float) else f"{place} is of type {type(value).__name__}")
    return None


def _packed(evidence: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of the evidence; stored, since evidence comes compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(evidence):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), evidence[name])
    return buffer.getvalue()


def _numbers(value: Any, place: str) -> Iterator[tuple[str, float]]:
    """Yield every float of a document with its place, e.g. ``cells[0].drop``."""
    if isinstance(value, float):
        yield place, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _numbers(item, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _numbers(item, f"{place}[{index}]")
