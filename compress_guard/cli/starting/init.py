"""``compress-guard init``: a thresholds file for a model, with limits from a quick measurement."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from pathlib import Path

from compress_guard import thresholds as thresholds_file
from compress_guard.cli.preparation import check_options, run_settings
from compress_guard.cli.starting.answers import Wanted, wanted
from compress_guard.cli.starting.text import SCHEMA_NAME, Found, file_text
from compress_guard.cli.terminal import StandardErrorProgress, put, tell, tell_result
from compress_guard.destination import replace
from compress_guard.engine.machine.threads import calm_threads
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings, check_results_file
from compress_guard.errors import ThresholdsError, UsageError
from compress_guard.records import UNTOLD, CellResult, Thresholds
from compress_guard.report import numbers
from compress_guard.thresholds.limits.measured import unlimited
from compress_guard.thresholds.schema import SCHEMA_FILE, SCHEMA_ID


def init(options: argparse.Namespace) -> bool:
    """Write the file; False, with the reason, if the model could not be measured. Raises `UsageError`."""
    out = Path(options.thresholds)
    _check_destination(out, force=options.force)
    asked = wanted(options)
    _check_fixtures(asked, options)
    thresholds = unlimited(_parsed(file_text(asked, Found()), out, options.thresholds))
    check_options(options)
    found = Found()
    if not options.no_measure:
        with run_settings(options) as settings:
            found = Found(tuple(_measured(thresholds, settings)))
        if (problem := _problem(found)) is not None:
            tell(f"compress-guard: init: {problem}; nothing was written")
            return False
        if found.untested is not None:
            tell(f"compress-guard: init: {found.untested}")
    text = file_text(asked, found)
    _parsed(text, out, options.thresholds)
    _write(out, text)
    put(f"{options.thresholds}: {_summary(found)}\nnext: compress-guard check {options.thresholds}")
    return True


def _check_destination(out: Path, *, force: bool) -> None:
    """Raise `UsageError` for a file that cannot be written or is there already, before anything is asked."""
    check_results_file(out, "--out", {})
    if os.path.lexists(out) and not force:
        raise UsageError("--out", f"there is a file {out} already", "name another file, or add --force")
    schema = out.with_name(SCHEMA_NAME)
    check_results_file(schema, "--out", {})
    if os.path.lexists(schema) and not force and not _is_schema(schema):
        found = f"there is a file {schema} already, which is no schema of compress_guard"
        raise UsageError("--out", found, "rename it, or add --force")


def _is_schema(path: Path) -> bool:
    with contextlib.suppress(OSError, ValueError):
        document = json.loads(path.read_text(encoding="utf-8"))
        return isinstance(document, dict) and document.get("$id") == SCHEMA_ID
    return False


def _check_fixtures(asked: Wanted, options: argparse.Namespace) -> None:
    for key in ("model", "data"):
        name: str = getattr(asked, key)
        if name.startswith("fixture:") and not options.no_measure:
            remedy = "name a factory package.module:callable, or add --no-measure"
            raise UsageError(f"--{key}", f"{name} is a fixture, and fixtures need pytest", remedy)


def _parsed(text: str, out: Path, shown: str) -> Thresholds:
    """Return the guards of a file that is not written yet; raises `UsageError` without a line, which nobody sees."""
    try:
        return thresholds_file.parse(text, out, shown=shown, folder=Path.cwd())
    except ThresholdsError as problem:
        raise UsageError("init", problem.found, problem.remedy) from problem


def _measured(thresholds: Thresholds, settings: RunSettings) -> list[CellResult]:
    """Measure the cells without limits; a model or data that cannot be used ends it at its first cell."""
    calm_threads()
    (guard,) = thresholds.guards
    results: list[CellResult] = []
    with contextlib.closing(Session(thresholds, settings)) as session:
        session.expect(guard.cells)
        for number, cell in enumerate(guard.cells, start=1):
            with StandardErrorProgress(f"[{number}/{len(guard.cells)}]") as progress:
                last = number == len(guard.cells)
                made = session.measure(cell, cell.name, without_fixtures, progress, progress.tell, last=last)
            results.append(made.result)
            tell_result(f"[{number}/{len(guard.cells)}] {cell.name}", made.result, made.problem)
            if made.result.verdict == "error":
                break
    return results


def _problem(found: Found) -> str | None:
    """Return why the measurement gives no file; None if it does."""
    for result in found.results:
        if result.verdict in ("error", "codec_error"):
            return f"{result.id} could not be measured: {result.reason}"
    for remark in dict.fromkeys(result.clean_remark for result in found.results):
        if remark is not None and UNTOLD in remark:
            return (
                f"{remark.partition('; ')[0]}, and such a model keeps every limit; check labels, class order, "
                "preprocessing and weights, or give a higher --limit"
            )
    if not found.kept:
        return "no point could be measured: none of these codecs is installed and reaches it"
    return None


def _summary(found: Found) -> str:
    if not found.results:
        return "written, with one limit for all operating points that was not measured"
    left_out = f"; its comments say why {len(found.left_out)} have none" if found.left_out else ""
    return f"written, with limits for {numbers.count(len(found.kept), 'operating point')}{left_out}"


def _write(out: Path, text: str) -> None:
    try:
        replace(out.with_name(SCHEMA_NAME), SCHEMA_FILE.read_bytes())
        replace(out, text.encode())
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise UsageError("--out", f"{out} cannot be written: {reason}", "name another file") from problem
