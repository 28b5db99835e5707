"""Isolation of codecs from settings that a user's code makes for a thread or for the process.

Settings of torch and NumPy for a thread are changed for the time of the work. Settings of Pillow and its plugins for
the whole process are changed by `Globals`, as long as any thread works with them. torch's settings of the whole process
(default dtype, number of threads) are never changed, since a model may predict meanwhile: codecs state the properties
of each tensor instead.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from collections.abc import Iterator
from typing import Any, Final, final


@contextlib.contextmanager
def insulated() -> Iterator[None]:
    """Let torch and NumPy compute on this thread with their default settings.

    There are no gradients, since codecs need none, and no inference mode, whose tensors cannot be changed later.
    """
    import numpy as np
    import torch

    with contextlib.ExitStack() as stack:
        stack.enter_context(np.errstate(divide="warn", over="warn", under="ignore", invalid="warn"))
        if torch.is_inference_mode_enabled():
            stack.enter_context(torch.inference_mode(mode=False))
        stack.enter_context(torch.no_grad())
        for device in ("cpu", "cuda"):
            if torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        if torch.get_default_device().type != "cpu":
            stack.enter_context(torch.device("cpu"))
        yield


@contextlib.contextmanager
def drawing_apart() -> Iterator[None]:
    """Draw torch's random numbers on this thread from a separate generator, for weights that are overwritten at once.

    torch's global state belongs to the user's code, which may draw on another thread.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    generator = torch.Generator().manual_seed(0)
    drawing = (torch.Tensor.uniform_, torch.Tensor.normal_)

    class Apart(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            given = dict(kwargs or {})
            # Functions that torch.nn.init calls do not pass here again.
            if func in drawing or "generator" in given:
                given["generator"] = given.get("generator") or generator
            return func(*args, **given)

    with Apart():
        yield


@final
class Globals:
    """Values of a module's globals while codecs work; the last of these threads restores the values before.

    A value that other code sets meanwhile stays.
    """

    def __init__(self, module: str, **values: object) -> None:
        self._module: Final = module
        self._values: Final = values
        self._lock: Final = threading.Lock()
        self._users = 0
        self._before: dict[str, object] = {}

    @contextlib.contextmanager
    def set(self) -> Iterator[None]:
        """Set the values inside the body."""
        module = importlib.import_module(self._module)
        with self._lock:
            if self._users == 0:
                self._before = {name: getattr(module, name) for name in self._values if hasattr(module, name)}
                for name in self._before:
                    setattr(module, name, self._values[name])
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                for name, before in self._before.items() if self._users == 0 else ():
                    if getattr(module, name) is self._values[name]:
                        setattr(module, name, before)


class _ExceptHere:
    """A flag that is true for all threads except those that read files as codecs do."""

    def __bool__(self) -> bool:
        return not getattr(_READING, "whole", False)


_READING: Final = threading.local()
_TOLERANT: Final = Globals("PIL.ImageFile", LOAD_TRUNCATED_IMAGES=_ExceptHere())


@contextlib.contextmanager
def whole_files() -> Iterator[None]:
    """Let Pillow refuse truncated files on this thread, even where the user's code lets it tolerate them.

    A cut stream is a fault of its codec. Filled with grey it would look like a fault of the model.
    """
    from PIL import ImageFile

    if not ImageFile.LOAD_TRUNCATED_IMAGES:
        yield
        return
    with _TOLERANT.set():
        _READING.whole = True
        try:
            yield
        finally:
            _READING.whole = False
