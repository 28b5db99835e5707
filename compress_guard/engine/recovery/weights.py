"""Finished weights on disk: a folder for each training, with a description of it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.files import Folder
from compress_guard.store import UNFINISHED

if TYPE_CHECKING:
    import torch

_FILE: Final = "weights.pt"
_ABOUT: Final = "about.json"
_CHECKPOINT: Final = "checkpoint"
_LEAST: Final = 2**20
"""Bytes that a file may have in addition to its tensors."""


@final
class Weights:
    """The weights of one training, in a part of the store that counts towards its cap.

    As everywhere in a store, links are not followed: nothing is kept or read behind one.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._outer: Final = folder
        self._key: Final = key

    @contextlib.contextmanager
    def lock(self, waiting: Callable[[], None] = lambda: None) -> Iterator[Path]:
        """Hold the lock for reading or making the weights; if another process holds it, call `waiting` and wait.

        Yield the file in which a running training may keep its state. If nothing can be kept, it is a temporary one,
        and no process has to wait.
        """
        from filelock import FileLock, Timeout

        if not self._is_usable():
            with _passing() as folder:
                yield folder / _CHECKPOINT
            return
        lock = FileLock(self._outer / f"{self._key}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
        try:
            yield self._outer / self._key / _CHECKPOINT
        finally:
            lock.release()

    def _is_usable(self) -> bool:
        """Return True if there is a folder for these weights, with no link in place of a file."""
        try:
            with self._opened(make=True) as folder, Folder.opened(self._outer) as outer:
                return not outer.holds_other(f"{self._key}.lock") and not folder.holds_link(_CHECKPOINT)
        except OSError:
            return False

    @contextlib.contextmanager
    def _opened(self, *, make: bool = False) -> Iterator[Folder]:
        """Yield the open folder of these weights; raises OSError if there is none, or a link."""
        if make:
            self._outer.parent.mkdir(parents=True, exist_ok=True)
        with (
            Folder.opened(self._outer.parent) as root,
            root.enter(self._outer.name, make=make) as outer,
            outer.enter(self._key, make=make) as inner,
        ):
            yield inner

    def fill(self, module: torch.nn.Module) -> bool:
        """Load kept weights into the module; return False if there are none. A damaged file is deleted."""
        with contextlib.suppress(OSError), self._opened() as folder:
            try:
                return self._filled(folder, module)
            except FileNotFoundError:
                return False
            except Exception:  # noqa: BLE001 -- a file with any fault is made again
                if not folder.holds_other(_FILE):
                    folder.unlink(_FILE)
        return False

    def _filled(self, folder: Folder, module: torch.nn.Module) -> bool:
        import torch

        with folder.open(_ABOUT) as file:
            about = json.loads(file.read(_LEAST))
        with folder.open(_FILE) as file:
            if os.fstat(file.fileno()).st_size > largest_file(module):
                raise ValueError("the file is larger than such a module's")
            if hashlib.file_digest(file, "sha256").hexdigest() != about["sha256"]:
                raise ValueError("the file is damaged")
            file.seek(0)
            module.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
        for name in (_FILE, _ABOUT):  # the store deletes the files that were unused for longest
            folder.touch(name)
        return True

    def keep(self, module: torch.nn.Module, about: Mapping[str, Any]) -> None:
        """Write the weights as a whole or not at all; if the disk refuses, they are not kept."""
        import torch

        with contextlib.suppress(OSError, RuntimeError), self._opened() as folder:
            state = module.state_dict()
            plain = {name: value.cpu() if isinstance(value, torch.Tensor) else value for name, value in state.items()}
            with folder.replacing(_FILE, UNFINISHED) as file:
                torch.save(plain, file)
            with folder.open(_FILE) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            with folder.replacing(_ABOUT, UNFINISHED) as file:
                file.write(json.dumps({**about, "sha256": digest}, indent=1).encode() + b"\n")


@contextlib.contextmanager
def _passing() -> Iterator[Path]:
    """Yield a temporary folder for one training; if the disk has no room, a path that takes no file."""
    try:
        folder = tempfile.mkdtemp(prefix="compress-guard-")
    except OSError:
        yield Path(os.devnull)
        return
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def largest_file(module: torch.nn.Module, copies: int = 8) -> int:
    """Return the largest size in bytes of a file with this number of copies of a module's tensors."""
    state = module.state_dict().values()
    return copies * sum(getattr(tensor, "nbytes", 0) for tensor in state) + _LEAST
