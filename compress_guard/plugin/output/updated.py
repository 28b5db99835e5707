"""The end of a run with --cg-update: the measured limits are written into the thresholds file, or nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.plugin.output.terminal import write_line
from compress_guard.plugin.run import Run
from compress_guard.plugin.update import OPTION
from compress_guard.thresholds.limits.rewriting import Source
from compress_guard.thresholds.limits.update import AskedUpdate, UpdatedFile

if TYPE_CHECKING:
    import pytest

    from compress_guard.records import CellResult
    from compress_guard.report import Display, Line


def update_file(run: Run, node_ids: Sequence[str], *, green: bool) -> UpdatedFile:
    """Write the limits of a run whose results are complete; `node_ids` are those of its file's results."""
    results = {name.rpartition("::")[2]: run.results[name] for name in node_ids}
    decision = run.decision
    source = Source(decision.text or "", decision.file.path, decision.file.shown, decision.folder)
    return AskedUpdate(OPTION, loosen=decision.update == "loosen").update(source, results, green=green)


def show_diff(updated: UpdatedFile, reporter: pytest.TerminalReporter) -> None:
    """Write the change of the file as a diff."""
    for line in updated.diff:
        head = line[:1] if line[:3] not in ("+++", "---") else ""
        write_line(reporter, line, red=head == "-", green=head == "+")


def measured_lines(results: Sequence[CellResult], display: Display) -> Iterator[Line]:
    """Yield the cells of each guard, without notes on limits: nothing was judged."""
    from compress_guard.report.blocks.layouts import unjudged_lines

    return unjudged_lines(results, display)
