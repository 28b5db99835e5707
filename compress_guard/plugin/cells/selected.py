"""The cells that a run selected, and those of them that have no result when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, final

import pytest

from compress_guard.plugin.cells.file_cells import FileCells, without_group
from compress_guard.plugin.output.progress import log_pace
from compress_guard.plugin.run import Run

_NAMED: Final = 3
"""Cells without a result that the summary names."""


@final
class Selected:
    """A plugin that listens to collection and reports, those of workers of pytest-xdist too."""

    def __init__(self, run: Run, cells: FileCells) -> None:
        self._run: Final = run
        self._cells: Final = cells
        self._selected: Final[dict[str, None]] = {}
        self._skipped: Final[set[str]] = set()
        self._waiting: Final[set[str]] = set()
        """Tests, people's own too, without a report so far."""
        self._known: Final[set[str]] = set()
        """Tests that were collected, also by a worker that replaces a dead one."""
        self._worker_died = False
        self._by_workers = False
        self._ended: Final[set[str]] = set()
        """Cells that have come to their end, measured or not."""

    @property
    def not_measured(self) -> tuple[str, ...]:
        """Cells that were selected and have no result."""
        known = (self._run.results, self._run.studies, self._run.speeds)
        return tuple(name for name in self._selected if not any(name in results for results in known))

    def problem(self) -> str | None:
        """Return why a run that would be green has to fail: tests did not run, and nothing says why."""
        lost = [name for name in self.not_measured if name not in self._skipped]
        if lost:
            fate = "was selected and not measured" if len(lost) == 1 else "were selected and not measured"
            return f"{_named(lost, 'cell')} {fate}, and no test says why: the run fails"
        if self._worker_died and self._waiting:
            fate = "was collected and never ran" if len(self._waiting) == 1 else "were collected and never ran"
            return f"{_named(sorted(self._waiting), 'test')} {fate}, since workers died: the run fails"
        return None

    def remark(self) -> str | None:
        """Return which of the selected cells have no result; None where all have one."""
        if not (missing := self.not_measured):
            return None
        return f"not measured: {len(missing)} of {len(self._selected)} selected cells: {_listed(missing)}"

    # Hooks

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._expect([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        self._by_workers = True
        self._expect(ids)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, error: Any) -> None:
        self._worker_died |= error is not None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._waiting.discard(report.nodeid)
        if report.skipped:
            self._skipped.add(without_group(report.nodeid))
        name = without_group(report.nodeid)
        if name in self._selected and (report.when == "call" or not report.passed):
            self._ended.add(name)
            self._run.pace.finish(len(self._ended))
            if getattr(report, "node", None) is not None:
                log_pace(self._run)

    def _expect(self, ids: Sequence[str]) -> None:
        fresh = [name for name in ids if name not in self._known]
        self._known.update(fresh)
        self._waiting.update(fresh)
        self._selected.update((without_group(name), None) for name in fresh if self._cells.find(name) is not None)
        self._run.pace.total = len(self._selected)
        if self._by_workers:
            self._run.pace.start()


def _named(names: Sequence[str], noun: str) -> str:
    return f"{len(names)} {noun if len(names) == 1 else noun + 's'} ({_listed(names)})"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
