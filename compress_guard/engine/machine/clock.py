"""How long work takes, on a GPU too."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T], device: str) -> tuple[float, T]:
    """Seconds that the work took, and what it gave.

    What was begun on a CUDA device before does not count, and what the work leaves unfinished there does. Python
    collects no garbage meanwhile: that would go through every object of the process, of which models and test suites
    make many, and would strike now one codec and now the other.
    """
    with _without_collection():
        synchronize(device)
        start = time.perf_counter()
        found = work()
        synchronize(device)
        return time.perf_counter() - start, found


def synchronize(device: str) -> None:
    """Wait for all that was begun on a CUDA device; nothing to wait for elsewhere."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """torch works on so many CPU threads inside, and on as many as before afterwards."""
    import torch

    before = torch.get_num_threads()
    # Even setting what is set already may cost torch a pool of threads.
    if count != before:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        if count != before:
            torch.set_num_threads(before)


@contextmanager
def _without_collection() -> Iterator[None]:
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
