"""The thresholds file as a test module: one test function per cell."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from compress_guard.plugin.items import FileItem
from compress_guard.plugin.throughput import throughput_items
from compress_guard.records import Cell, CellResult, Thresholds

if TYPE_CHECKING:
    from compress_guard.engine.bench import Measured

RESULTS: Final = pytest.StashKey[list[CellResult]]()
"""What a test measured, on its item."""


class CellFailed(AssertionError):
    """A cell that lost more than was allowed, or could not be measured; the message says which and why."""

    def __init__(self, measured: Measured) -> None:
        super().__init__(measured.result.reason)
        self.measured: Final = measured


class ThresholdsFile(pytest.File):
    """A thresholds file in the collection."""

    thresholds: Thresholds

    def collect(self) -> Iterator[pytest.Item]:
        for guard in self.thresholds.guards:
            for cell in guard.cells:
                item: CellItem = CellItem.from_parent(self, name=cell.name, callobj=measure_cell, cell=cell)
                yield item
            if guard.throughput is not None and self.config.getoption("--cg-benchmark"):
                yield from throughput_items(self, guard.throughput)


class CellItem(FileItem):
    """A cell that gates a model."""

    def __init__(self, *, cell: Cell, **kwargs: Any) -> None:
        super().__init__(cell=cell, **kwargs)
        self.cell: Final = cell

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The cell's one sentence; below it the traceback of what people's own code raised."""
        if not isinstance(excinfo.value, CellFailed):
            return super().repr_failure(excinfo)
        measured = excinfo.value.measured
        lines = [f"{self.path.name}:{self.cell.line}: {self.name}: {measured.result.verdict}", measured.result.reason]
        cause = measured.problem.__cause__ if measured.problem is not None else None
        if cause is not None:
            lines += ["", "".join(traceback.format_exception(cause)).rstrip()]
        return "\n".join(lines)


def measure_cell(request: pytest.FixtureRequest, compress_guard_session_fixtures: Any) -> None:
    """The body of every cell's test."""
    from compress_guard.plugin.gate import gate_of

    item = request.node
    gate = gate_of(request.config)
    with gate.progress() as progress:
        measured = gate.session.measure(
            item.cell, item.nodeid, compress_guard_session_fixtures, progress, progress.tell
        )
    record(item, measured.result)
    settle(measured)


def record(item: pytest.Item, result: CellResult) -> None:
    """Keep a result with its test: for the report, and as properties in JUnit."""
    from compress_guard.report.junit import properties

    item.stash.setdefault(RESULTS, []).append(result)
    item.user_properties.extend(properties(result))


def settle(measured: Measured) -> None:
    """Turn a cell's outcome into pytest's."""
    __tracebackhide__ = True
    if measured.result.outcome == "failed":
        raise CellFailed(measured) from measured.problem
    if measured.result.outcome == "skipped":
        pytest.skip(measured.result.reason)


def same_file(one: Path, other: Path) -> bool:
    return os.path.normpath(one) == os.path.normpath(other)
