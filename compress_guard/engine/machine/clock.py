"""Timing of work, on the CPU and on a GPU."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")


def timed(work: Callable[[], T], device: str) -> tuple[float, T]:
    """Do the work; return the seconds that it took, and its result.

    Work that was started on a CUDA device before does not count; what this work leaves unfinished there does. Garbage
    collection is off meanwhile: it visits every object of the process, and would slow down one codec or the other at
    random.
    """
    with _without_collection():
        synchronize(device)
        start = time.perf_counter()
        result = work()
        synchronize(device)
        return time.perf_counter() - start, result


def synchronize(device: str) -> None:
    """Wait for all work on a CUDA device; return at once for other devices."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use this number of CPU threads inside the block, and the earlier number afterwards."""
    import torch

    before = torch.get_num_threads()
    # Even setting the current number again may make torch create a new thread pool.
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
