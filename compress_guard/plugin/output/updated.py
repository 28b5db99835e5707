"""The end of a run with --cg-update: the measured limits are written into the thresholds file, or nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compress_guard.destination import replace
from compress_guard.errors import CompressGuardError
from compress_guard.plugin.output.terminal import write_line
from compress_guard.plugin.run import Run
from compress_guard.thresholds import read
from compress_guard.thresholds.limits.rewriting import Rewritten, Source, rewritten

if TYPE_CHECKING:
    import pytest

    from compress_guard.records import CellResult
    from compress_guard.report import Display, Line

OPTION: Final = "--cg-update"
_MOST_NAMED: Final = 3
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class UpdatedFile:
    """Outcome of an update of limits in a thresholds file, in lines for the terminal."""

    diff: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    """Reasons why the run is red: nothing was written, or a limit stays that the measurement is above."""


def update_file(run: Run, node_ids: Sequence[str], *, green: bool) -> UpdatedFile:
    """Write the limits of a run whose results are complete; `node_ids` are those of its file's results."""
    results = {name.rpartition("::")[2]: run.results[name] for name in node_ids}
    if (problem := _incomplete(run, results, green=green)) is not None:
        return UpdatedFile(failures=(f"{OPTION}: {problem}; nothing was written",))
    decision = run.decision
    source = Source(decision.text or "", decision.file.path, decision.file.shown, decision.folder)
    try:
        made = rewritten(source, results, loosen=decision.update == "loosen")
        if made.diff:
            _write(source, made.text)
    except (CompressGuardError, OSError) as problem:
        return UpdatedFile(failures=(f"{OPTION}: {problem}; nothing was written",))
    return UpdatedFile(made.diff, tuple(_remarks(source.shown, made)), tuple(_failures(made)))


def _incomplete(run: Run, results: dict[str, CellResult], *, green: bool) -> str | None:
    """Return why these results give no limits, None if they do."""
    names = [cell.name for guard in run.thresholds.guards for cell in guard.cells]
    missing = [name for name in names if name not in results]
    if missing:
        return f"{len(missing)} of {len(names)} cells were not measured: {_listed(missing)}"
    failed = [name for name, result in results.items() if result.outcome == "failed"]
    if failed:
        return f"{len(failed)} of {len(names)} cells failed: {_listed(failed)}"
    return None if green else "the run has failed"


def _write(source: Source, text: str) -> None:
    """Replace the file, unless it is another one by now."""
    if read(source.path, source.shown) != source.text:
        raise CompressGuardError(f"{source.shown} has changed since the run began")
    mark = _BOM if source.path.read_bytes().startswith(_BOM) else b""
    replace(source.path, mark + text.encode())


def _remarks(shown: str, made: Rewritten) -> Iterator[str]:
    yield f"{OPTION}: {shown} has new limits" if made.diff else f"{OPTION}: {shown} stays as it is"
    if made.open:
        yield f"the intervals of {_listed(made.open)} reach above limits that stay; {OPTION}=loosen raises these"
    if made.unmeasured:
        yield f"the limits of {_listed(made.unmeasured)} stay: no drop was measured there, or a waiver names it"


def _failures(made: Rewritten) -> Iterator[str]:
    if made.above:
        yield f"{_listed(made.above)} lost more than limits allow that stay; {OPTION}=loosen raises these"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"


def show_diff(updated: UpdatedFile, reporter: pytest.TerminalReporter) -> None:
    """Write the change of the file as a diff."""
    for line in updated.diff:
        head = line[:1] if line[:3] not in ("+++", "---") else ""
        write_line(reporter, line, red=head == "-", green=head == "+")


def measured_lines(results: Sequence[CellResult], display: Display) -> Iterator[Line]:
    """Yield the cells of each guard, without notes on limits: nothing was judged."""
    from compress_guard.report.blocks.layouts import guard_cells

    for guard in dict.fromkeys(result.guard for result in results):
        yield from guard_cells([result for result in results if result.guard == guard], display)
        yield ()
