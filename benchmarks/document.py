"""Tables in a document, between ``<!-- name -->`` and ``<!-- end of name -->``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from compress_guard.errors import UsageError


def publish(lines: Iterable[str], path: Path | None, name: str) -> None:
    """Print the lines as they come, and put them into the document at `path` when there are no more."""
    said = []
    for line in lines:
        said.append(line)
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    if path is not None:
        put(path, name, said)


def put(path: Path, name: str, lines: Sequence[str]) -> None:
    """Replace what stands between the two marks by these lines; raises `UsageError` where that cannot be done."""
    text = read(path, name)
    begin, end = _marks(name)
    head, tail = text[: text.index(begin)], text[text.index(end) :]
    body = "\n".join(lines).strip()
    path.write_text(f"{head}{begin}\n\n{body}\n\n{tail}", encoding="utf-8")


def read(path: Path, name: str) -> str:
    """Return the document, if it has the marks: worth knowing before a long run, not after it."""
    begin, end = _marks(name)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "--write", f"{path} cannot be read: {error.strerror}", "name a document that has the marks"
        ) from None
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise UsageError("--write", f"{path} does not have {begin} and then {end}, once each", "add these two lines")
    return text


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->", f"<!-- end of {name} -->"
