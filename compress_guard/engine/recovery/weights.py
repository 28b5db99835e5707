"""Finished weights on disk: a folder for each training, with what it was beside them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

if TYPE_CHECKING:
    import torch


@final
class Weights:
    """Those of one training, in a part of the store that counts towards its cap like the others."""

    def __init__(self, folder: Path, key: str) -> None:
        self._folder: Final = folder / key
        self._file: Final = self._folder / "weights.pt"
        self._about: Final = self._folder / "about.json"
        self.checkpoint: Final = self._folder / "checkpoint"
        """Where a training that is under way keeps its state."""

    @contextlib.contextmanager
    def lock(self, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Held by the process that looks for them or makes them: another may want the same, and is told to wait."""
        from filelock import FileLock, Timeout

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError:  # then nothing is kept that another process could wait for
            yield
            return
        lock = FileLock(f"{self._folder}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def fill(self, module: torch.nn.Module) -> bool:
        """Whether weights were kept, which the module then has; a damaged file is dropped."""
        import torch

        try:
            about = json.loads(self._about.read_text(encoding="utf-8"))
            with self._file.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == about["sha256"]:
                    module.load_state_dict(torch.load(self._file, map_location="cpu", weights_only=True))
                    for path in (self._file, self._about):  # the store drops what lay unused longest
                        os.utime(path)
                    return True
        except FileNotFoundError:
            return False
        except Exception:  # noqa: BLE001, S110 -- whatever is wrong with it, it is made again
            pass
        with contextlib.suppress(OSError):
            self._file.unlink()
        return False

    def keep(self, module: torch.nn.Module, about: Mapping[str, Any]) -> None:
        """Write them, whole or not at all; a disk that refuses only forgets."""
        import torch

        draft = self._file.with_suffix(".part")
        with contextlib.suppress(OSError, RuntimeError):
            state = module.state_dict()
            plain = {name: one.cpu() if isinstance(one, torch.Tensor) else one for name, one in state.items()}
            torch.save(plain, draft)
            with draft.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            draft.replace(self._file)
            self._about.write_text(json.dumps({**about, "sha256": digest}, indent=1) + "\n", encoding="utf-8")
