"""``compress-guard run``: the cells of a thresholds file one after the other, progress, matrix and results file."""

from __future__ import annotations

import argparse
import fnmatch
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, final

from compress_guard import thresholds as thresholds_file
from compress_guard.engine.session import Session, collect_evidence, without_fixtures
from compress_guard.engine.settings import RunSettings, check_device, check_results_file, cores
from compress_guard.errors import RunError, UsageError
from compress_guard.records import Cell, CellResult, Thresholds
from compress_guard.report import ansi, environment, lines, plain, ungated, write
from compress_guard.store import Store

_PROGRESS_SECONDS: Final = 0.2


def run(options: argparse.Namespace) -> bool:
    """Measure the selected cells; True if every one held and every selected guard judged one. Raises `UsageError`."""
    path = Path(options.thresholds)
    if not path.exists():
        raise UsageError(
            options.thresholds, "there is no such file", "create it, or name another: compress-guard run FILE"
        )
    thresholds = thresholds_file.load(path, shown=options.thresholds)
    _refuse_fixtures(thresholds)
    cells = _selected(thresholds, options.only)
    if options.cache and options.no_cache:
        raise UsageError("--no-cache", "given together with --cache", "use one of them")
    check_device(options.device, "--device")
    if options.json is not None:
        check_results_file(Path(options.json), "--json")
    run_folder = Path(tempfile.mkdtemp(prefix="compress-guard-run-"))
    try:
        settings = _settings(options, path, run_folder)
        results = _measure(thresholds, cells, settings)
        shown = lines(results, sys.stdout.encoding)
        sys.stdout.write(ansi(shown) if sys.stdout.isatty() else plain(shown))
        written = options.json is None or _write(Path(options.json), results, settings)
        Store(settings.store_folder).trim()
    finally:
        shutil.rmtree(run_folder, ignore_errors=True)
    return written and all(result.outcome != "failed" for result in results) and not ungated(results)


def _write(path: Path, results: Sequence[CellResult], settings: RunSettings) -> bool:
    """Write the results file; False, with the reason on standard error, where that fails."""
    try:
        write(path, results, environment(settings), collect_evidence(settings.run_folder))
    except RunError as problem:
        sys.stderr.write(f"compress-guard: --json: {problem}\n")
        return False
    return True


def _refuse_fixtures(thresholds: Thresholds) -> None:
    for guard in thresholds.guards:
        for key, name in (("model", guard.model), ("data", guard.data)):
            if name.startswith("fixture:"):
                raise UsageError(
                    f"{thresholds.path}:{guard.line}: {guard.name}",
                    f"{key} is {name}, and fixtures need pytest",
                    "run `pytest --compress-guard` or name a factory package.module:callable",
                )


def _selected(thresholds: Thresholds, patterns: Sequence[str] | None) -> list[Cell]:
    cells = [cell for guard in thresholds.guards for cell in guard.cells]
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
    )


def _measure(thresholds: Thresholds, cells: Sequence[Cell], settings: RunSettings) -> list[CellResult]:
    session = Session(thresholds, settings)
    results = []
    file = _name_in_ids(Path(thresholds.path))
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
