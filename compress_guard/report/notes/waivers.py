"""Sentences on cells that a waiver names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.foreign import shown_line
from compress_guard.report import numbers
from compress_guard.report.groups import groups

if TYPE_CHECKING:
    from compress_guard.records import CellResult
    from compress_guard.report.signs import Result


def waived(results: Sequence[Result]) -> Iterator[str]:
    """Yield the failures that a waiver has turned into skips, by waiver."""

    def key(result: Result) -> tuple[str, str | None] | None:
        return None if result.waived is None else (result.waived, result.waived_until)

    for (reason, until), group in groups(results, key):
        yield f"{_counted(group)} failed and waived until {until}: {reason}"


def needless(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the waivers of cells that pass."""

    def key(result: CellResult) -> str | None:
        return result.waived_until if result.outcome == "passed" and result.verdict == "pass" else None

    for until, group in groups(results, key):
        does = "passes" if len(group) == 1 else "pass"
        yield f"{_counted(group)} waived until {until} and {does}: remove from waive what is no longer needed"


def _counted(group: Sequence[Result]) -> str:
    names = [shown_line(result.id.rpartition("::")[2]) for result in group]
    listed = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{numbers.count(len(names), 'cell')} ({listed}) {'is' if len(names) == 1 else 'are'}"
