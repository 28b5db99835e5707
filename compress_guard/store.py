"""The store: streams, rate plans and evidence on disk, so that nothing is made twice.

One file per entry, named by its key and written by renaming: processes share a folder without locks, and a killed
process leaves no half-written entry. Every entry carries a checksum over key and payload; an entry that does not match
is dropped and made again. Nothing is ever unpickled. A store that cannot be written (a full disk) only forgets.

The store reads, counts and removes only what it could have written itself: regular files with the name of an entry, in
real folders. The folder itself may be a link that a person named; a link inside it is never followed, and a pipe or a
device is never opened.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias, final, get_args

from compress_guard.files import Folder, Foreign

_MAGIC: Final = b"compress-guard 1\n"
_CHECKSUM_BYTES: Final = 16
_HEAD_BYTES: Final = len(_MAGIC) + _CHECKSUM_BYTES
UNFINISHED: Final = ".new-"
"""Beginning of the names of files that are being written."""
_ABANDONED_SECONDS: Final = 3600
"""Age in seconds after which a half-written file belongs to no running process."""

DEFAULT_CAP_BYTES: Final = 4 * 2**30
_TRIMS: Final = 8
"""Divisor of the cap: after writing that share a process trims the store, since a long run must not fill the disk."""
_LEAST_WRITTEN: Final = 2**24
"""Number of bytes that a process writes at least before it trims, which takes a while."""

WEIGHTS: Final = "recovery"
"""Folder of finetuned weights, written by recovery studies, one folder per training; it counts towards the cap."""
_ENTRY: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{38}")
_WEIGHTS: Final = re.compile(r"[\w.-]+/(?:weights|about|checkpoint)[\w.-]*")
_IN_THE_WAY: Final = frozenset([errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EMLINK])
"""Error numbers that mean that something else has the place of an entry; they say nothing about the disk."""
Kind: TypeAlias = Literal["streams", "plans", "evidence", "versions"]
"""Kind of payload, and name of the folder of its entries."""


def key(*parts: str | bytes | float) -> str:
    """Return a stable key of the parts that an entry depends on: 40 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _checksum(name: str, kind: Kind, payload: bytes) -> bytes:
    label = name if kind == "streams" else f"{kind}/{name}"
    return hashlib.blake2b(label.encode() + payload, digest_size=_CHECKSUM_BYTES).digest()


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    """A file that counts towards the cap."""

    used: float
    size: int
    kind: str
    folder: str
    name: str


