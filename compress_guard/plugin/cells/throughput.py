"""Throughput cells as tests that pytest-benchmark times."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest

from compress_guard.errors import UsageError
from compress_guard.plugin.cells.items import FileItem, plain_id, record, settle
from compress_guard.plugin.run import run_of
from compress_guard.records import Throughput, ThroughputCell, ThroughputResult

if TYPE_CHECKING:
    from compress_guard.engine.throughput.comparison import Contest

_CLOCKS: Final = pytest.StashKey[Any]()
"""The core's `Clocks`, one per process."""
_FIGURES: Final = (
    *("codec", "codec_version", "codec_device", "target_bpp", "bpp_mean", "work", "images", "megapixels", "threads"),
    *("speed", "reference", "reference_speed", "ratio", "transfer_speed", "peak_memory", "growth", "verdict"),
)
"""The fields of a result that pytest-benchmark keeps beside its own."""
ALONE: Final = "pytest --compress-guard --cg-benchmark -k throughput"


class ThroughputItem(FileItem):
    """A cell that times a codec."""

    def __init__(self, *, cell: ThroughputCell, throughput: Throughput, **kwargs: Any) -> None:
        super().__init__(cell=cell, **kwargs)
        self.cell: Final = cell
        self.throughput: Final = throughput
        group = f"{cell.guard}: {cell.work.replace('_', ' ')} at {cell.bpp:g} bpp"
        self.add_marker(pytest.mark.benchmark(group=group))


def throughput_items(parent: pytest.File, throughput: Throughput) -> Iterator[ThroughputItem]:
    """One test per throughput cell."""
    for cell in throughput.cells:
        item: ThroughputItem = ThroughputItem.from_parent(
            parent, name=cell.name, callobj=time_cell, cell=cell, throughput=throughput
        )
        yield item


def time_cell(request: pytest.FixtureRequest, benchmark: Any, compress_guard_session_fixtures: Any) -> None:
    """The body of every throughput cell's test."""
    from compress_guard.engine.throughput.cells import Clocks

    check_enabled(request.config, benchmark)
    item, run = request.node, run_of(request.config)
    if _CLOCKS not in request.config.stash:
        request.config.stash[_CLOCKS] = Clocks(run.session)
    guard = next(guard for guard in run.thresholds.guards if guard.name == item.cell.guard)
    with run.progress() as progress:
        contest = request.config.stash[_CLOCKS].contest(
            guard, item.throughput, item.cell, plain_id(item), compress_guard_session_fixtures, progress
        )
        result = timed(contest, benchmark)
    record(item, result)
    settle(result, contest.trouble)


class _GaveUp(Exception):
    """Ends the rounds of a contest that cannot go on."""


def timed(contest: Contest, benchmark: Any) -> ThroughputResult:
    """The result of a contest whose passes pytest-benchmark times too.

    Where the contest cannot go on, pytest-benchmark meets an exception, so that it neither reports half a benchmark nor
    warns of one that was never run.
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


# pytest-benchmark


def has_benchmark(config: pytest.Config) -> bool:
    """Whether pytest-benchmark takes part in this run."""
    return config.getoption("benchmark_disable", None) is not None


def absent() -> tuple[str, str]:
    """What to say where it does not: why, and what to do."""
    if importlib.util.find_spec("pytest_benchmark") is None:
        return "needs pytest-benchmark, which is not installed", "pip install 'compress-guard[benchmark]'"
    return "needs pytest-benchmark, which is not loaded", "leave out -p no:benchmark, or load it by -p"


def check_benchmark(config: pytest.Config) -> None:
    """Raises `UsageError` for a run that asks for throughput cells and cannot time anything."""
    if not has_benchmark(config):
        raise UsageError("--cg-benchmark", *absent())
    if config.getoption("dist", "no") != "no":
        found = "processes that work side by side slow one another down, and pytest-benchmark times nothing then"
        raise UsageError("--cg-benchmark with -n", found, f"run it by itself: {ALONE} -n 0")
    if _switched_off(config):
        remedy = f"run it by itself: {ALONE} --benchmark-enable"
        raise UsageError("--cg-benchmark with --benchmark-disable", "there is nothing to time then", remedy)


def check_enabled(config: pytest.Config, benchmark: Any) -> None:
    """Skip or fail a test whose benchmark would time nothing."""
    __tracebackhide__ = True
    if benchmark.disabled and _switched_off(config):
        pytest.skip("not timed: --benchmark-disable")
    if benchmark.disabled:
        told = "pytest-benchmark times nothing in a worker of pytest-xdist"
        pytest.fail(f"{told}; run it by itself: {ALONE} -n 0", pytrace=False)


def mark_benchmarks(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let pytest-benchmark know the tests that time codecs: ``--benchmark-only`` and ``--benchmark-skip`` are for them.

    Only here: a fixture that asked for pytest-benchmark's by name could not say what is missing where that is not
    installed.
    """
    if not has_benchmark(config):
        return
    for item in items:
        names = getattr(item, "fixturenames", [])
        if "codec_throughput" in names and "benchmark" not in names:
            names.insert(names.index("codec_throughput"), "benchmark")


def _switched_off(config: pytest.Config) -> bool:
    return bool(config.getoption("benchmark_disable") and not config.getoption("benchmark_enable"))
