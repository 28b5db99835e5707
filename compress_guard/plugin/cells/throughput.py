"""Throughput cells as tests that pytest-benchmark times."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from compress_guard.plugin.benchmark_plugin import check_enabled
from compress_guard.plugin.cells.items import FileItem, plain_id
from compress_guard.plugin.output.progress import progress_of
from compress_guard.plugin.results import record, settle
from compress_guard.plugin.run import run_of
from compress_guard.records import Throughput, ThroughputCell, ThroughputResult

if TYPE_CHECKING:
    from compress_guard.engine.throughput.comparison import Contest

_CLOCKS: Final = pytest.StashKey[Any]()
"""The core's `Clocks`, one per process."""
_FIGURES: Final = (
    *("codec", "codec_version", "codec_device", "target_bpp", "target_quality", "bpp_mean"),
    *("work", "images", "megapixels", "threads"),
    *("speed", "reference", "reference_speed", "ratio", "transfer_speed", "peak_memory", "growth", "verdict"),
)
"""The fields of a result that pytest-benchmark keeps beside its own."""


class ThroughputItem(FileItem):
    """A cell that times a codec."""

    def __init__(self, *, cell: ThroughputCell, throughput: Throughput, **kwargs: Any) -> None:
        super().__init__(cell=cell, **kwargs)
        self.cell: Final = cell
        self.throughput: Final = throughput
        group = f"{cell.guard}: {cell.work.replace('_', ' ')} {cell.point.phrase}".rstrip()
        self.add_marker(pytest.mark.benchmark(group=group))


def throughput_items(parent: pytest.File, throughput: Throughput) -> Iterator[ThroughputItem]:
    """Yield one test per throughput cell."""
    for cell in throughput.cells:
        item: ThroughputItem = ThroughputItem.from_parent(
            parent, name=cell.name, callobj=time_cell, cell=cell, throughput=throughput
        )
        yield item


def time_cell(request: pytest.FixtureRequest, benchmark: Any, compress_guard_session_fixtures: Any) -> None:
    """Time a codec: the body of every throughput cell's test."""
    from compress_guard.engine.throughput.cells import Clocks
    from compress_guard.engine.throughput.result_draft import TimedCell

    check_enabled(request.config, benchmark)
    item, run = request.node, run_of(request.config)
    if _CLOCKS not in request.config.stash:
        request.config.stash[_CLOCKS] = Clocks(run.session)
    guard = next(guard for guard in run.thresholds.guards if guard.name == item.cell.guard)
    with progress_of(run) as progress:
        contest = request.config.stash[_CLOCKS].contest(
            TimedCell(guard, item.throughput, item.cell), plain_id(item), compress_guard_session_fixtures, progress
        )
        result = timed(contest, benchmark)
    record(item, result)
    settle(result, contest.trouble)


class _GaveUp(Exception):
    """The end of the rounds of a contest that cannot go on."""


def timed(contest: Contest, benchmark: Any) -> ThroughputResult:
    """Run a contest whose passes pytest-benchmark times too, and return its result.

    Where the contest cannot go on, pytest-benchmark meets an exception, so that it neither reports half a benchmark nor
    warns of a benchmark that was never run.
    """

    def reference() -> None:
        if contest.problem is None:
            contest.reference()
        if contest.problem is not None:
            raise _GaveUp

    def work() -> None:
        contest.work()
        if contest.problem is not None:
            raise _GaveUp

    contest.warm_up()
    with contextlib.suppress(_GaveUp):
        benchmark.pedantic(work, setup=reference, rounds=contest.rounds, iterations=1, warmup_rounds=0)
    result = contest.result()
    benchmark.extra_info.update({name: getattr(result, name) for name in _FIGURES})
    return result
