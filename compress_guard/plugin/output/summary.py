"""The end of a run: the matrix on the terminal, the results file, the store within its bounds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from compress_guard.errors import error_text
from compress_guard.plugin.output.reports import attached
from compress_guard.plugin.output.terminal import display_of, write_line
from compress_guard.plugin.output.updated import measured_lines
from compress_guard.plugin.results import Kind
from compress_guard.plugin.run import Run
from compress_guard.records import CellResult, Ending, RecoveryResult, ThroughputResult

if TYPE_CHECKING:
    import pytest

    from compress_guard.report import Display, Line


def ungated(run: Run) -> list[str]:
    """Return the guards of which no selected cell was judged."""
    from compress_guard.report import ungated as names

    # Of a shard that is for `compress-guard merge` to say, since the judged cells may be in another one.
    judged = names(list(run.results.values())) if run.shard is None else ()
    return [*judged, *_unmeasured(run)]


def _unmeasured(run: Run) -> list[str]:
    """Return the guards with selected cells of which none has a result, say because a fixture skipped them."""
    measured = {result.guard for result in run.results.values()}
    return [guard.name for guard in run.thresholds.guards if guard.name in run.selected - measured]


def in_file_order(run: Run) -> list[CellResult]:
    """Return the results in the order of the thresholds file, then those of own tests, whatever worker was first."""
    return _sorted(run.results.values(), (cell.name for guard in run.thresholds.guards for cell in guard.cells))


def speeds_in_file_order(run: Run) -> list[ThroughputResult]:
    """Return the results of throughput cells in the order of the thresholds file, then those of own tests."""
    timed = (guard.throughput for guard in run.thresholds.guards if guard.throughput is not None)
    return _sorted(run.speeds.values(), (cell.name for throughput in timed for cell in throughput.cells))


def studies_in_file_order(run: Run) -> list[RecoveryResult]:
    """Return the results of recovery cells in the same order."""
    studied = (guard.recovery for guard in run.thresholds.guards if guard.recovery is not None)
    return _sorted(run.studies.values(), (cell.name for recovery in studied for cell in recovery.cells))


def _sorted(results: Iterable[Kind], names: Iterable[str]) -> list[Kind]:
    order = {name: place for place, name in enumerate(names)}
    return sorted(results, key=lambda result: (order.get(result.id.rpartition("::")[2], len(order)), result.id))


def show(
    run: Run, reporter: pytest.TerminalReporter, remarks: Sequence[str] = (), failures: Sequence[str] = ()
) -> None:
    """Write a matrix per guard, a table of its codecs' speed, and the remarks.

    `failures` are the reasons why a run fails that would be green by its tests alone.
    """
    unmeasured = _unmeasured(run)
    notices = unmeasured or run.unwritten or run.html_unwritten or remarks or failures
    if not (run.results or run.speeds or run.studies or notices):
        return
    from compress_guard.report import apart, fit
    from compress_guard.report.blocks.summary_line import summary_line

    quiet = reporter.config.get_verbosity() < 0
    if not quiet:
        reporter.section("compress_guard")
    shown = _shown_above(reporter)
    display = display_of(reporter, shown, partial(_command, run.config))
    results = in_file_order(run)
    brief = summary_line(results, speeds_in_file_order(run), studies_in_file_order(run))
    parts = ([brief] if brief else [],) if quiet else _parts(run, display)
    for line in apart(*parts):
        for text, style in fit(line):
            reporter.write(text, **dict.fromkeys(style.split(), True))
        reporter.write("\n")
    for name in unmeasured:
        write_line(reporter, f"{name} gates nothing: none of its cells was measured", red=True, bold=True)
    for remark in () if quiet and run.decision.update is None else remarks:
        write_line(reporter, remark, yellow=True, bold=True)
    for failure in failures:
        write_line(reporter, failure, red=True, bold=True)
    if run.unwritten is not None:
        write_line(reporter, f"--cg-json: {run.unwritten}", red=True, bold=True)
    if run.html_unwritten is not None:
        write_line(reporter, f"--cg-html: {run.html_unwritten}", red=True, bold=True)
    if run.evidence_lost is not None:
        write_line(reporter, f"--cg-json: {run.evidence_lost}", yellow=True, bold=True)


def _parts(run: Run, display: Display) -> tuple[Iterable[Line], ...]:
    """Return the report on the cells of each kind."""
    from compress_guard.report import lines, recovery_lines, throughput_lines

    results, shown = in_file_order(run), display.shown
    return (
        measured_lines(results, display) if run.decision.update else lines(results, display, traffic=run.traffic),
        throughput_lines(speeds_in_file_order(run), display.encoding, shown, display.sentence_width),
        recovery_lines(studies_in_file_order(run), display.encoding, shown, display.sentence_width),
    )


def _command(config: pytest.Config, result: CellResult) -> str:
    """Return the command that measures a cell alone, from the folder where this run was started."""
    from compress_guard.report.rerun import decisive, pytest_command

    names = ("limit", "seed", "baseline", "strict", "early-stop")
    given = {name: config.getoption(f"cg_{name.replace('-', '_')}") for name in names}
    return pytest_command(replace(result, id=_from_here(config, result.id)), decisive("--cg-", given))


def _from_here(config: pytest.Config, node_id: str) -> str:
    """Return a node id, whose file is seen from pytest's rootdir, as seen from where pytest was started."""
    file, sign, name = node_id.partition("::")
    here = config.invocation_params.dir
    if here == config.rootpath:
        return node_id
    try:
        return Path(os.path.relpath(config.rootpath / file, here)).as_posix() + sign + name
    except ValueError:  # on another drive of Windows
        return (config.rootpath / file).as_posix() + sign + name


