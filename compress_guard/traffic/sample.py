"""The files of a folder or a list, and a seeded sample of them."""

from __future__ import annotations

import codecs
import os
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from compress_guard.errors import UsageError
from compress_guard.foreign import shown
from compress_guard.traffic.formats import format_of


@dataclass(frozen=True, slots=True)
class DrawnFiles:
    """Paths that were drawn, in the order in which they were found."""

    paths: tuple[Path, ...]
    found: int
    """Number of files among which they were drawn."""


def drawn(paths: Iterable[Path], count: int, seed: int) -> DrawnFiles:
    """Draw at most `count` paths with equal chances, without keeping the others (reservoir sampling, Vitter 1985)."""
    generator = random.Random(seed)
    kept: list[tuple[int, Path]] = []
    found = 0
    for number, path in enumerate(paths):
        found = number + 1
        if number < count:
            kept.append((number, path))
        elif (place := generator.randrange(number + 1)) < count:
            kept[place] = (number, path)
    return DrawnFiles(tuple(path for _, path in sorted(kept)), found)


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, by name; links are followed, and each folder is entered once.

    A file that is reached by several names is yielded once. Folders that cannot be listed are passed over.
    """
    seen: set[int] = set()
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            status = place.stat()
            names = sorted(os.listdir(place), key=os.fsencode)  # noqa: PTH208 -- names alone are wanted
        except OSError:
            continue
        if not _note(status, seen):
            continue
        below = []
        for name in names:
            path = place / name
            if path.is_dir():
                below.append(path)
            elif _is_new(path, seen):
                yield path
        waiting.extend(reversed(below))


def _is_new(path: Path, seen: set[int]) -> bool:
    try:
        status = path.stat()
    except OSError:
        return True  # a link that leads nowhere, or a file that is gone: counted as one that cannot be read
    return _note(status, seen)


def _note(status: os.stat_result, seen: set[int]) -> bool:
    """Note a file or folder; return True if it was not seen before. One number takes a third of a tuple's memory."""
    key = status.st_dev << 64 | status.st_ino
    if key in seen:
        return False
    seen.add(key)
    return True


def listed(text: bytes) -> list[Path]:
    """Return the paths of a list, one a line or separated by null characters; a path that is listed twice counts twice.

    A mark of UTF-8 at its beginning, which editors write, belongs to no path.
    Relative paths are seen from the current folder, as those of ``find`` are.
    """
    text = text.removeprefix(codecs.BOM_UTF8)
    lines = text.split(b"\0") if b"\0" in text else text.splitlines()
    return [Path(os.fsdecode(line)) for line in lines if line.strip()]


def paths_of(source: str, standard_input: Iterable[bytes]) -> Iterable[Path]:
    """Return the files that a command line names: a folder, a list of paths, or ``-`` for a list on standard input.

    Raises `UsageError` if the source is none of them.
    """
    if source == "-":
        return listed(b"".join(standard_input))
    path = Path(source)
    remedy = "name a folder, a text file of paths, or - for paths on standard input"
    try:
        if path.is_dir():
            return files_below(path)
        if not path.is_file():
            raise UsageError(shown(source), "there is no such folder or list of files", remedy)
        return listed(_list_text(path, remedy))
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or "it is not a path"
        raise UsageError(shown(source), f"it cannot be read: {reason}", remedy) from problem


def _list_text(path: Path, remedy: str) -> bytes:

    text = path.read_bytes()
    if format_of(text[:32]) is not None:
        raise UsageError(shown(str(path)), "it is an image, not a list of them", remedy)
    return text
