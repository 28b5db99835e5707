"""Results on pytest's reports: plain values, which travel from workers of pytest-xdist to the controller."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from compress_guard.plugin.results import Result
from compress_guard.records import CellResult, RecoveryResult, ThroughputResult

if TYPE_CHECKING:
    import pytest

_KINDS: Final[Mapping[str, type[CellResult | RecoveryResult | ThroughputResult]]] = {
    "compress_guard": CellResult,
    "compress_guard_throughput": ThroughputResult,
    "compress_guard_recovery": RecoveryResult,
}
"""The results on a report, by its attribute."""


def to_values(results: Iterable[Result]) -> dict[str, list[dict[str, Any]]]:
    """Return results as plain values, by their kind."""
    results = list(results)
    return {key: [result.as_dict() for result in results if isinstance(result, kind)] for key, kind in _KINDS.items()}


def from_values(values: Mapping[str, Any]) -> Iterator[Result]:
    """Yield the results whose plain values `to_values` gave."""
    for key, kind in _KINDS.items():
        for fields in values.get(key, ()):
            yield kind.from_dict(fields)


def attach(report: pytest.TestReport, results: Iterable[Result]) -> None:
    """Put the results of a test on its report."""
    vars(report).update(to_values(results))


def attached(report: pytest.TestReport) -> Iterator[Result]:
    """Yield the results on a report."""
    return from_values(vars(report))


def verdicts(report: pytest.TestReport) -> list[Any]:
    """Return the verdicts of the results on a report."""
    return [values["verdict"] for key in _KINDS for values in getattr(report, key, ())]
