"""The end of a run: the matrix on the terminal, the results file, the store within its bounds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from compress_guard.errors import RunError
from compress_guard.records import CellResult, ThroughputResult

if TYPE_CHECKING:
    import pytest

    from compress_guard.plugin.gate import Gate

Result = TypeVar("Result", CellResult, ThroughputResult)


def ungated(gate: Gate) -> list[str]:
    """Guards of which no selected cell was judged."""
    from compress_guard.report import ungated as names

    return [*names(list(gate.results.values())), *_unmeasured(gate)]


def _unmeasured(gate: Gate) -> list[str]:
    """Guards of which cells were selected and no one came as far as a result, say since a fixture skipped them."""
    measured = {result.guard for result in gate.results.values()}
    return [guard.name for guard in gate.thresholds.guards if guard.name in gate.selected - measured]


def in_file_order(gate: Gate) -> list[CellResult]:
    """The results in the order of the thresholds file, then those of people's own tests, whatever worker was first."""
    return _sorted(gate.results.values(), (cell.name for guard in gate.thresholds.guards for cell in guard.cells))


def speeds_in_file_order(gate: Gate) -> list[ThroughputResult]:
    """The results of throughput cells, in the same order."""
    timed = (guard.throughput for guard in gate.thresholds.guards if guard.throughput is not None)
    return _sorted(gate.speeds.values(), (cell.name for throughput in timed for cell in throughput.cells))


def _sorted(results: Iterable[Result], names: Iterable[str]) -> list[Result]:
    order = {name: place for place, name in enumerate(names)}
    return sorted(results, key=lambda result: (order.get(result.id.rpartition("::")[2], len(order)), result.id))


def show(gate: Gate, reporter: pytest.TerminalReporter) -> None:
    """One matrix per guard, one table of its codecs' speed, and what a person should know beside them."""
    unmeasured = _unmeasured(gate)
    if not gate.results and not gate.speeds and not unmeasured and gate.unwritten is None:
        return
    from compress_guard.report import lines, throughput_lines

    reporter.section("compress_guard")
    encoding = getattr(reporter._tw._file, "encoding", None)
    between = [()] if gate.results and gate.speeds else []
    cells, speeds = lines(in_file_order(gate), encoding), throughput_lines(speeds_in_file_order(gate), encoding)
    for line in (*cells, *between, *speeds):
        for text, style in line:
            reporter.write(text, **dict.fromkeys(style.split(), True))
        reporter.write("\n")
    for name in unmeasured:
        reporter.write_line(f"{name} gates nothing: none of its cells was measured", red=True, bold=True)
    if gate.unwritten is not None:
        reporter.write_line(f"--cg-json: {gate.unwritten}", red=True, bold=True)


def write_json(gate: Gate) -> None:
    """The results file and the evidence beside it, if --cg-json asks for them; what prevents it is kept for `show`."""
    if (target := gate.config.getoption("--cg-json")) is None:
        return
    from compress_guard.engine.session import collect_evidence
    from compress_guard.report import environment, write

    try:
        write(
            Path(gate.config.invocation_params.dir, target),
            in_file_order(gate),
            environment(gate.settings),
            collect_evidence(gate.settings.run_folder),
            speeds_in_file_order(gate),
        )
    except RunError as problem:
        gate.unwritten = str(problem)


def close_store(gate: Gate) -> None:
    """Remember what the run worked with, and keep the store under its cap."""
    from compress_guard.engine.versions import remember_run

    remember_run(gate.settings, gate.results.values())
    gate.settings.store().trim()
