"""Regular files and open folders: no link is followed, and no pipe or device is opened."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import IO, Final, Self, final

_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_PLAIN: Final = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_READING: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NO_LINK | _PLAIN
_WRITING: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | _PLAIN
_NO_FOLDER: Final = frozenset([errno.ENOTDIR, errno.ELOOP, errno.EMLINK])
"""Error numbers of systems when a link or a file is opened as a folder."""
_HELD: Final = os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY")
"""True if names can be looked up in an open folder; elsewhere (Windows) paths are checked before they are used."""


class Foreign(OSError):
    """A link, a pipe or a device in the place of a regular file or a folder."""


def kind_of(status: os.stat_result) -> str:
    """Return the kind of a file in words, e.g. ``a link``."""
    kinds = {
        stat.S_IFREG: "a file",
        stat.S_IFDIR: "a folder",
        stat.S_IFLNK: "a link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(status.st_mode), "no file")


def open_regular(path: str | Path, folder: int | None = None) -> BufferedReader:
    """Open a regular file to read, by its name in an open folder or by its path.

    Raises `Foreign` for anything else, links included, and never opens it; other OSErrors as `open` does.
    """
    _require_regular(os.stat(path, dir_fd=folder, follow_symlinks=False), path)
    handle = os.open(path, _READING, dir_fd=folder)
    try:
        _require_regular(os.fstat(handle), path)  # it may have been replaced since the first check
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _require_regular(status: os.stat_result, path: str | Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise Foreign(f"{path} is {kind_of(status)}, not a regular file")


@final
class Folder:
    """An open folder; its names are looked up in this very folder, even if its path changes."""

    __slots__ = ("_handle", "path")

    def __init__(self, path: Path, handle: int | None) -> None:
        self.path: Final = path
        self._handle: Final = handle

    @classmethod
    def opened(cls, path: Path) -> Self:
        """Open the folder at a path; links are followed, since a person named the path."""
        if not _HELD:
            if not stat.S_ISDIR(path.stat().st_mode):
                raise Foreign(f"{path} is not a folder")
            return cls(path, None)
        return cls(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | _PLAIN))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def enter(self, name: str, *, make: bool = False) -> Folder:
        """Open a folder in this one, and make it first if `make`; raises `Foreign` for anything but a folder."""
        try:
            return self._entered(name)
        except FileNotFoundError:
            if not make:
                raise
        with contextlib.suppress(FileExistsError):
            os.mkdir(self._where(name), dir_fd=self._handle)
        return self._entered(name)

    def _entered(self, name: str) -> Folder:
        if self._handle is None:
            self._require_folder(name)
            return Folder(self.path / name, None)
        try:
            flags = os.O_RDONLY | os.O_DIRECTORY | _NO_LINK | _PLAIN
            return Folder(self.path / name, os.open(name, flags, dir_fd=self._handle))
        except OSError as problem:
            if problem.errno not in _NO_FOLDER:
                raise
            self._require_folder(name)
            raise

    def _require_folder(self, name: str) -> None:
        status = self.status(name)
        if not stat.S_ISDIR(status.st_mode):
            raise Foreign(f"{self.path / name} is {kind_of(status)}, not a folder")

    def status(self, name: str) -> os.stat_result:
        """Return the status of a name; links are not followed."""
        return os.stat(self._where(name), dir_fd=self._handle, follow_symlinks=False)

    def holds_other(self, name: str) -> bool:
        """Return True if something other than a regular file has this name."""
        try:
            return not stat.S_ISREG(self.status(name).st_mode)
        except FileNotFoundError:
            return False

    def holds_link(self, name: str) -> bool:
        """Return True if a link has this name, wherever it leads."""
        try:
            return stat.S_ISLNK(self.status(name).st_mode)
        except FileNotFoundError:
            return False

    def files(self) -> Iterator[tuple[str, os.stat_result]]:
        """Yield the name and status of every regular file."""
        for name, status in self._entries():
            if stat.S_ISREG(status.st_mode):
                yield name, status

    def folders(self) -> Iterator[str]:
        """Yield the name of every folder that is not a link."""
        for name, status in self._entries():
            if stat.S_ISDIR(status.st_mode):
                yield name

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        place = self.path if self._handle is None else self._handle
        for name in os.listdir(place):  # noqa: PTH208 - of an open folder, which has no path to trust
            with contextlib.suppress(OSError):  # another process may have removed it
                yield name, self.status(name)

    def open(self, name: str) -> BufferedReader:
        """Open a regular file to read; see `open_regular`."""
        return open_regular(self._where(name), self._handle)

    @contextlib.contextmanager
    def replacing(self, name: str, prefix: str, mode: int = 0o600) -> Iterator[IO[bytes]]:
        """Write a new file that takes this name when it is complete, in place of a regular file.

        Raises `Foreign` if something else has the name. If an error interrupts the writing, nothing is left.
        """
        with contextlib.suppress(FileNotFoundError):
            _require_regular(self.status(name), self.path / name)
        draft = f"{prefix}{os.getpid()}-{secrets.token_hex(6)}"
        handle = os.open(self._where(draft), _WRITING, mode, dir_fd=self._handle)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            os.replace(self._where(draft), self._where(name), src_dir_fd=self._handle, dst_dir_fd=self._handle)
        except BaseException:
            with contextlib.suppress(OSError):
                self.unlink(draft)
            raise

    def create(self, name: str, data: bytes) -> None:
        """Write a new file; raises FileExistsError if anything has this name, even a link that leads nowhere."""
        handle = os.open(self._where(name), _WRITING, 0o666, dir_fd=self._handle)
        with os.fdopen(handle, "wb") as file:
            file.write(data)

    def touch(self, name: str) -> None:
        """Set the time of a regular file to now."""
        with self.open(name) as file:
            os.utime(file.fileno() if os.utime in os.supports_fd else self._where(name))

    def unlink(self, name: str) -> None:
        """Remove a name; for a link, only the link itself."""
        os.unlink(self._where(name), dir_fd=self._handle)

    def _where(self, name: str) -> str:
        return name if self._handle is not None else str(self.path / name)
