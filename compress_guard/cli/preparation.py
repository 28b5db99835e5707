"""The thresholds file and the settings of the run, made from the options of a command."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from compress_guard import thresholds as thresholds_file
from compress_guard.destination import evidence_path
from compress_guard.engine.images.factories import anchor_search_path
from compress_guard.engine.releases.baseline import Baseline, read_baseline
from compress_guard.engine.settings import RunOptions, RunSettings, check_results_file
from compress_guard.errors import UsageError
from compress_guard.records import Guard, Thresholds


def loaded(options: argparse.Namespace) -> Thresholds:
    """Load the thresholds file; raises `UsageError` where there is none, `ThresholdsError` for one without sense."""
    path = Path(options.thresholds)
    if not path.exists():
        remedy = f"create it, or name another: compress-guard {options.command} FILE"
        raise UsageError(options.thresholds, "there is no such file", remedy)
    return thresholds_file.load(path, shown=options.thresholds)


def refuse_fixtures(thresholds: Thresholds, guard: Guard, **named: str) -> None:
    """Raise `UsageError` for a factory, given by its key, that is a fixture of pytest."""
    for key, name in named.items():
        if name.startswith("fixture:"):
            raise UsageError(
                f"{thresholds.path}:{guard.line}: {guard.name}",
                f"{key} is {name}, and fixtures need pytest",
                "run `pytest --compress-guard` or name a factory package.module:callable",
            )


def check_baseline(options: argparse.Namespace, thresholds: Thresholds) -> Baseline | None:
    """Read the baseline that the options name; raises `UsageError` for one that cannot be that of these guards."""
    if options.baseline is None:
        return None
    return read_baseline(Path(options.baseline), "--baseline", thresholds)


def check_options(options: argparse.Namespace) -> None:
    """Raise `UsageError` for options that cannot work, better now than at the end; make paths absolute.

    People's code may then change the current folder, or the relative entries of `sys.path`.
    """
    _run_options(options).check("--")
    taken = {"the thresholds file": Path(options.thresholds)}
    for option in ("json", "figure", "html"):
        if (given := getattr(options, option, None)) is not None:
            path = Path(given)
            check_results_file(path, f"--{option}", taken, with_evidence=option == "json")
            taken |= {f"the file of --{option}": path}
            if option == "json":
                taken |= {"the evidence of --json": evidence_path(path)}
            setattr(options, option, str(path.absolute()))
    anchor_search_path()


@contextlib.contextmanager
def run_settings(options: argparse.Namespace) -> Iterator[RunSettings]:
    """Give the settings of a run, whose folder exists inside the context; afterwards the store is within its bounds."""
    run_folder = Path(tempfile.mkdtemp(prefix="compress-guard-run-"))
    try:
        beside = Path(options.thresholds).resolve().parent
        settings = _run_options(options).settings(run_folder, beside, keep_evidence=options.json is not None)
        yield settings
        settings.store().trim()
    finally:
        shutil.rmtree(run_folder, ignore_errors=True)


def _run_options(options: argparse.Namespace) -> RunOptions:
    """Return the options of a run among those of a command."""
    return RunOptions(
        device=options.device,
        workers=options.workers,
        limit=options.limit,
        seed=options.seed,
        cache=Path(options.cache) if options.cache else None,
        cache_size=options.cache_size,
        no_cache=options.no_cache,
        early_stop=getattr(options, "early_stop", False),  # an option of the command run alone
        strict=options.strict,
        baseline=Path(given) if (given := getattr(options, "baseline", None)) is not None else None,
        images=Path(options.images).absolute() if getattr(options, "images", None) else None,
        html=getattr(options, "html", None) is not None,
    )


def name_in_ids(path: Path) -> str:
    """Return the file as node ids show it under pytest: relative to the current folder, else by its bare name."""
    full = Path(os.path.normpath(path.absolute()))
    return full.relative_to(Path.cwd()).as_posix() if full.is_relative_to(Path.cwd()) else full.name
