"""The gate of one pytest run: hooks that hand over to the core and collect what it answers."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import pytest

from compress_guard import thresholds as thresholds_file
from compress_guard.plugin import distribution, summary
from compress_guard.plugin.collection import RESULTS, CellItem, ThresholdsFile, same_file
from compress_guard.plugin.items import FileItem
from compress_guard.plugin.options import is_reached, paths_are_named, run_settings, thresholds_path
from compress_guard.plugin.progress import TerminalProgress
from compress_guard.plugin.throughput import SPEEDS, check_benchmark
from compress_guard.records import Cell, CellResult, Thresholds, ThroughputResult
from compress_guard.thresholds.throughput import benchmarked

if TYPE_CHECKING:
    from compress_guard.engine.session import Session
    from compress_guard.engine.settings import RunSettings

GATE: Final = pytest.StashKey["Gate"]()


def gate_of(config: pytest.Config) -> Gate:
    return config.stash[GATE]


@final
class Gate:
    """What a run with ``--compress-guard`` adds to pytest; registered as a plugin of its own."""

    def __init__(
        self, config: pytest.Config, thresholds: Thresholds, settings: RunSettings, workerinput: dict[str, Any] | None
    ) -> None:
        self.config: Final = config
        self.thresholds: Final = thresholds
        self.settings: Final = settings
        self.results: Final[dict[str, CellResult]] = {}
        self.speeds: Final[dict[str, ThroughputResult]] = {}
        self._workerinput: Final = workerinput
        self.selected: Final[set[str]] = set()
        """Guards with a cell that this run came to, even where nothing was measured."""
        self.unwritten: str | None = None
        """Why the results file could not be written."""
        self._guard_of: Final = {cell.name: cell.guard for guard in thresholds.guards for cell in guard.cells}
        self._session: Session | None = None
        self._coming: tuple[Cell, ...] = ()
        """The cells of this run, in its order."""

    @classmethod
    def of(cls, config: pytest.Config) -> Gate:
        """The gate that the command line asks for; raises `UsageError` for what makes no sense."""
        workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
        found = thresholds_path(config)
        shown = _shown(found.path, config.rootpath)
        if not found.named and paths_are_named(config) and not found.path.exists():
            thresholds = Thresholds(str(found.path), ())
        else:
            thresholds = thresholds_file.load(found.path, shown=shown)
        if config.getoption("--cg-benchmark"):
            check_benchmark(config)
            thresholds = benchmarked(thresholds)
        if workerinput is None and thresholds.guards and not paths_are_named(config) and not is_reached(config, found):
            config.args.append(str(found.path))
        gate = cls(config, thresholds, run_settings(config, found.path, workerinput), workerinput)
        config.stash[GATE] = gate
        return gate

    @property
    def session(self) -> Session:
        """The core's session of this process, made with its first cell."""
        if self._session is None:
            from compress_guard.engine.session import Session

            worker = 0 if self._workerinput is None else int(str(self._workerinput["workerid"]).removeprefix("gw"))
            self._session = Session(self.thresholds, self.settings, worker=worker)
            if self._workerinput is None:
                self._session.expect(self._coming)
        return self._session

    def progress(self) -> TerminalProgress:
        """Where a long cell tells how far it is; silent in xdist workers, which have no terminal."""
        reporter = None if self._workerinput is not None else self.config.pluginmanager.get_plugin("terminalreporter")
        return TerminalProgress(reporter)

    # Hooks

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> ThresholdsFile | None:
        if not same_file(file_path, Path(self.thresholds.path)):
            return None
        file: ThresholdsFile = ThresholdsFile.from_parent(parent, path=file_path)
        file.thresholds = self.thresholds
        return file

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.when == "call":
            results, speeds = item.stash.get(RESULTS, []), item.stash.get(SPEEDS, [])
            # Plain values on the report travel from xdist workers to the controller with it.
            vars(report)["compress_guard"] = [result.as_dict() for result in results]
            vars(report)["compress_guard_throughput"] = [result.as_dict() for result in speeds]
            reasons = [*(result.reason for result in results), *(speed.reason for speed in speeds)]
            if isinstance(item, FileItem) and report.skipped and reasons:
                report.longrepr = (str(item.path), item.line, f"Skipped: {reasons[-1]}")
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        guard = self._guard_of.get(report.nodeid.rpartition("::")[2])
        # A setup that passes promises a call; under --setup-plan none comes, and nobody expects a verdict.
        # Under pytest-benchmark's own --benchmark-only nobody expects one either.
        expected = not self.config.getoption("benchmark_only", False)
        if guard is not None and expected and (report.when == "call" or not report.passed):
            self.selected.add(guard)
        for values in getattr(report, "compress_guard", ()):
            result = CellResult.from_dict(values)
            self.results[result.id] = result
        for values in getattr(report, "compress_guard_throughput", ()):
            speed = ThroughputResult.from_dict(values)
            self.speeds[speed.id] = speed

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, Any] | None:
        found = [*getattr(report, "compress_guard", ()), *getattr(report, "compress_guard_throughput", ())]
        if report.passed and any(values["verdict"] == "inconclusive" for values in found):
            return "inconclusive", "?", ("INCONCLUSIVE", {"light": True})
        return None

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        # A run that only lists or plans has no results, and must not replace those of an earlier one.
        option = self.config.getoption
        if self._workerinput is not None or option("collectonly") or option("setuponly", False):
            return
        summary.write_json(self)
        green = session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
        if green and (self.unwritten is not None or summary.ungated(self)):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        summary.show(self, terminalreporter)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self._coming = tuple(item.cell for item in session.items if isinstance(item, CellItem))

    def pytest_unconfigure(self) -> None:
        if self._session is not None:
            self._session.close()
        if self._workerinput is None:
            if self._session is not None or self.results:
                summary.close_store(self)
            shutil.rmtree(self.settings.run_folder, ignore_errors=True)

    # Hooks of xdist, where it is installed

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["compress_guard_run_folder"] = str(self.settings.run_folder)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        return distribution.scheduler(config, log, self.thresholds)


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
