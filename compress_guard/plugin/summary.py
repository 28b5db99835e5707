"""The end of a run: the matrix on the terminal, the results file, the store within its bounds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from compress_guard.errors import RunError
from compress_guard.records import CellResult

if TYPE_CHECKING:
    import pytest

    from compress_guard.plugin.gate import Gate


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
    order = {cell.name: place for place, cell in enumerate(c for guard in gate.thresholds.guards for c in guard.cells)}
    return sorted(
        gate.results.values(), key=lambda result: (order.get(result.id.rpartition("::")[2], len(order)), result.id)
    )


def show(gate: Gate, reporter: pytest.TerminalReporter) -> None:
    """One matrix per guard, and what a person should know beside it."""
    unmeasured = _unmeasured(gate)
    if not gate.results and not unmeasured and gate.unwritten is None:
        return
    from compress_guard.report import lines

    reporter.section("compress_guard")
    for line in lines(in_file_order(gate), getattr(reporter._tw._file, "encoding", None)):
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
        )
    except RunError as problem:
        gate.unwritten = str(problem)


def trim_store(gate: Gate) -> None:
    """Keep the bitstream store under its cap."""
    from compress_guard.store import Store

    Store(gate.settings.store_folder).trim()
