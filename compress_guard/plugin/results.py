"""Results of a test: kept with its item, and turned into pytest's outcome."""

from __future__ import annotations

from typing import Final, TypeAlias, TypeVar

import pytest

from compress_guard.errors import RunError
from compress_guard.records import CellResult, RecoveryResult, ThroughputResult

Result: TypeAlias = CellResult | RecoveryResult | ThroughputResult
Kind = TypeVar("Kind", CellResult, RecoveryResult, ThroughputResult)

RESULTS: Final = pytest.StashKey[list[Result]]()
"""The results that a test has measured, on its item."""


class CellFailed(AssertionError):
    """A cell that did not keep its limit, or could not be measured; the message says which and why."""

    def __init__(self, result: Result, problem: RunError | None = None) -> None:
        super().__init__(result.reason)
        self.result: Final = result
        self.problem: Final = problem


def record(item: pytest.Item, result: Result) -> None:
    """Keep a result with its test: for the report, and as properties in JUnit."""
    from compress_guard.report.junit import properties

    item.stash.setdefault(RESULTS, []).append(result)
    item.user_properties.extend(properties(result))


def recorded(item: pytest.Item, kind: type[Kind]) -> list[Kind]:
    """Return the results of one kind that a test has kept."""
    return [result for result in item.stash.get(RESULTS, []) if isinstance(result, kind)]


def settle(result: Result, problem: RunError | None = None) -> None:
    """Turn a result's outcome into pytest's."""
    __tracebackhide__ = True
    if result.outcome == "failed":
        raise CellFailed(result, problem) from problem
    if result.outcome == "skipped":
        pytest.skip(result.reason)
