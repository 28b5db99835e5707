"""One pytest run with the gate: what it measures with, and what it has measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, final

import pytest

from compress_guard.plugin.cells.items import Kind
from compress_guard.plugin.output.progress import TerminalProgress
from compress_guard.plugin.workers.places import place_of
from compress_guard.records import Cell, CellResult, CodecSpec, RecoveryResult, Thresholds, ThroughputResult

if TYPE_CHECKING:
    from compress_guard.engine.session import Session
    from compress_guard.plugin.collected import Collected
    from compress_guard.plugin.decision import Decision

RUN: Final = pytest.StashKey["Run"]()


def run_of(config: pytest.Config) -> Run:
    return config.stash[RUN]


@final
class Run:
    """What the tests of one process share, and what came back from all processes."""

    def __init__(self, config: pytest.Config, decision: Decision, thresholds: Thresholds, collected: Collected) -> None:
        workerinput: dict[str, Any] | None = getattr(config, "workerinput", None)
        self.config: Final = config
        self.decision: Final = decision
        self.thresholds: Final = thresholds
        self.collected: Final = collected
        self.settings: Final = decision.settings
        self.is_worker: Final = workerinput is not None
        """Whether this is a process of pytest-xdist, which has no terminal and writes no files."""
        self.results: Final[dict[str, CellResult]] = {}
        self.speeds: Final[dict[str, ThroughputResult]] = {}
        self.studies: Final[dict[str, RecoveryResult]] = {}
        self.selected: Final[set[str]] = set()
        """Guards with a cell that this run came to, even where nothing was measured."""
        self.codecs: tuple[CodecSpec, ...] = ()
        """The codecs of the tests that this run has selected, of its file."""
        self.unwritten: str | None = None
        """Why the results file could not be written."""
        self.evidence_lost: str | None = None
        """Why some of the evidence is not beside it."""
        self._number: Final = place_of(workerinput)
        self._worker: Final = None if workerinput is None else str(workerinput["workerid"])
        self._session: Session | None = None
        self._ready = False
        self._used = False
        """Whether a test has asked for the session."""
        self._coming: tuple[Cell, ...] = ()
        self._source: Final[dict[str, object]] = {}
        """The worker of xdist that each result came from."""

    @property
    def measured(self) -> bool:
        """Whether this run measured a model."""
        return self._used or bool(self.results)

    @property
    def session(self) -> Session:
        """The core's session of this process."""
        self._used = True
        return self._made_session()

    def _made_session(self) -> Session:
        if self._session is None:
            from compress_guard.engine.session import Session

            self._session = Session(self.thresholds, self.settings, worker=self._number)
            if not self.is_worker:
                self._session.expect(self._coming)
        return self._session

    def make_ready(self) -> None:
        """Make the session and import what the coming cells need, before the first test that gates has begun."""
        if self._ready:
            return
        self._ready = True
        from compress_guard.engine.readiness import make_ready
        from compress_guard.engine.trouble import attempted

        attempted(lambda: make_ready(self._made_session(), self.codecs))  # what goes wrong, the cell meets again

    def expect(self, cells: Sequence[Cell]) -> None:
        """Know the cells of this run, in its order."""
        self._coming = tuple(cells)

    def progress(self) -> TerminalProgress:
        """Where a long cell tells how far it is; silent in xdist workers."""
        reporter = None if self.is_worker else self.config.pluginmanager.get_plugin("terminalreporter")
        return TerminalProgress(reporter)

    def keep(self, result: CellResult | RecoveryResult | ThroughputResult, worker: object = None) -> None:
        """Take in what a test of this or another process measured.

        Where several workers run one test (``--dist each``, or a distribution of xdist that starts a test again whose
        worker died), a failure is not undone by what another of them says: the run is red.
        """
        if isinstance(result, CellResult):
            self._keep(self.results, result, worker)
        elif isinstance(result, RecoveryResult):
            self._keep(self.studies, result, worker)
        else:
            self._keep(self.speeds, result, worker)

    def forget(self, result: CellResult | RecoveryResult | ThroughputResult) -> None:
        """Drop a result that an attempt at a test gave which was not its last."""
        self.results.pop(result.id, None)
        self.studies.pop(result.id, None)
        self.speeds.pop(result.id, None)

    def _keep(self, kept: dict[str, Kind], result: Kind, worker: object) -> None:
        known = kept.get(result.id)
        if known is None or known.outcome != "failed" or self._source.get(result.id) is worker:
            kept[result.id] = result
            self._source[result.id] = worker

    def note_running(self, node_id: str, results: Sequence[CellResult]) -> None:
        """Leave the results of an own test, the running one's as an error, for the controller of a worker that dies."""
        if self._worker is not None:
            from compress_guard.plugin.workers.left_behind import leave

            leave(self.settings.run_folder, self._worker, node_id, results)

    def close(self) -> None:
        """Let go of models and threads."""
        if self._session is not None:
            self._session.close()
