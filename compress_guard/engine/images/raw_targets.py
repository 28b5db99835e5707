"""Targets for a user's own tests: handed on unchanged, after a check that label maps fit their images."""

from __future__ import annotations

from typing import Any, Final, final

from compress_guard.tasks.arrays import is_whole, read
from compress_guard.tasks.contract import Task

SMALLEST_MAP: Final = 9
"""Shortest side, in elements, from which an integer array is taken for a label map and not for a table."""


@final
class RawTargets:
    """The targets of one data set.

    They may be anything. Label maps must be valid for `task`, the task of the guard that the data belongs to; without a
    task, maps of another size than their image are counted.
    """

    def __init__(self, task: Task | None) -> None:
        self._task: Final = task
        self._maps: Final[dict[int, tuple[tuple[int, ...], tuple[int, int]]]] = {}

    def read(self, raw: object, size: tuple[int, int]) -> Any:
        """Return the target of an image of this (H, W); raises `DataError` for a map that the task refuses."""
        array = read(raw)
        if array is None or array.ndim != 2 or not is_whole(array) or min(array.shape) < SMALLEST_MAP:
            return raw
        if self._task is not None:
            self._task.target(raw, size)
        else:
            self._maps[len(self._maps)] = array.shape, size
        return raw

    def remark(self) -> str | None:
        """Return the remark on label maps that do not fit their images; None if all fit."""
        other = [pair for pair in self._maps.values() if pair[0] != pair[1]]
        if not other:
            return None
        (height, width), (rows, columns) = other[0]
        return (
            f"{len(other)} of {len(self._maps)} label maps have another size than their image, the first "
            f"{height}x{width} for an image of {rows}x{columns} (height x width); expected the same size; resize them, "
            "or transpose them"
        )
