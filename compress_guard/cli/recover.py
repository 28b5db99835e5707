"""``compress-guard recover``: the recovery studies of a thresholds file and what they regain."""

from __future__ import annotations

import argparse
import contextlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from compress_guard.cli.preparation import check_options, loaded, name_in_ids, refuse_fixtures, run_settings
from compress_guard.cli.results import Results
from compress_guard.cli.terminal import StandardErrorProgress, show, tell, tell_result
from compress_guard.destination import replace
from compress_guard.engine.machine.threads import calm_threads
from compress_guard.engine.pace import Pace
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import UsageError, error_text
from compress_guard.records import RecoveryCell, RecoveryResult, Scope, Thresholds
from compress_guard.registry import unknown
from compress_guard.report import recovery_figure, recovery_lines
from compress_guard.report.blocks.display import WIDTH
from compress_guard.results.file import only_file


def recover(options: argparse.Namespace) -> bool:
    """Carry out the studies of the selected guards; True if none failed. Raises `UsageError`.

    With `options.results` nothing is measured: the studies of a results file are shown and drawn.
    """
    if options.results is not None:
        return _shown(_read(Path(options.results)), options)
    thresholds = loaded(options)
    cells = _selected(thresholds, options.guard)
    check_options(options)
    file = name_in_ids(Path(thresholds.path))
    with run_settings(options) as settings:
        scope = Scope(thresholds.digest, thresholds.names(gated=False, studied=True))
        results = Results(options.json, settings, [f"{file}::{cell.name}" for cell in cells], scope=scope)
        results.set_aside()
        with results.kept():
            _measure(thresholds, cells, settings, results)
            held = _shown(results.recovery, options)
        return results.write_held(held) and held


def _selected(thresholds: Thresholds, names: Sequence[str] | None) -> list[RecoveryCell]:
    """Return the recovery cells of the guards of these names, of all guards where none is named."""
    guards = {guard.name: guard for guard in thresholds.guards}
    for name in names or ():
        if name not in guards:
            raise UsageError("--guard", unknown("guard", name, tuple(guards)), f"name one of {thresholds.path}")
    remedy = "add recovery: with train: to a guard, see docs/howto/recovery.md"
    if idle := [name for name in names or () if guards[name].recovery is None]:
        raise UsageError("--guard", f"{' and '.join(idle)} of {thresholds.path} asks for no study", remedy)
    chosen = [guard for guard in thresholds.guards if not names or guard.name in names]
    studied = [(guard, guard.recovery) for guard in chosen if guard.recovery is not None]
    if not studied:
        raise UsageError(str(thresholds.path), "no guard has a key recovery", remedy)
    for guard, recovery in studied:
        refuse_fixtures(thresholds, guard, model=guard.model, data=guard.data, train=recovery.train)
    return [cell for _, recovery in studied for cell in recovery.cells]


def _measure(thresholds: Thresholds, cells: Sequence[RecoveryCell], settings: RunSettings, results: Results) -> None:
    """Measure the cells; the results file is written anew after each."""
    calm_threads()
    with contextlib.closing(Session(thresholds, settings)) as session:
        pace = Pace(len(cells))
        for number, (cell, node_id) in enumerate(zip(cells, results.selected, strict=True), start=1):
            prefix = f"[{number}/{len(cells)}]"
            try:
                with StandardErrorProgress(prefix, pace) as progress:
                    last = all(coming.guard != cell.guard for coming in cells[number:])
                    measured = session.measure_recovery(cell, node_id, without_fixtures, progress, last=last)
            except KeyboardInterrupt:
                tell(f"\ncompress-guard: stopped in {cell.name}; {_kept(settings)}")
                raise
            pace.finish(number)
            results.recovery.append(measured.result)
            tell_result(f"{prefix} {cell.name}", measured.result, measured.problem)
            results.write(None)


def _kept(settings: RunSettings) -> str:
    if settings.store_folder == settings.run_folder:
        return "nothing is kept with --no-cache"
    return f"what was trained is kept in {settings.store_folder}: the same command goes on there"


def _shown(results: Sequence[RecoveryResult], options: argparse.Namespace) -> bool:
    """Print the tables and draw the figure; return False where a study failed or the figure cannot be written."""
    width = shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else None
    show(recovery_lines(results, sys.stdout.encoding, width=width))
    held = all(result.outcome != "failed" for result in results)
    if options.figure is None:
        return held
    try:
        replace(Path(options.figure), recovery_figure(results).encode())
    except (OSError, ValueError) as problem:
        tell(f"compress-guard: --figure: {error_text(problem)}")
        return False
    return held


def _read(path: Path) -> Sequence[RecoveryResult]:
    """Read the studies of a results file; raises `UsageError` for a file that has none."""
    try:
        results = only_file(path).recovery
    except UsageError as problem:
        raise UsageError("--from", f"{problem.where}: {problem.found}", problem.remedy) from problem
    if not results:
        raise UsageError("--from", f"{path} has no recovery study", "name results of a run with --cg-recovery")
    return results
