"""``compress-guard run``: the cells of a thresholds file one after the other, progress, matrix and results file."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from compress_guard.cli.benchmark import throughput_cells, time_cells
from compress_guard.cli.preparation import check_options, loaded, name_in_ids, refuse_fixtures, run_settings
from compress_guard.cli.terminal import StandardErrorProgress, show, tell_result
from compress_guard.engine.session import Session, collect_evidence, evidence_lost, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.engine.threads import calm_threads
from compress_guard.engine.versions import remember_run
from compress_guard.errors import RunError, UsageError
from compress_guard.records import Cell, CellResult, Thresholds, ThroughputCell, ThroughputResult
from compress_guard.report import environment, lines, throughput_lines, ungated, write
from compress_guard.thresholds.throughput import benchmarked

C = TypeVar("C", Cell, ThroughputCell)


def run(options: argparse.Namespace) -> bool:
    """Measure the selected cells; True if every one held and every selected guard judged one. Raises `UsageError`."""
    thresholds = loaded(options)
    if options.benchmark:
        thresholds = benchmarked(thresholds)
    for guard in thresholds.guards:
        refuse_fixtures(thresholds, guard, **({} if options.benchmark else {"model": guard.model}), data=guard.data)
    run_cells = _timed(thresholds, options) if options.benchmark else _gated(thresholds, options)
    check_options(options)
    with run_settings(options) as settings:
        return run_cells(settings)


def _gated(thresholds: Thresholds, options: argparse.Namespace) -> Callable[[RunSettings], bool]:
    """What measures the selected cells and says whether they held."""
    cells = _selected([cell for guard in thresholds.guards for cell in guard.cells], options.only)

    def gate(settings: RunSettings) -> bool:
        results = _measure(thresholds, cells, settings)
        written = _written(options.json, results, settings)  # first, since nobody may be reading standard output
        show(lines(results, sys.stdout.encoding))
        remember_run(settings, results)
        return written and all(result.outcome != "failed" for result in results) and not ungated(results)

    return gate


def _timed(thresholds: Thresholds, options: argparse.Namespace) -> Callable[[RunSettings], bool]:
    """The same of throughput cells."""
    cells = _selected(list(throughput_cells(thresholds)), options.only)

    def gate(settings: RunSettings) -> bool:
        results = time_cells(thresholds, cells, settings, name_in_ids(Path(thresholds.path)), StandardErrorProgress)
        written = _written(options.json, [], settings, results)
        show(throughput_lines(results, sys.stdout.encoding))
        return written and all(result.outcome != "failed" for result in results)

    return gate


def _written(
    path: str | None,
    results: Sequence[CellResult],
    settings: RunSettings,
    throughput: Sequence[ThroughputResult] = (),
) -> bool:
    """Write the results file, if one is asked for; False, with the reason on standard error, where that fails."""
    if path is None:
        return True
    evidence = collect_evidence(settings.run_folder)
    try:
        write(Path(path), results, environment(settings), evidence, throughput)
    except RunError as problem:
        sys.stderr.write(f"compress-guard: --json: {problem}\n")
        return False
    if (lost := evidence_lost(settings.run_folder, results, evidence)) is not None:
        sys.stderr.write(f"compress-guard: --json: {lost}\n")
    return True


def _selected(cells: list[C], patterns: Sequence[str] | None) -> list[C]:
    if not patterns:
        return cells
    # A bracket stands for itself: every cell's name has a pair of them.
    literal = [pattern.replace("[", "[[]") for pattern in patterns]
    chosen = [cell for cell in cells if any(fnmatch.fnmatchcase(cell.name, pattern) for pattern in literal)]
    if not chosen:
        raise UsageError(
            "--only",
            f"no cell matches {' or '.join(patterns)}",
            f"there are {len(cells)}, the first is {cells[0].name}",
        )
    return chosen


def _measure(thresholds: Thresholds, cells: Sequence[Cell], settings: RunSettings) -> list[CellResult]:
    calm_threads()
    results = []
    file = name_in_ids(Path(thresholds.path))
    with contextlib.closing(Session(thresholds, settings)) as session:
        session.expect(cells)
        for number, cell in enumerate(cells, start=1):
            with StandardErrorProgress(f"[{number}/{len(cells)}]") as progress:
                node_id = f"{file}::{cell.name}"
                measured = session.measure(cell, node_id, without_fixtures, progress, progress.tell)
            results.append(measured.result)
            tell_result(f"[{number}/{len(cells)}] {cell.name}", measured.result, measured.problem)
    return results
