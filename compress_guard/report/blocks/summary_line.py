"""A whole run in one line, for those who asked to be told no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.report.markup import Line
from compress_guard.report.tally import tally, ungated

if TYPE_CHECKING:
    from compress_guard.records import CellResult, RecoveryResult, ThroughputResult

_MOST_NAMED: Final = 3


def summary_line(
    cells: Sequence[CellResult], throughput: Sequence[ThroughputResult] = (), recovery: Sequence[RecoveryResult] = ()
) -> Line:
    """Return the counts of a run and the first cells that failed; an empty line for a run without results."""
    kinds = (("", cells), ("throughput: ", throughput), ("recovery: ", recovery))
    counts = [f"{head}{tally(results)}" for head, results in kinds if results]
    if not counts:
        return ()
    failed = [result.id.partition("::")[2] for _, results in kinds for result in results if result.outcome == "failed"]
    text = "; ".join(counts)
    if failed:
        more = f" and {len(failed) - _MOST_NAMED} more" if len(failed) > _MOST_NAMED else ""
        text += f"; failed: {', '.join(failed[:_MOST_NAMED])}{more}"
    idle = ungated(cells)
    text += "".join(f"; {name} gates nothing" for name in idle)
    return ((f"compress_guard: {text}", "red bold" if failed or idle else "green"),)
