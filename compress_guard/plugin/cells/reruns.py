"""Tests that a plugin such as pytest-rerunfailures runs again: nothing is measured or reported twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias, final

import pytest

from compress_guard.errors import RunError
from compress_guard.plugin.output.reports import attached
from compress_guard.plugin.results import RESULTS, Result, record, settle
from compress_guard.plugin.run import Run
from compress_guard.records import ThroughputResult

Measured: TypeAlias = tuple[Result, RunError | None]

_MEASURED: Final = pytest.StashKey[Measured]()
"""The result of a cell's last attempt."""
_RERUN: Final = "rerun"
"""The outcome of a report after which the test is run again."""


def begin(item: pytest.Item) -> None:
    """Begin a test without the results and properties that an earlier attempt at it has left."""
    from compress_guard.report import properties

    for result in item.stash.get(RESULTS, []):
        for pair in properties(result):
            if pair in item.user_properties:
                item.user_properties.remove(pair)
    item.stash[RESULTS] = []


def settled(item: pytest.Item, measure: Callable[[bool], Measured]) -> None:
    """Measure a cell, record its result and turn it into pytest's outcome.

    A cell that is run again keeps its verdict, unless that was an error, which other people's code may raise now and
    then. `measure` gets True where the cell is measured again.
    """
    __tracebackhide__ = True
    known = item.stash.get(_MEASURED, None)
    if known is None or _may_change(known[0]):
        known = item.stash[_MEASURED] = measure(known is not None)
    record(item, known[0])
    settle(*known)


def _may_change(result: Result) -> bool:
    """Return True if another attempt may end otherwise: clocks and errors vary, evidence does not."""
    return isinstance(result, ThroughputResult) or result.verdict in ("error", "codec_error")


@final
class Attempts:
    """A listener to reports: of a test that is run again only the results of the last attempt count."""

    def __init__(self, run: Run) -> None:
        self._run: Final = run
        self._earlier: Final[dict[Any, list[Result]]] = {}
        """The results of attempts after which a test is run again, by the test and the worker."""

    def note(self, report: pytest.TestReport) -> None:
        """Note a report, before other plugins take anything from it."""
        test = (report.nodeid, getattr(report, "node", None))
        if str(report.outcome) == _RERUN:
            self._earlier[test] = list(attached(report))
        elif report.when == "teardown":
            self._end(test, report)
        elif report.when == "call" and test in self._earlier:
            for result in self._earlier.pop(test):
                self._run.forget(result)

    def _end(self, test: Any, report: pytest.TestReport) -> None:
        """Take the properties from the end of an attempt that is made again: JUnit has a test case for each."""
        from compress_guard.report import properties

        theirs = {pair for result in self._earlier.get(test, ()) for pair in properties(result)}
        if theirs:
            report.user_properties = [pair for pair in report.user_properties if tuple(pair) not in theirs]
