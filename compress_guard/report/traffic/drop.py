"""The drop of a guard over its traffic: a line below its matrix, and properties of the whole JUnit report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from compress_guard.report import numbers
from compress_guard.report.markup import GAP, Line

if TYPE_CHECKING:
    from compress_guard.records import TrafficResult

_ROUNDING: Final = 0.005
"""Largest rest of the traffic that is taken for rounding of the shares."""


def traffic_line(result: TrafficResult) -> Line:
    """Return the line of a guard: its drop over the traffic, or why there is none, and what its cells do not cover."""
    rest = 1 - result.covered
    beyond = f"; {numbers.share(rest)} of the traffic is not covered" if rest > _ROUNDING else ""
    if result.drop is None or result.drop_low is None or result.drop_high is None:
        return ((f"{GAP}traffic", "bold"), (f": no drop over the traffic: {result.reason}{beyond}", "yellow"))
    spread = f"{numbers.points(result.drop_low)} to {numbers.points(result.drop_high)}"
    images = numbers.count(result.images or 0, "image")
    share = numbers.share(result.covered)
    text = f": drop {numbers.points(result.drop)} ({spread}) on average over {share} of it, {images}{beyond}"
    return ((f"{GAP}traffic", "bold"), (text, ""))


def suite_properties(results: Iterable[TrafficResult]) -> Iterator[tuple[str, str]]:
    """Yield the figures as properties of the test suite: ``cg_traffic_drop[photos]``, without those that are None."""
    for result in results:
        values = {
            "covered": result.covered,
            "drop": result.drop,
            "drop_low": result.drop_low,
            "drop_high": result.drop_high,
            "images": result.images,
        }
        for name, value in values.items():
            if value is not None:
                yield f"cg_traffic_{name}[{result.guard}]", json.dumps(value)
        if result.reason is not None:
            yield f"cg_traffic_reason[{result.guard}]", result.reason