def _shown_above(reporter: pytest.TerminalReporter) -> frozenset[str]:
    """Return the ids of the results whose whole reasons are in pytest's list of failures."""
    if reporter.config.getoption("tbstyle", "auto") in ("no", "line"):
        return frozenset()
    reports = [report for kind in ("failed", "error") for report in reporter.getreports(kind)]
    return frozenset(
        result.id for report in reports for result in attached(report) if result.reason in report.longreprtext
    )


def write_json(run: Run, ending: Ending) -> None:
    """Write the results file and the evidence, if --cg-json asks for them; keep what prevents it for `show`."""
    if (target := run.decision.results) is None:
        return
    from compress_guard.engine.evidence_files import collect_evidence, evidence_lost
    from compress_guard.engine.trouble import attempted
    from compress_guard.report import environment, write

    def written() -> None:
        results, evidence = in_file_order(run), collect_evidence(run.settings.run_folder)
        run.evidence_lost = evidence_lost(run.settings.run_folder, results, evidence)
        write(
            target,
            results,
            environment(run.settings, run.thresholds),
            evidence,
            speeds_in_file_order(run),
            studies_in_file_order(run),
            ending,
        )

    problem = attempted(written)
    if problem is not None:
        run.unwritten = error_text(problem)


def write_html(run: Run, ending: Ending) -> None:
    """Write the HTML report, if --cg-html asks for it; keep what prevents it for `show`."""
    if (target := run.decision.html) is None:
        return
    from compress_guard.engine.trouble import attempted
    from compress_guard.report import environment
    from compress_guard.report.html.contents import RunContents
    from compress_guard.report.html.page import write_page

    def written() -> None:
        results = (in_file_order(run), studies_in_file_order(run), speeds_in_file_order(run))
        folders = () if run.settings.pictures is None else (run.settings.pictures,)
        write_page(target, RunContents(*results, environment(run.settings, run.thresholds), ending, folders))

    problem = attempted(written)
    if problem is not None:
        run.html_unwritten = error_text(problem)


def close_store(run: Run) -> None:
    """Remember the versions that the run worked with, and keep the store under its cap."""
    from compress_guard.engine.prediction.versions import remember_run

    remember_run(run.settings, run.results.values())
    run.settings.store().trim()
