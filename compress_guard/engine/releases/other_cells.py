"""Recovery studies and throughput cells of two releases: their outcomes, recovered shares and ratios of speed.

No evidence of single images is kept of these. A share or a ratio moved if its two intervals have no number in common,
which is stricter than an interval of their difference would be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from compress_guard.engine.releases.changed_cells import CellChange, Kind, moved_cell
from compress_guard.records import Interval, RecoveryResult, ThroughputResult

OtherResult: TypeAlias = RecoveryResult | ThroughputResult


@dataclass(frozen=True, slots=True)
class _Figure:
    """A share or a ratio with its interval."""

    name: str
    interval: Interval


def other_changes(
    base: Mapping[str, OtherResult], head: Mapping[str, OtherResult], lost: AbstractSet[str]
) -> Iterator[CellChange]:
    """Yield the changes of studies and throughput cells; `lost` are those that were selected and have no result."""
    for name, after in head.items():
        if name in base:
            yield from _changes(base[name], after)
        else:
            yield CellChange(name, "appeared", None, after)
    for name, before in base.items():
        if name not in head:
            remark = "it was selected, and has no result" if name in lost else ""
            yield CellChange(name, "vanished", before, None, remark=remark)


def other_remarks(base: Mapping[str, OtherResult], head: Mapping[str, OtherResult]) -> Iterator[str]:
    """Yield which of these cells are compared by their outcome alone, and why."""
    timed = [
        (before, head[name])
        for name, before in base.items()
        if name in head and isinstance(before, ThroughputResult) and before.ratio is not None
    ]
    elsewhere = sum(not _same_place(before, after) for before, after in timed)
    if elsewhere:
        yield f"speeds are not compared, since they are of other devices ({elsewhere} of {len(timed)} throughput cells)"


def _changes(before: OtherResult, after: OtherResult) -> Iterator[CellChange]:
    moved = tuple(moved_cell(before, after))
    old, new = _figures(before), _figures(after)

    def change(kind: Kind, remark: str = "") -> CellChange:
        return CellChange(before.id, kind, before, after, moved=moved, remark=remark)

    if after.outcome == "failed" and before.outcome != "failed":
        yield change("newly failing")
    elif old and not new:
        yield change("vanished", f"it was measured before, and now has no figure: {after.reason}")
    elif before.outcome == "failed" and after.outcome == "passed":
        yield change("recovered")
    elif not isinstance(before, ThroughputResult) or _same_place(before, after):
        shared = [(old[name], new[name]) for name in old if name in new]
        fell = [_words(*pair) for pair in shared if pair[1].interval.high < pair[0].interval.low]
        rose = [_words(*pair) for pair in shared if pair[1].interval.low > pair[0].interval.high]
        if fell:
            yield change("fell", ", ".join(fell))
        elif rose:
            yield change("rose", ", ".join(rose))


def _figures(result: OtherResult) -> Mapping[str, _Figure]:
    """Return what a result says in numbers, by name: shares that came back, or the ratio of speeds."""
    if isinstance(result, ThroughputResult):
        given = [(f"ratio to {result.reference}", result.ratio, result.ratio_low, result.ratio_high)]
    else:
        shares = ((point.label, point.recovered) for point in result.own())
        given = [(f"recovered share at {label}", each.value, each.low, each.high) for label, each in shares]
    return {
        name: _Figure(name, Interval(value, low, high))
        for name, value, low, high in given
        if value is not None and low is not None and high is not None
    }


def _same_place(before: OtherResult, after: OtherResult) -> bool:
    return before.device == after.device


def _words(before: _Figure, after: _Figure) -> str:
    return f"{before.name} {_range(before.interval)} to {_range(after.interval)}"


def _range(interval: Interval) -> str:
    return f"{interval.value:.2f} ({interval.low:.2f} to {interval.high:.2f})"
