"""Clean evidence that the processes of a run share: made once, and checked by each process that uses it."""

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
    """Return clean evidence from a file of the run; the first process makes it, the others wait and read.

    The file's name depends on the images, so that a process with other images makes its own evidence. The readers
    predict the first batch all the same: if their model gives other answers (for example because of other random
    weights), or their images have other ids, they make their own. A damaged file is made again. If the disk has no room
    for a lock, each process makes its own.
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
        if (earlier := _read(shared)) is None:
            result = made()
            _write(shared, result)
            return result
    finally:
        lock.release()
    return earlier if earlier.ids == ids and _begins_with(earlier, probe()) else made()


def _read(path: Path) -> Evidence | None:
    with contextlib.suppress(OSError, ValueError):
        return Evidence.from_bytes(path.read_bytes())
    return None


def _write(path: Path, result: Evidence) -> None:
    temporary = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        temporary.write_bytes(result.to_bytes())
        temporary.replace(path)


def _begins_with(whole: Evidence, probe: Evidence) -> bool:
    return all(same(*pair) for pair in zip(probe.items, whole.items, strict=False))
