"""Workers of pytest-xdist that die: the cell that was running becomes an `error`, in JSON and in JUnit."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, final

import pytest

from compress_guard.plugin.cells.file_cells import FileCells, without_group
from compress_guard.plugin.cells.items import AnyCell
from compress_guard.plugin.output.reports import attach, attached
from compress_guard.plugin.output.shown import show_crash
from compress_guard.plugin.results import Result
from compress_guard.plugin.run import Run
from compress_guard.plugin.workers.left_behind import left_behind
from compress_guard.records import CellResult, Guard, ThroughputCell

CRASHED: Final = "???"
"""The phase of the report that pytest-xdist makes for the test that a worker was running when it died."""


@final
class Crashes:
    """A record keeper for cells whose worker died: it completes their reports."""

    def __init__(self, run: Run, cells: FileCells) -> None:
        self._run: Final = run
        self._cells: Final = cells

    def complete(self, report: pytest.TestReport) -> None:
        """Put the results of the test on the report of its crash, unless a plugin has the test run again."""
        if report.outcome != "failed":
            return
        if (known := self._cells.find(report.nodeid)) is None:
            attach(report, self._own(report))
            return
        guard, cell = known
        if (result := self._result(guard, cell, report)) is None:
            return
        attach(report, [result])
        place = (report.nodeid.partition("::")[0], cell.line)
        show_crash(report, result, place, cell.name)

    def close(self, report: pytest.TestReport) -> None:
        """Report the end of a cell that crashed: with it pytest's JUnit report takes up the properties."""
        if vars(report)["when"] != CRASHED or not (results := list(attached(report))):
            return
        from compress_guard.report.junit import properties

        end = pytest.TestReport(
            nodeid=report.nodeid,
            location=report.location,
            keywords={},
            outcome="passed",
            longrepr=None,
            when="teardown",
            user_properties=[pair for result in results for pair in properties(result)],
        )
        vars(end)["node"] = vars(report)["node"]
        self._run.config.hook.pytest_runtest_logreport(report=end)

    def _own(self, report: pytest.TestReport) -> list[Result]:
        """Return the results of an own test so far, and as an error the cell that it was measuring."""
        worker = vars(report)["node"].gateway.id
        reason = f"worker {worker} died while it measured this, so that nothing was measured; {_remedy(report.nodeid)}"
        results = left_behind(self._run, worker, report.nodeid)
        return [result if result.reason else replace(result, reason=reason) for result in results]

    def _result(self, guard: Guard, cell: AnyCell, report: pytest.TestReport) -> Result | None:
        """Return the cell as an error; with its numbers, where only the end of the test was missing."""
        if isinstance(cell, ThroughputCell):  # times nothing beside other processes, see check_benchmark
            return None
        name, worker = without_group(report.nodeid), vars(report)["node"].gateway.id
        known = self._run.results.get(name) or self._run.studies.get(name)
        if known is not None:
            reason = f"worker {worker} died after this cell was measured and before its test had ended"
            if isinstance(known, CellResult):
                known = replace(known, terms=replace(known.terms, waived=None))
            else:
                known = replace(known, waived=None)
            return replace(
                known, verdict="error", outcome="failed", settled_by="policy", reason=f"{reason}; {_remedy(name)}"
            )
        from compress_guard.engine.unmeasured import unmeasured

        reason = f"worker {worker} died while it ran this cell, so that nothing was measured; {_remedy(name)}"
        return unmeasured(guard, cell, name, self._run.settings, reason)


def _remedy(name: str) -> str:
    return (
        "if memory ran out, use fewer workers (-n) or smaller batches; to see a crash of native code, run it "
        f'alone: pytest --compress-guard -n 0 "{name}"'
    )
