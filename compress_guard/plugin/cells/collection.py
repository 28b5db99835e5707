"""The thresholds file as a test module: one test function per cell."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from compress_guard.plugin.cells.items import FileItem, plain_id
from compress_guard.plugin.cells.recovery import recovery_items
from compress_guard.plugin.cells.reruns import Measured, settled
from compress_guard.plugin.cells.throughput import throughput_items
from compress_guard.plugin.output.progress import progress_of
from compress_guard.plugin.run import run_of
from compress_guard.records import Cell, Thresholds


class ThresholdsFile(pytest.File):
    """A thresholds file in the collection."""

    opened = False
    """True once its cells were collected."""

    @property
    def thresholds(self) -> Thresholds:
        """The guards of the file."""
        return run_of(self.config).thresholds

    def collect(self) -> Iterator[pytest.Item]:
        shard = run_of(self.config).shard
        yield from (item for item in self._items() if shard is None or item.name in shard)

    def _items(self) -> Iterator[pytest.Item]:
        """Yield a test for each cell of the whole file."""
        self.opened = True
        decision = run_of(self.config).decision
        for guard in self.thresholds.guards:
            for cell in guard.cells:
                item: CellItem = CellItem.from_parent(self, name=cell.name, callobj=measure_cell, cell=cell)
                yield item
            if guard.throughput is not None and decision.benchmark:
                yield from throughput_items(self, guard.throughput)
        if decision.recovery:  # they take longest, and what gates a release is known before them
            yield from recovery_items(self, self.thresholds)

    def count(self) -> int:
        """Return how many cells `collect` would give."""
        run = run_of(self.config)
        return len(run.scope.cells if run.shard is None else run.shard.intersection(run.scope.cells))


class CellItem(FileItem):
    """A cell that gates a model."""

    def __init__(self, *, cell: Cell, **kwargs: Any) -> None:
        super().__init__(cell=cell, **kwargs)
        self.cell: Final = cell


def measure_cell(request: pytest.FixtureRequest, compress_guard_session_fixtures: Any) -> None:
    """Measure and judge a cell: the body of every cell's test."""
    item, run = request.node, run_of(request.config)

    def measure(again: bool) -> Measured:
        if again:
            run.session.retry(item.cell.guard)
        with progress_of(run) as progress:
            measured = run.session.measure(
                item.cell, plain_id(item), compress_guard_session_fixtures, progress, progress.tell, last=item.last
            )
        return measured.result, measured.problem

    settled(item, measure)


def is_same_file(first: Path, second: Path) -> bool:
    """Return True for two spellings of one path; links are not followed."""
    return os.path.normpath(first) == os.path.normpath(second)
