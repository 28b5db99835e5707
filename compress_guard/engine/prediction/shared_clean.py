"""Clean evidence shared by the processes of a run: made once, and trusted by none unseen."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from compress_guard.records import Evidence
from compress_guard.records.evidence import same


def made_once(
    shared: Path | None, ids: tuple[str, ...], made: Callable[[], Evidence], probe: Callable[[], Evidence]
) -> Evidence:
    """Clean evidence from a file of the run; the first process to ask makes it, the others wait and read.

    The file's name holds what the images are, so that a process with others makes its own. They predict the first batch
    all the same: where their model answers otherwise (built with other random weights, say), or their images have other
    ids, they make their own. A damaged file is made again. Where there is no room for
    a lock everybody makes their own.
    """
    if shared is None:
        return made()
    from filelock import FileLock

    lock = FileLock(f"{shared}.lock")
    try:
        lock.acquire()
    except OSError:
        return made()
    try:
        if (found := _read(shared)) is None:
            result = made()
            _write(shared, result)
            return result
    finally:
        lock.release()
    return found if found.ids == ids and _begins_with(found, probe()) else made()


def _read(path: Path) -> Evidence | None:
    with contextlib.suppress(OSError, ValueError):
        return Evidence.from_bytes(path.read_bytes())
    return None


def _write(path: Path, result: Evidence) -> None:
    temporary = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        temporary.write_bytes(result.to_bytes())
        temporary.replace(path)


def _begins_with(found: Evidence, probe: Evidence) -> bool:
    return all(same(*pair) for pair in zip(probe.items, found.items, strict=False))