@final
class Store:
    """A folder of entries whose size `trim` bounds."""

    __slots__ = ("_cap_bytes", "_root", "_written", "folder", "writable")

    def __init__(self, folder: Path, cap_bytes: int = DEFAULT_CAP_BYTES) -> None:
        self.folder: Final = folder
        self._root: Final = _resolved(folder)
        self._cap_bytes: Final = cap_bytes
        self._written = 0
        self.writable = True
        """False once an entry could not be written; from then on nothing is kept."""

    def prepare(self) -> None:
        """Make the folder, with a .gitignore of its own."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            with Folder.opened(self._root) as root, contextlib.suppress(FileExistsError):
                root.create(".gitignore", b"# made by compress_guard; safe to delete\n*\n")
        except OSError:
            self.writable = False

    def get(self, name: str, kind: Kind = "streams") -> bytes | None:
        """Return the payload kept under this key, or None; a damaged entry is dropped.

        A file larger than the cap is no entry: it is neither read nor dropped.
        """
        return self.get_all([name], kind)[0]

    def get_all(self, names: Sequence[str], kind: Kind = "streams") -> list[bytes | None]:
        """Return what `get` returns for each of these keys; the folders that they share are opened once."""
        payloads: list[bytes | None] = [None] * len(names)
        with contextlib.suppress(OSError), self._opened() as root, root.enter(kind) as outer:
            for at, name in enumerate(names):
                # A file may have a size that no entry has.
                with contextlib.suppress(OSError, MemoryError, OverflowError), outer.enter(name[:2]) as folder:
                    payloads[at] = self._kept(folder, name, kind)
        return payloads

    def _kept(self, folder: Folder, name: str, kind: Kind) -> bytes | None:
        with folder.open(name[2:]) as file:
            size = os.fstat(file.fileno()).st_size
            if size > self._cap_bytes + _HEAD_BYTES:
                return None
            head = file.read(_HEAD_BYTES)
            if head.startswith(_MAGIC):  # another file may be large; no more of it is read
                payload = file.read(size)
                if head[len(_MAGIC) :] == _checksum(name, kind, payload):
                    with contextlib.suppress(OSError):
                        # An entry in use is not old: `trim` sorts by this time.
                        os.utime(file.fileno() if os.utime in os.supports_fd else folder.path / name[2:])
                    return payload
        with contextlib.suppress(OSError):
            folder.unlink(name[2:])
        return None

    def put(self, name: str, payload: bytes, kind: Kind = "streams") -> None:
        """Keep a payload; if the disk refuses, the store stops keeping and the run goes on.

        The payload is not kept if a link, or anything else that is no entry, has its place.
        """
        self.put_all([(name, payload)], kind)

    def put_all(self, entries: Iterable[tuple[str, bytes]], kind: Kind = "streams") -> None:
        """Do what `put` does for each of these keys and payloads; the folders that they share are opened once."""
        entries = list(entries)
        if not entries or not self.writable:
            return
        with contextlib.ExitStack() as opened:
            try:
                outer = opened.enter_context(opened.enter_context(self._opened(make=True)).enter(kind, make=True))
            except OSError as problem:
                self._refused(problem)
                return
            all(self._put(outer, name, payload, kind) for name, payload in entries)

    def _put(self, outer: Folder, name: str, payload: bytes, kind: Kind) -> bool:
        """Keep a payload in the open folder of its kind; return False if the disk refuses to keep anything."""
        try:
            with outer.enter(name[:2], make=True) as folder, folder.replacing(name[2:], UNFINISHED) as file:
                file.write(_MAGIC + _checksum(name, kind, payload) + payload)
        except OSError as problem:
            self._refused(problem)
            return self.writable
        self._written += len(payload)
        if self._written > max(self._cap_bytes // _TRIMS, _LEAST_WRITTEN):
            self._written = 0
            self.trim()
        return True

    def _refused(self, problem: OSError) -> None:
        """Stop keeping, unless only the place of an entry is taken."""
        self.writable = isinstance(problem, Foreign) or problem.errno in _IN_THE_WAY

    def _opened(self, *, make: bool = False) -> Folder:
        try:
            return Folder.opened(self._root)
        except FileNotFoundError:
            if not make:
                raise
        self._root.mkdir(parents=True, exist_ok=True)
        return Folder.opened(self._root)

    def trim(self) -> int:
        """Drop the entries that were unused longest until the rest fits under the cap; return the number dropped.

        Half-written files of killed processes are removed too. An entry larger than the cap goes first, since dropping
        others could not make room for it.
        """
        entries = sorted(self._entries(), key=lambda entry: (entry.size <= self._cap_bytes, entry))
        excess = sum(entry.size for entry in entries) - self._cap_bytes
        dropped = 0
        for entry in entries:
            if excess <= 0:
                break
            with contextlib.suppress(OSError):
                with (
                    self._opened() as root,
                    root.enter(entry.kind) as outer,
                    outer.enter(entry.folder) as folder,
                    contextlib.suppress(FileNotFoundError),
                ):
                    folder.unlink(entry.name)  # another process may have dropped it already: that makes room too
                excess -= entry.size
                dropped += 1
        return dropped

    def _entries(self) -> Iterator[_Entry]:
        """Yield the entries that count towards the cap; remove half-written files on the way."""
        with contextlib.ExitStack() as stack:
            try:
                root = stack.enter_context(Folder.opened(self._root))
            except OSError:
                return
            for kind in (*get_args(Kind), WEIGHTS):
                with contextlib.suppress(OSError), root.enter(kind) as outer:
                    for part in list(outer.folders()):
                        with contextlib.suppress(OSError), outer.enter(part) as inner:
                            yield from self._counted(inner, kind, part)

    def _counted(self, folder: Folder, kind: str, part: str) -> Iterator[_Entry]:
        pattern = _WEIGHTS if kind == WEIGHTS else _ENTRY
        for name, status in folder.files():
            if name.startswith(UNFINISHED):
                if status.st_mtime < time.time() - _ABANDONED_SECONDS:
                    with contextlib.suppress(OSError):
                        folder.unlink(name)
            elif pattern.fullmatch(f"{part}/{name}") and (
                status.st_size <= self._cap_bytes or kind == WEIGHTS or _is_ours(folder, name)
            ):
                yield _Entry(status.st_mtime, status.st_size, kind, part, name)


def _resolved(folder: Path) -> Path:
    """Return the folder that a link leads to, once for the whole run: the link may change during it."""
    try:
        return folder.resolve()
    except (OSError, RuntimeError):  # a link that leads to itself
        return folder.absolute()


def _is_ours(folder: Folder, name: str) -> bool:
    """Return True if a file that is too large for the store begins like an entry."""
    with contextlib.suppress(OSError), folder.open(name) as file:
        return file.read(len(_MAGIC)) == _MAGIC
    return False
