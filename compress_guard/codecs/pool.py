"""A pool of threads that keeps the order of its items."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_ordered(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> list[Result]:
    """``[function(item) for item in items]`` on up to `workers` threads.

    The first error in the order of the items is raised, and items that have not started are dropped.
    """
    items = list(items)
    workers = min(workers, len(items))
    if workers <= 1:
        return [function(item) for item in items]
    with ThreadPoolExecutor(workers, thread_name_prefix="compress_guard") as pool:
        return list(pool.map(function, items))
