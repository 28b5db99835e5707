"""Threads, and processes for work under Python's lock, that share items and keep their order."""

from __future__ import annotations

import functools
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from compress_guard import interrupts

Item = TypeVar("Item")
Result = TypeVar("Result")

_IDLE_SECONDS: Final = 60
"""Seconds after which an idle process ends."""
_WATCH_SECONDS: Final = 1.0
"""Seconds between two checks of a process of the pool that its parent is alive."""


def map_ordered(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> list[Result]:
    """Return ``[function(item) for item in items]``, computed on up to `workers` threads.

    The first error in the order of the items is raised, and items that have not started are dropped.
    """
    items = list(items)
    workers = min(workers, len(items))
    watch = interrupts.current()

    def unless_stopped(item: Item) -> Result:
        watch.check()  # nobody may be left to cancel this after Ctrl-C
        return function(item)

    if workers <= 1:
        return [unless_stopped(item) for item in items]
    with ThreadPoolExecutor(workers, thread_name_prefix="compress_guard") as pool:
        return list(pool.map(unless_stopped, items))


def map_processes(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> list[Result]:
    """Do what `map_ordered` does on up to `workers` processes, for libraries that keep Python's lock while they work.

    Function, items and results are pickled; the function has to be found by its name. The processes of a
    recent call are used again. If one of them is killed, the items are done in this process, on one thread. So are
    all items from then on where no process can be started (in a daemonic process, without a writable /dev/shm), or
    where they were killed several times.
    """
    items = list(items)
    if min(workers, len(items)) <= 1 or not _processes.usable:
        return map_ordered(function, items, 1)
    done = _processes.map(function, items, workers)
    return map_ordered(function, items, 1) if done is None else done


class _Processes:
    """The pool of processes of this process, as long as it works."""

    MOST_FAILURES: Final = 3

    def __init__(self) -> None:
        self._failures = 0

    @property
    def usable(self) -> bool:
        """True if it is worth trying to start processes."""
        return self._failures < self.MOST_FAILURES

    def map(self, function: Callable[[Item], Result], items: Sequence[Item], workers: int) -> list[Result] | None:
        """Return the results; None where the processes failed. Errors of the function are raised."""
        try:
            from loky import get_reusable_executor
            from loky.process_executor import BrokenProcessPool, ShutdownExecutorError

            pool = get_reusable_executor(
                max_workers=workers, timeout=_IDLE_SECONDS, initializer=_end_with, initargs=(os.getpid(),)
            )
        except Exception:  # noqa: BLE001 -- ImportError, OSError, RuntimeError: each system has its own
            self._failures = self.MOST_FAILURES
            return None
        passing = (BrokenProcessPool, ShutdownExecutorError, CancelledError, pickle.PicklingError)
        futures: list[Future[Result]] = []
        try:
            for item in items:
                futures.append(pool.submit(function, item))  # noqa: PERF401 -- those before one that fails are cancelled
        except passing:
            self._failures += 1
            return None
        except Exception:  # noqa: BLE001 -- as above: a process is started here, or cannot be
            self._failures = self.MOST_FAILURES
            return None
        try:
            return [future.result() for future in futures]
        except passing:  # a process was killed, or other code has replaced the pool
            self._failures += 1
            return None
        finally:
            for future in futures:
                future.cancel()


_processes: Final = _Processes()


def _end_with(parent: int) -> None:
    """Let this process of the pool end soon after its parent, which sends no message when it is killed."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="compress_guard parent", daemon=True).start()


def map_parts(
    function: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item], workers: int
) -> list[Result]:
    """Return ``list(function(items))``, computed on up to `workers` threads, each with every n-th item and one thread
    of torch.

    For work that torch's own threads share badly: many small operations, each of which they would have to meet for.
    """
    workers = min(workers, len(items))
    if workers <= 1:
        return list(function(items))

    def part(start: int) -> Sequence[Result]:
        import torch

        torch.get_num_threads()  # torch sets up this thread now, and cannot undo the limit later
        with _openmp().limit(limits=1):
            return function(items[start::workers])

    found: list[Any] = [None] * len(items)
    for start, results in enumerate(map_ordered(part, range(workers), workers)):
        found[start::workers] = results
    return found


@functools.cache
def _openmp() -> Any:
    """Return OpenMP's libraries, which keep a number of threads for each calling thread."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="openmp")
