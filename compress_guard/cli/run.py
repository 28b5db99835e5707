"""``compress-guard run``: the cells of a thresholds file one after the other, progress, matrix and results file."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from compress_guard.cli.benchmark import throughput_cells, time_cells
from compress_guard.cli.preparation import (
    check_baseline,
    check_options,
    loaded,
    name_in_ids,
    refuse_fixtures,
    run_settings,
)
from compress_guard.cli.results import Results
from compress_guard.cli.tables import show_results
from compress_guard.cli.terminal import StandardErrorProgress, tell, tell_result
from compress_guard.cli.update import asked_source, show_measured, write_limits
from compress_guard.engine.machine.threads import calm_threads
from compress_guard.engine.pace import Pace
from compress_guard.engine.prediction.versions import remember_run
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import UsageError
from compress_guard.records import Cell, CellResult, Ending, Scope, Thresholds, ThroughputCell, name_fits
from compress_guard.report import ungated
from compress_guard.report.html.contents import RunContents
from compress_guard.report.rerun import decisive, run_command
from compress_guard.thresholds.keys.throughput import benchmarked
from compress_guard.thresholds.limits.measured import unlimited

C = TypeVar("C", Cell, ThroughputCell)


def run(options: argparse.Namespace) -> bool:
    """Measure the selected cells; True if every one held and every selected guard judged one. Raises `UsageError`."""
    thresholds = loaded(options)
    if options.benchmark:
        thresholds = benchmarked(thresholds)
    for guard in thresholds.guards:
        refuse_fixtures(thresholds, guard, **({} if options.benchmark else {"model": guard.model}), data=guard.data)
    baseline = check_baseline(options, thresholds)
    costs = {} if baseline is None else baseline.seconds
    if options.benchmark:
        asked_source(options)
    run_cells = (_timed if options.benchmark else _gated)(thresholds, options, costs)
    check_options(options)
    with run_settings(options) as settings:
        if baseline is not None:  # before a report of this run takes its place
            baseline.keep(settings.run_folder)
        return run_cells(settings)


def _gated(
    thresholds: Thresholds, options: argparse.Namespace, costs: Mapping[str, float]
) -> Callable[[RunSettings], bool]:
    """Return a function that measures the selected cells and returns True if they held."""
    source = asked_source(options)
    if source is not None:
        thresholds = unlimited(thresholds)
    cells = _selected([cell for guard in thresholds.guards for cell in guard.cells], options, thresholds, costs)

    def gate(settings: RunSettings) -> bool:
        results = _results(thresholds, cells, options, settings)
        with results.kept():
            _measure(thresholds, cells, settings, results.cells, quiet=options.quiet)
        held = all(result.outcome != "failed" for result in results.cells)
        if source is not None:
            held = write_limits(source, results.cells, loosen=options.update == "loosen") and held
            show_measured(results.cells, options)
            return results.write_held(held) and held
        held = held and (options.shard is not None or not ungated(results.cells))
        written = results.write_held(held)  # first, since standard output may be closed
        given = {"limit": options.limit, "seed": options.seed, "baseline": options.baseline}
        given |= {"strict": options.strict, "early-stop": options.early_stop}
        command = partial(run_command, file=options.thresholds, options=decisive("--", given))
        shown = RunContents(results.cells, ending=Ending(traffic=tuple(results.traffic())))
        show_results(shown, options, command)
        remember_run(settings, results.cells)
        return written and held

    return gate


def _timed(
    thresholds: Thresholds, options: argparse.Namespace, costs: Mapping[str, float]
) -> Callable[[RunSettings], bool]:
    """Return a function that times the selected throughput cells and returns True if they held."""
    cells = _selected(list(throughput_cells(thresholds)), options, thresholds, costs)

    def gate(settings: RunSettings) -> bool:
        results = _results(thresholds, cells, options, settings)
        with results.kept():
            file = name_in_ids(Path(thresholds.path))
            pace = Pace(len(cells))
            listener = partial(StandardErrorProgress, pace=pace, silent=options.quiet)
            for name, result, trouble in time_cells(thresholds, cells, settings, file, listener):
                results.throughput.append(result)
                pace.finish(len(results.throughput))
                tell_result(name, result, trouble, quiet=options.quiet)
        held = all(result.outcome != "failed" for result in results.throughput)
        written = results.write_held(held)
        show_results(RunContents(throughput=results.throughput), options)
        return written and held

    return gate


def _results(thresholds: Thresholds, cells: Sequence[C], options: argparse.Namespace, settings: RunSettings) -> Results:
    """Begin the results of a run of these cells."""
    file = name_in_ids(Path(thresholds.path))
    names = [f"{file}::{cell.name}" for cell in cells]
    asked = thresholds.names(gated=not options.benchmark, timed=options.benchmark)
    scope = Scope(thresholds.digest, asked, None if options.shard is None else str(options.shard))
    results = Results(options.json, settings, names, html=options.html, thresholds=thresholds, scope=scope)
    results.set_aside()
    return results


def _selected(
    cells: list[C], options: argparse.Namespace, thresholds: Thresholds, costs: Mapping[str, float]
) -> list[C]:
    """Return the cells that --only and --shard leave; raises `UsageError` for a pattern that no cell of the file fits.

    A shard may be empty, which is said and is all right: the other shards have the cells.
    """
    chosen = _matching(cells, options.only)
    if options.shard is None:
        return chosen
    names = options.shard.names(thresholds, costs)
    kept = [cell for cell in chosen if cell.name in names]
    if not kept:
        tell(f"compress-guard: shard {options.shard} of {options.thresholds} is empty: the other shards have its cells")
    return kept


def _matching(cells: list[C], patterns: Sequence[str] | None) -> list[C]:
    if not patterns:
        return cells
    matched = [{cell.name for cell in cells if name_fits(cell.name, pattern)} for pattern in patterns]
    if idle := [pattern for pattern, names in zip(patterns, matched, strict=True) if not names]:
        # Each of them: beside a pattern that matches, a misspelt one would go unnoticed, and its cells ungated.
        raise UsageError(
            "--only",
            f"no cell matches {' or '.join(idle)}",
            f"there are {len(cells)}, the first is {cells[0].name}",
        )
    return [cell for cell in cells if any(cell.name in names for names in matched)]


def _measure(
    thresholds: Thresholds, cells: Sequence[Cell], settings: RunSettings, results: list[CellResult], *, quiet: bool
) -> None:
    """Measure the cells and append the result of each."""
    calm_threads()
    pace = Pace(len(cells))
    file = name_in_ids(Path(thresholds.path))
    with contextlib.closing(Session(thresholds, settings)) as session:
        session.expect(cells)
        for number, cell in enumerate(cells, start=1):
            with StandardErrorProgress(f"[{number}/{len(cells)}]", pace, silent=quiet) as progress:
                node_id = f"{file}::{cell.name}"
                last = all(coming.guard != cell.guard for coming in cells[number:])
                measured = session.measure(cell, node_id, without_fixtures, progress, progress.tell, last=last)
            results.append(measured.result)
            pace.finish(number)
            tell_result(f"[{number}/{len(cells)}] {cell.name}", measured.result, measured.problem, quiet=quiet)
