"""The gate of one pytest run: hooks that call the core and collect its results."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final, final

import pytest

from compress_guard.engine.images.factories import anchor_search_path
from compress_guard.plugin.benchmark_plugin import only_benchmarks
from compress_guard.plugin.cells.collection import CellItem, ThresholdsFile, is_same_file
from compress_guard.plugin.cells.file_cells import FileCells
from compress_guard.plugin.cells.items import FileItem
from compress_guard.plugin.cells.reruns import Attempts, begin
from compress_guard.plugin.cells.selected import Selected
from compress_guard.plugin.collected import Collected, uses_fixture
from compress_guard.plugin.decision import decision_of
from compress_guard.plugin.modes import only_lists, runs_tests
from compress_guard.plugin.options import HANDED_OVER
from compress_guard.plugin.output import summary
from compress_guard.plugin.output.earlier_reports import set_aside_reports
from compress_guard.plugin.output.lost_cells import report_lost
from compress_guard.plugin.output.reports import attach, attached, verdicts
from compress_guard.plugin.output.shown import leave_out_our_frames, note_brief, shorten
from compress_guard.plugin.output.traffic import weigh_traffic
from compress_guard.plugin.output.updated import show_diff, update_file
from compress_guard.plugin.results import RESULTS
from compress_guard.plugin.run import RUN, Run
from compress_guard.plugin.workers import distribution
from compress_guard.plugin.workers.crashes import Crashes
from compress_guard.plugin.workers.places import Places
from compress_guard.records import Cell, Ending
from compress_guard.thresholds.limits.update import UpdatedFile


@final
class Gate:
    """The hooks of a run with ``--compress-guard``; registered as a plugin of its own."""

    def __init__(self, run: Run, collected: Collected) -> None:
        self.run: Final = run
        self._collected: Final = collected
        self._last: frozenset[str] = frozenset()
        """The node ids of the last cell of each kind and guard."""
        self._cells: Final = FileCells(run.thresholds)
        self._crashes: Final = Crashes(run, self._cells)
        self._selected: Final = Selected(run, self._cells)
        if not run.is_worker:
            run.config.pluginmanager.register(Places(), "compress_guard_places")
        self._attempts: Final = Attempts(run)
        self._lost: str | None = None
        """The reason why a run that would be green fails: tests without a report."""
        self._updated = UpdatedFile()
        self._idle: str | None = None
        """The reason why a run that would be green fails: nothing that it collected gates."""
        run.config.pluginmanager.register(self._selected, "compress_guard_selected")

    @classmethod
    def of(cls, config: pytest.Config) -> Gate:
        """Return the gate that the command line asks for; raises `UsageError` for options or a file without sense."""
        decision, thresholds = decision_of(config)
        anchor_search_path()
        run = config.stash[RUN] = Run(config, decision, thresholds)
        collected = Collected(run)
        config.pluginmanager.register(collected, "compress_guard_collected")
        return cls(run, collected)

    # Hooks

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> ThresholdsFile | None:
        if not is_same_file(file_path, Path(self.run.thresholds.path)):
            return None
        file: ThresholdsFile = ThresholdsFile.from_parent(parent, path=file_path)
        self._collected.note_file(file)
        return file

    # Before pytest-timeout and faulthandler_timeout, whose clocks begin in wrappers of their own.
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> Generator[None, object, object]:
        if isinstance(item, FileItem):
            # A worker of xdist does not know yet what comes after the next one.
            item.last = not item.continues(nextitem) if self.run.is_worker else item.nodeid in self._last
        if (isinstance(item, FileItem) or uses_fixture(item)) and runs_tests(self.run.config):
            self.run.make_ready()
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        begin(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        if not isinstance(item, FileItem):
            leave_out_our_frames(item, call)
        report = yield
        if report.failed and call.excinfo is not None:
            note_brief(report, call.excinfo.value)
        if call.when == "call":
            results = item.stash.get(RESULTS, [])
            attach(report, results)
            if isinstance(item, FileItem) and report.skipped and results:
                report.longrepr = (str(item.path), item.line, f"Skipped: {results[-1].reason}")
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> Generator[None, object, object]:
        self._attempts.note(report)
        known = self._cells.find(report.nodeid)
        # A setup that passes promises a call; under --setup-plan none comes, and no verdict is expected.
        # Nor is one under pytest-benchmark's own --benchmark-only.
        expected = not only_benchmarks(self.run.config)
        gates = known is not None and isinstance(known[1], Cell)
        if known is not None and gates and expected and (report.when == "call" or not report.passed):
            self.run.selected.add(known[0].name)
        for result in attached(report):
            self.run.keep(result, getattr(report, "node", None))
        answer = yield
        self._crashes.close(report)
        return answer

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        if report.passed and "inconclusive" in verdicts(report):
            return "inconclusive", "?", ("INCONCLUSIVE", {"light": True})
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        if not self.run.is_worker and runs_tests(self.run.config):
            set_aside_reports(self.run.config, self.run.decision.results, self.run.decision.html)

    # Behind what other plugins do at the end, which may decide on the exit status, or fail; before the summary.
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        if self._reports:
            # Before the report of --junitxml is written.
            weigh_traffic(self.run)
            report_lost(self.run, self._selected.not_measured)
        broken = True
        try:
            finished = yield
            broken = False
        finally:
            self._finish(session, broken=broken)
        return finished

    @property
    def _reports(self) -> bool:
        """True in the process that reports on tests that were run."""
        return not self.run.is_worker and not only_lists(self.run.config) and runs_tests(self.run.config)

    def _finish(self, session: pytest.Session, *, broken: bool) -> None:
        """Decide on the exit status and write the results; where `broken`, pytest ends by an exception."""
        if self.run.is_worker or only_lists(self.run.config):
            return
        green = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        self._idle = self._collected.problem() if green else None
        if self.run.empty_shard and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK
        if self._idle is not None:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        # A run that only plans has no results, and must not replace those of an earlier one.
        if not runs_tests(self.run.config):
            return
        self._lost = self._selected.problem() if green else None
        if self.run.decision.update:
            ids = [name for name in self.run.results if self._cells.find(name) is not None]
            self._updated = update_file(self.run, ids, green=green and self._lost is None)
            ungated = bool(self._updated.failures)
        else:
            ungated = bool(summary.ungated(self.run))
        if green and (self._lost is not None or ungated):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        status = None if broken else int(session.exitstatus)
        ending = Ending(status, self._selected.not_measured, self.run.traffic, self.run.scope)
        summary.write_json(self.run, ending)
        summary.write_html(self.run, ending)
        if green and (self.run.unwritten is not None or self.run.html_unwritten is not None):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        remarks = [self._selected.remark(), None if self._idle else self._collected.remark()]
        if not runs_tests(self.run.config):
            remarks = []  # no result is expected
        failures = [self._lost, self._idle, *self._updated.failures]
        remarks += self._updated.remarks
        shorten(terminalreporter)
        summary.show(self.run, terminalreporter, list(filter(None, remarks)), list(filter(None, failures)))
        show_diff(self._updated, terminalreporter)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        cells = [item for item in session.items if isinstance(item, FileItem)]
        self._last = frozenset({(type(item), item.guard_name): item.nodeid for item in cells}.values())
        self.run.expect([item.cell for item in session.items if isinstance(item, CellItem)])
        self.run.codecs = tuple(dict.fromkeys(item.codec for item in cells))

    def pytest_unconfigure(self) -> None:
        self.run.close()
        if not self.run.is_worker:
            if self.run.measured:
                summary.close_store(self.run)
            shutil.rmtree(self.run.settings.run_folder, ignore_errors=True)

    # Hooks of xdist, where it is installed

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[HANDED_OVER] = self.run.decision.handed_over(node)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        return distribution.scheduler(config, log, self._cells)

    @pytest.hookimpl(wrapper=True, optionalhook=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> Generator[None, object, object]:
        handled = yield  # a plugin may have the test run again, and says so on the report
        self._crashes.complete(report)
        return handled
