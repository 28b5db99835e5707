"""One pytest run with the gate: the session that it measures with, and the results that came back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, final

import pytest

from compress_guard.engine.pace import Pace
from compress_guard.plugin.decision import Decision
from compress_guard.plugin.results import Kind, Result
from compress_guard.records import (
    Cell,
    CellResult,
    CodecSpec,
    RecoveryResult,
    Scope,
    Thresholds,
    ThroughputResult,
    TrafficResult,
)

if TYPE_CHECKING:
    from compress_guard.engine.session import Session

RUN: Final = pytest.StashKey["Run"]()
PLACE: Final = "compress_guard_place"
"""The key under which the controller of pytest-xdist tells a worker its place: 0, 1, ... without gaps."""


def run_of(config: pytest.Config) -> Run:
    return config.stash[RUN]


@final
class Run:
    """The state that the tests of one process share, and the results of all processes."""

    def __init__(self, config: pytest.Config, decision: Decision, thresholds: Thresholds) -> None:
        workerinput: Mapping[str, Any] | None = getattr(config, "workerinput", None)
        self.config: Final = config
        self.decision: Final = decision
        self.thresholds: Final = thresholds
        self.settings: Final = decision.settings
        self.worker: Final = None if workerinput is None else str(workerinput["workerid"])
        """The name of this worker of pytest-xdist, which has no terminal and writes no files; None for a controller."""
        self.results: Final[dict[str, CellResult]] = {}
        self.speeds: Final[dict[str, ThroughputResult]] = {}
        self.studies: Final[dict[str, RecoveryResult]] = {}
        self.traffic: tuple[TrafficResult, ...] = ()
        """The drop of each guard over its traffic, known at the end."""
        self.pace: Final = Pace()
        self.selected: Final[set[str]] = set()
        """Names of guards with a cell that this run reached, even where nothing was measured."""
        self.codecs: tuple[CodecSpec, ...] = ()
        """The codecs of the cells of the thresholds file that this run has selected."""
        self.fixture_used = False
        """True once a test has asked for one of the gate's fixtures."""
        self.unwritten: str | None = None
        """The reason why the results file could not be written."""
        self.html_unwritten: str | None = None
        """The reason why the HTML report could not be written."""
        self.evidence_lost: str | None = None
        """The reason why some of the evidence is not beside the results file."""
        self.shard: Final = None if decision.shard_cells is None else frozenset(decision.shard_cells)
        """Names of the cells that this run may measure; None: all of the file."""
        self._place: Final = place_of(workerinput)
        self._session: Session | None = None
        self._ready = False
        self._used = False
        """True once a test has asked for the session."""
        self._coming: tuple[Cell, ...] = ()
        self._source: Final[dict[str, object]] = {}
        """The worker of pytest-xdist that each result came from."""

    @property
    def is_worker(self) -> bool:
        """True in a worker of pytest-xdist."""
        return self.worker is not None

    @property
    def empty_shard(self) -> bool:
        """True for a shard without cells, which is all right: the other shards have them."""
        return self.shard is not None and self.shard.isdisjoint(self.scope.cells) and self.thresholds.digest is not None

    @property
    def scope(self) -> Scope:
        """Digest of the file, names of all its cells for a run of this kind, and the shard."""
        names = self.thresholds.names(timed=self.decision.benchmark, studied=self.decision.recovery)
        return Scope(self.thresholds.digest, names, self.decision.shard)

    @property
    def measured(self) -> bool:
        """True if this run measured a model."""
        return self._used or bool(self.results)

    @property
    def session(self) -> Session:
        """The core's session of this process."""
        self._used = True
        return self._made_session()

    def _made_session(self) -> Session:
        if self._session is None:
            from compress_guard.engine.session import Session

            self._session = Session(self.thresholds, self.settings, worker=self._place)
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

        attempted(lambda: make_ready(self._made_session(), self.codecs))  # the cell meets any error again

    def expect(self, cells: Sequence[Cell]) -> None:
        """Note the cells of this run, in its order."""
        self._coming = tuple(cells)

    def keep(self, result: Result, worker: object = None) -> None:
        """Keep the result of a test of this or another process.

        Where several workers run one test (``--dist each``, or a distribution of xdist that starts a test again whose
        worker died), a failure is not undone by the result of another worker: the run is red.
        """
        if isinstance(result, CellResult):
            self._keep(self.results, result, worker)
        elif isinstance(result, RecoveryResult):
            self._keep(self.studies, result, worker)
        else:
            self._keep(self.speeds, result, worker)

    def forget(self, result: Result) -> None:
        """Drop the result of an attempt at a test that was not the last one."""
        self.results.pop(result.id, None)
        self.studies.pop(result.id, None)
        self.speeds.pop(result.id, None)

    def _keep(self, kept: dict[str, Kind], result: Kind, worker: object) -> None:
        known = kept.get(result.id)
        if known is None or known.outcome != "failed" or self._source.get(result.id) is worker:
            kept[result.id] = result
            self._source[result.id] = worker

    def close(self) -> None:
        """Release models and threads."""
        if self._session is not None:
            self._session.close()


def place_of(workerinput: Mapping[str, Any] | None) -> int:
    """Return the place of this process among the workers of pytest-xdist, 0 for one that is no worker."""
    return 0 if workerinput is None else int(workerinput[PLACE])
