"""What runs keep on disk: bitstreams, rate plans and evidence, so that none of it is made twice.

One file per entry, named by its key and written by renaming, so that processes share a folder without locks and a
killed one leaves nothing half-written. Every entry carries a checksum over key and payload; one that does not fit is
dropped and made again. Nothing is ever unpickled, and a store that cannot be written (a full disk) only forgets.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Final, Literal, TypeAlias, final, get_args

_MAGIC: Final = b"compress-guard 1\n"
_CHECKSUM_BYTES: Final = 16
_UNFINISHED: Final = ".new-"
_ABANDONED_SECONDS: Final = 3600
"""After so long nobody is still writing."""

DEFAULT_CAP_BYTES: Final = 4 * 2**30
_TRIMS: Final = 8
"""A process looks at the cap each time that it wrote this part of it: a long run must not fill the disk first."""
_LEAST_WRITTEN: Final = 2**24
"""Bytes after which it looks at the earliest: looking takes a while."""

WEIGHTS: Final = "recovery"
"""The folder of finetuned weights, which others write; it has one folder per training, and counts towards the cap."""
Kind: TypeAlias = Literal["streams", "plans", "evidence", "versions"]
"""What an entry holds, and the folder that it lies in."""


def key(*parts: str | bytes | float) -> str:
    """A stable key of whatever an entry depends on: 40 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _checksum(name: str, kind: Kind, payload: bytes) -> bytes:
    label = name if kind == "streams" else f"{kind}/{name}"
    return hashlib.blake2b(label.encode() + payload, digest_size=_CHECKSUM_BYTES).digest()


@final
class Store:
    """A folder of entries, bounded in size by `trim`."""

    __slots__ = ("_cap_bytes", "_written", "folder", "writable")

    def __init__(self, folder: Path, cap_bytes: int = DEFAULT_CAP_BYTES) -> None:
        self.folder: Final = folder
        self._cap_bytes: Final = cap_bytes
        self._written = 0
        self.writable = True
        """False once an entry could not be written; what it should have kept is made again when needed."""

    def _path(self, name: str, kind: Kind) -> Path:
        return self.folder / kind / name[:2] / name[2:]

    def prepare(self) -> None:
        """Make the folder, with a .gitignore of its own."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            ignore = self.folder / ".gitignore"
            if not ignore.exists():
                ignore.write_text("# made by compress_guard; safe to delete\n*\n", encoding="utf-8")
        except OSError:
            self.writable = False

    def get(self, name: str, kind: Kind = "streams") -> bytes | None:
        """The payload kept under this key, or None; a damaged entry is dropped."""
        path = self._path(name, kind)
        try:
            data = path.read_bytes()
        except (OSError, MemoryError, OverflowError):  # a file of a size that no entry has
            return None
        body = len(_MAGIC) + _CHECKSUM_BYTES
        payload = data[body:]
        if data[: len(_MAGIC)] != _MAGIC or data[len(_MAGIC) : body] != _checksum(name, kind, payload):
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # what is in use is not old: `trim` goes by this time
        return payload

    def put(self, name: str, payload: bytes, kind: Kind = "streams") -> None:
        """Keep a payload; a disk that refuses makes the store forgetful, not the run fail."""
        if not self.writable:
            return
        path = self._path(name, kind)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_UNFINISHED)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(_MAGIC + _checksum(name, kind, payload) + payload)
                Path(temporary).replace(path)
            except BaseException:
                with contextlib.suppress(OSError):
                    Path(temporary).unlink()
                raise
        except OSError:
            self.writable = False
            return
        self._written += len(payload)
        if self._written > max(self._cap_bytes // _TRIMS, _LEAST_WRITTEN):
            self._written = 0
            self.trim()

    def trim(self) -> int:
        """Drop the entries that lay unused longest until the rest fits under the cap; returns how many were dropped.

        What killed processes left half-written goes too.
        """
        entries = []
        for kind in (*get_args(Kind), WEIGHTS):
            for path in (self.folder / kind).glob("*/*"):
                with contextlib.suppress(OSError):
                    status = path.stat()
                    if not path.name.startswith(_UNFINISHED):
                        entries.append((status.st_mtime, status.st_size, path))
                    elif status.st_mtime < time.time() - _ABANDONED_SECONDS:
                        path.unlink()
        excess = sum(size for _, size, _ in entries) - self._cap_bytes
        dropped = 0
        for _, size, path in sorted(entries):
            if excess <= 0:
                break
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)  # another process may trim too: what it dropped is room as well
                excess -= size
                dropped += 1
        return dropped
