"""The JSON document of a results file: bytes that may be truncated, of something else, or of another version."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from compress_guard.errors import UsageError
from compress_guard.foreign import shown
from compress_guard.records import SCHEMA

REMEDY: Final = "name a file that --cg-json, or --json, has written"
AGAIN: Final = "copy it again, or repeat the run"
PREVIOUS: Final = ".previous"
"""The ending of the name of results that the next run has set aside."""
_FAMILY: Final = "compress-guard/"
"""The beginning of the schema of every version of results files."""
MOST_BYTES: Final = 2**30
"""Largest document in bytes; that of a thousand cells has about 5 MB."""
_LONGEST: Final = 80
"""Characters of a foreign text that a message repeats."""
_KINDS: Final = (
    (b"PK\x03\x04", "this is a zip archive, such as the evidence of results"),
    (b"<", "this is XML or HTML, such as a JUnit report"),
)
"""Kinds of files that people take for a results file, by their first bytes."""


def read_bytes(path: Path, most: int | None = MOST_BYTES) -> bytes:
    """Return the bytes of a file that somebody has named; raises `UsageError` for one that cannot be read."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not (stat.S_ISREG(status.st_mode) or stat.S_ISFIFO(status.st_mode)):
                raise UsageError(str(path), "this is no regular file", REMEDY)
            data = file.read() if most is None else file.read(most + 1)
    except OSError as problem:
        raise UsageError(str(path), _found(problem, path), REMEDY) from problem
    if most is not None and len(data) > most:
        found = f"this file has more than {most / 2**30:g} GiB, which no results file has"
        raise UsageError(str(path), found, REMEDY)
    return data


def _found(problem: OSError, path: Path) -> str:
    if problem.errno in (errno.ENOENT, errno.ENOTDIR):
        earlier = path.with_name(path.name + PREVIOUS)
        if not earlier.is_file():
            return "there is no such file"
        return f"there is no such file: a run broke off before it wrote one, and {earlier.name} is of the run before"
    if problem.errno == errno.EISDIR:
        return "this is a folder"
    return f"this file cannot be read ({problem.strerror or problem})"


def parsed(path: Path, text: bytes) -> Mapping[str, object]:
    """Return the document of a results file of this version; raises `UsageError`: what it is, and what to do."""
    document = _json(path, text)
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema == SCHEMA and isinstance(document, dict):
        return document
    if not isinstance(schema, str):
        found = f"this is a JSON document of something else: it has no schema, expected {SCHEMA}"
        raise UsageError(str(path), found, REMEDY)
    if schema.startswith(_FAMILY):
        found = f"its schema is {shown(schema, _LONGEST)}, and this version reads {SCHEMA}"
        raise UsageError(str(path), found, "use the version of compress_guard that has written it")
    found = f"this is a JSON document of something else: its schema is {shown(schema, _LONGEST)}, expected {SCHEMA}"
    raise UsageError(str(path), found, REMEDY)


def is_foreign(path: Path) -> bool:
    """Return True for a JSON document of something else, which a folder of reports may hold too."""
    try:
        document = json.loads(read_bytes(path))
    except (ValueError, RecursionError):
        return False
    return not isinstance(document, dict) or not str(document.get("schema", "")).startswith(_FAMILY)


def _json(path: Path, text: bytes) -> object:
    if not text.strip():
        raise UsageError(str(path), "this file is empty", AGAIN)
    for head, found in _KINDS:
        if text.startswith(head):
            raise UsageError(str(path), found, REMEDY)
    try:
        # A byte order mark, and UTF-16, are understood by the parser.
        return json.loads(text, parse_constant=_no_number)
    except UnicodeDecodeError as problem:
        found = f"this is a binary file, or text that is not UTF-8 (byte {problem.start})"
        raise UsageError(str(path), found, REMEDY) from problem
    except json.JSONDecodeError as problem:
        left = problem.doc.rstrip()
        if left.startswith("{") and (problem.pos >= len(left) or not left.endswith("}")):
            found = f"this file breaks off in line {left.count(chr(10)) + 1}: it is truncated"
            raise UsageError(str(path), found, AGAIN) from problem
        raise UsageError(str(path), f"this is no JSON document ({problem})", REMEDY) from problem
    except (ValueError, RecursionError) as problem:
        reason = "it is nested too deeply" if isinstance(problem, RecursionError) else str(problem)
        raise UsageError(str(path), f"this is no JSON document ({reason})", REMEDY) from problem


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"it holds {name}, which is no number of JSON")
