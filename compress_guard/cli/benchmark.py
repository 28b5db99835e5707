"""``compress-guard run --benchmark``: the throughput cells of a thresholds file, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager

from compress_guard.engine.progress import Progress
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.engine.throughput.cells import Clocks
from compress_guard.engine.throughput.result_draft import TimedCell
from compress_guard.errors import RunError
from compress_guard.records import Guard, Thresholds, Throughput, ThroughputCell, ThroughputResult


def throughput_cells(thresholds: Thresholds) -> Iterator[ThroughputCell]:
    """Yield all throughput cells of the file, guard by guard."""
    for _, throughput in _timed(thresholds):
        yield from throughput.cells


def time_cells(
    thresholds: Thresholds,
    cells: Sequence[ThroughputCell],
    settings: RunSettings,
    file: str,
    progress: Callable[[str], AbstractContextManager[Progress]],
) -> Iterator[tuple[str, ThroughputResult, RunError | None]]:
    """Time and judge these cells: yield the name of each with its number, its result, and the error that ended it.

    `file` names the file in their ids.
    """
    clocks = Clocks(Session(thresholds, settings))
    owners = {guard.name: (guard, throughput) for guard, throughput in _timed(thresholds)}
    for number, cell in enumerate(cells, start=1):
        prefix = f"[{number}/{len(cells)}]"
        guard, throughput = owners[cell.guard]
        with progress(prefix) as listener:
            contest = clocks.contest(
                TimedCell(guard, throughput, cell), f"{file}::{cell.name}", without_fixtures, listener
            )
            result = contest.run(listener)
        yield f"{prefix} {cell.name}", result, contest.trouble


def _timed(thresholds: Thresholds) -> Iterator[tuple[Guard, Throughput]]:
    for guard in thresholds.guards:
        if guard.throughput is not None:
            yield guard, guard.throughput
