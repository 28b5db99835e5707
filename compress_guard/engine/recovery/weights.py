"""Finished weights on disk: a folder for each training, with what it was beside them."""

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
"""Bytes that a file may have beside what its tensors take."""


@final
class Weights:
    """The weights of one training, in a part of the store that counts towards its cap like the others.

    As everywhere in a store, no link is crossed: behind one nothing is kept, and nothing is read.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._outer: Final = folder
        self._key: Final = key

    @contextlib.contextmanager
    def lock(self, waiting: Callable[[], None] = lambda: None) -> Iterator[Path]:
        """Hold the lock of the process that looks for the weights or makes them; another one is told, and waits.

        Gives the file where a training that is under way may keep its state: a passing one where nothing can be kept,
        and so no other process need wait.
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
        """Whether there is a folder for these weights in which no link stands in for a file."""
        try:
            with self._opened(make=True) as folder, Folder.opened(self._outer) as outer:
                return not outer.holds_other(f"{self._key}.lock") and not folder.holds_link(_CHECKPOINT)
        except OSError:
            return False

    @contextlib.contextmanager
    def _opened(self, *, make: bool = False) -> Iterator[Folder]:
        """The folder of these weights, open; raises OSError where there is none, or a link."""
        if make:
            self._outer.parent.mkdir(parents=True, exist_ok=True)
        with (
            Folder.opened(self._outer.parent) as root,
            root.enter(self._outer.name, make=make) as outer,
            outer.enter(self._key, make=make) as inner,
        ):
            yield inner

    def fill(self, module: torch.nn.Module) -> bool:
        """Whether weights were kept, which the module then has; a damaged file is dropped."""
        with contextlib.suppress(OSError), self._opened() as folder:
            try:
                return self._filled(folder, module)
            except FileNotFoundError:
                return False
            except Exception:  # noqa: BLE001 -- whatever is wrong with it, it is made again
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
        for name in (_FILE, _ABOUT):  # the store drops what lay unused longest
            folder.touch(name)
        return True

    def keep(self, module: torch.nn.Module, about: Mapping[str, Any]) -> None:
        """Write them, whole or not at all; a disk that refuses only forgets."""
        import torch

        with contextlib.suppress(OSError, RuntimeError), self._opened() as folder:
            state = module.state_dict()
            plain = {name: one.cpu() if isinstance(one, torch.Tensor) else one for name, one in state.items()}
            with folder.replacing(_FILE, UNFINISHED) as file:
                torch.save(plain, file)
            with folder.open(_FILE) as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            with folder.replacing(_ABOUT, UNFINISHED) as file:
                file.write(json.dumps({**about, "sha256": digest}, indent=1).encode() + b"\n")


@contextlib.contextmanager
def _passing() -> Iterator[Path]:
    """A folder for as long as one training takes; where the disk has no room for one, a place that takes no file."""
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
    """Bytes that a file with so many copies of a module's tensors may have: of another precision, or an optimiser's."""
    state = module.state_dict().values()
    return copies * sum(getattr(tensor, "nbytes", 0) for tensor in state) + _LEAST
