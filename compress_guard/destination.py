"""The destination of a report: links are followed to a file, and only a file is replaced, as a whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

from compress_guard.files import Folder, Foreign, kind_of

_MOST_LINKS: Final = 40
_UNFINISHED: Final = ".new-"
_STREAMS: Final = frozenset(["stdin", "stdout", "stderr"])


def destination(path: Path) -> Path:
    """Return the file that a path leads to, which need not exist yet.

    Raises `Foreign` for a device, a pipe, a socket or an open stream such as ``/dev/stdout``, IsADirectoryError for a
    folder, and OSError for links that lead in a circle.
    """
    place = path.absolute()
    for _ in range(_MOST_LINKS):
        place = Path(os.path.realpath(place.parent), place.name)
        if _is_stream(place):
            raise Foreign(f"{path} is an open stream, not a regular file")
        if not place.is_symlink():
            break
        place = place.parent / place.readlink()
    else:
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    require_replaceable(place, path)
    return place


def require_replaceable(place: Path, shown: Path | None = None) -> None:
    """Raise IsADirectoryError for a folder, and `Foreign` for anything else but a regular file, links included.

    Messages name `shown`, by default the place itself.
    """
    named = place if shown is None else shown
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        status = place.lstat()
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(named))
        if not stat.S_ISREG(status.st_mode):
            raise Foreign(f"{named} is {kind_of(status)}, not a regular file")


def _is_stream(place: Path) -> bool:
    """Return True if the place is a name that the system gives to an open file of the process.

    There may be a regular file behind such a name, and replacing that would not write to the open file.
    """
    folder = place.parent.as_posix()
    return folder.startswith(("/proc/", "/dev/fd")) or (folder == "/dev" and place.name in _STREAMS)


def replace(path: Path, data: bytes) -> None:
    """Replace the file that a path leads to in one step; folders are made, and links stay.

    Raises OSError, and what `destination` raises.
    """
    target = destination(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Written beside the file, since a rename does not cross file systems.
    with Folder.opened(target.parent) as folder, folder.replacing(target.name, _UNFINISHED, 0o666) as file:
        file.write(data)


def evidence_path(path: Path) -> Path:
    """Return the archive of the evidence that belongs to a results file."""
    return path.with_name(f"{path.stem}.evidence.zip")


def discard(path: Path) -> None:
    """Remove a regular file; a link, or anything else with this name, stays."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        if stat.S_ISREG(path.lstat().st_mode):
            path.unlink()
