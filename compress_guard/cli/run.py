"""``compress-guard run``: the cells of a thresholds file one after the other, progress, matrix and results file."""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final, TypeVar, final

from compress_guard import thresholds as thresholds_file
from compress_guard.cli.benchmark import throughput_cells, time_cells
from compress_guard.engine.session import Session, collect_evidence, without_fixtures
from compress_guard.engine.settings import RunSettings, check_device, check_results_file, cores
from compress_guard.engine.threads import calm_threads
from compress_guard.engine.versions import remember_run
from compress_guard.errors import RunError, UsageError
from compress_guard.records import Cell, CellResult, Thresholds, ThroughputCell, ThroughputResult
from compress_guard.report import Line, ansi, environment, lines, plain, throughput_lines, ungated, write
from compress_guard.store import DEFAULT_CAP_BYTES
from compress_guard.thresholds.throughput import benchmarked

C = TypeVar("C", Cell, ThroughputCell)

_PROGRESS_SECONDS: Final = 0.2


def run(options: argparse.Namespace) -> bool:
    """Measure the selected cells; True if every one held and every selected guard judged one. Raises `UsageError`."""
    path = Path(options.thresholds)
    if not path.exists():
        raise UsageError(
            options.thresholds, "there is no such file", "create it, or name another: compress-guard run FILE"
        )
    thresholds = thresholds_file.load(path, shown=options.thresholds)
    if options.benchmark:
        thresholds = benchmarked(thresholds)
    _refuse_fixtures(thresholds, data_only=options.benchmark)
    if options.cache and options.no_cache:
        raise UsageError("--no-cache", "given together with --cache", "use one of them")
    run_cells = _timed(thresholds, options) if options.benchmark else _gated(thresholds, options)
    check_device(options.device, "--device")
    if options.json is not None:
        check_results_file(Path(options.json), "--json")
    run_folder = Path(tempfile.mkdtemp(prefix="compress-guard-run-"))
    try:
        settings = _settings(options, path, run_folder)
        held = run_cells(settings)
        settings.store().trim()
    finally:
        shutil.rmtree(run_folder, ignore_errors=True)
    return held


def _gated(thresholds: Thresholds, options: argparse.Namespace) -> Callable[[RunSettings], bool]:
    """What measures the selected cells and says whether they held."""
    cells = _selected([cell for guard in thresholds.guards for cell in guard.cells], options.only)

    def gate(settings: RunSettings) -> bool:
        results = _measure(thresholds, cells, settings)
        _show(lines(results, sys.stdout.encoding))
        written = _written(options.json, results, settings)
        remember_run(settings, results)
        return written and all(result.outcome != "failed" for result in results) and not ungated(results)

    return gate


def _timed(thresholds: Thresholds, options: argparse.Namespace) -> Callable[[RunSettings], bool]:
    """The same of throughput cells."""
    cells = _selected(list(throughput_cells(thresholds)), options.only)

    def gate(settings: RunSettings) -> bool:
        results = time_cells(thresholds, cells, settings, _name_in_ids(Path(thresholds.path)), _StandardErrorProgress)
        _show(throughput_lines(results, sys.stdout.encoding))
        written = _written(options.json, [], settings, results)
        return written and all(result.outcome != "failed" for result in results)

    return gate


def _show(shown: Iterable[Line]) -> None:
    sys.stdout.write(ansi(shown) if sys.stdout.isatty() else plain(shown))


def _written(
    path: str | None,
    results: Sequence[CellResult],
    settings: RunSettings,
    throughput: Sequence[ThroughputResult] = (),
) -> bool:
    """Write the results file, if one is asked for; False, with the reason on standard error, where that fails."""
    if path is None:
        return True
    try:
        write(Path(path), results, environment(settings), collect_evidence(settings.run_folder), throughput)
    except RunError as problem:
        sys.stderr.write(f"compress-guard: --json: {problem}\n")
        return False
    return True


def _refuse_fixtures(thresholds: Thresholds, *, data_only: bool) -> None:
    for guard in thresholds.guards:
        for key, name in (("data", guard.data),) if data_only else (("model", guard.model), ("data", guard.data)):
            if name.startswith("fixture:"):
                raise UsageError(
                    f"{thresholds.path}:{guard.line}: {guard.name}",
                    f"{key} is {name}, and fixtures need pytest",
                    "run `pytest --compress-guard` or name a factory package.module:callable",
                )


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


def _settings(options: argparse.Namespace, path: Path, run_folder: Path) -> RunSettings:
    if options.no_cache:
        store_folder = run_folder
    else:
        store_folder = Path(options.cache) if options.cache else path.resolve().parent / ".compress_guard"
    return RunSettings(
        run_folder=run_folder,
        store_folder=store_folder,
        device=options.device,
        workers=options.workers or cores(),
        limit=options.limit,
        seed=options.seed,
        early_stop=options.early_stop,
        strict=options.strict,
        keep_evidence=options.json is not None,
        store_cap=options.cache_size or DEFAULT_CAP_BYTES,
    )


def _measure(thresholds: Thresholds, cells: Sequence[Cell], settings: RunSettings) -> list[CellResult]:
    calm_threads()
    results = []
    file = _name_in_ids(Path(thresholds.path))
    with contextlib.closing(Session(thresholds, settings)) as session:
        session.expect(cells)
        for number, cell in enumerate(cells, start=1):
            with _StandardErrorProgress(f"[{number}/{len(cells)}]") as progress:
                node_id = f"{file}::{cell.name}"
                result = session.measure(cell, node_id, without_fixtures, progress, progress.tell).result
            results.append(result)
            sys.stderr.write(f"[{number}/{len(cells)}] {cell.name} {result.outcome}: {result.reason}\n")
    return results


def _name_in_ids(path: Path) -> str:
    """The file as node ids show it under pytest: from the current folder where it lies in it, else by its bare name."""
    full = Path(os.path.normpath(path.absolute()))
    return full.relative_to(Path.cwd()).as_posix() if full.is_relative_to(Path.cwd()) else full.name


@final
class _StandardErrorProgress:
    """One line on a terminal that is overwritten; silent elsewhere, where each finished cell has a line of its own."""

    def __init__(self, prefix: str) -> None:
        self._prefix: Final = prefix
        self._next = 0.0

    def __enter__(self) -> _StandardErrorProgress:
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        if sys.stderr.isatty() and (now := time.monotonic()) >= self._next:
            self._next = now + _PROGRESS_SECONDS
            count = f"{done}/{total}" if total else f"{done}"
            sys.stderr.write(f"\r\x1b[K{self._prefix} {what}: {count} images")
            sys.stderr.flush()

    def tell(self, line: str) -> None:
        """A line that stays."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
        sys.stderr.write(f"{line}\n")

    def __exit__(self, *_: object) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
