"""``compress-guard profile``: what production files look like."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from compress_guard.cli.terminal import StandardErrorProgress, put
from compress_guard.destination import replace
from compress_guard.engine.pace import Pace
from compress_guard.engine.settings import check_results_file
from compress_guard.errors import UsageError
from compress_guard.foreign import shown
from compress_guard.report.traffic.distribution import profile_text
from compress_guard.report.traffic.thresholds_text import thresholds_text
from compress_guard.traffic.cover import cover_of
from compress_guard.traffic.profile import TrafficProfile, profile_of
from compress_guard.traffic.sample import drawn, paths_of


def profile(options: argparse.Namespace) -> bool:
    """Print the distribution of a sample of files; raises `UsageError`, also where none of them is an image."""
    _check_destinations(options)
    sample = drawn(paths_of(options.source, sys.stdin.buffer), options.sample, options.seed)
    with StandardErrorProgress("profile:", Pace()) as progress:
        seen = profile_of(sample, options.seed, progress)
    if not seen.images:
        raise _no_images(options.source, seen)
    if options.json is not None:
        _write("--json", Path(options.json), json.dumps(seen.as_dict(), indent=2) + "\n")
    cover = cover_of(seen)
    put(profile_text(seen, cover))
    if options.out is not None:
        if not cover.codecs:
            found = "there is nothing to write: no format that a codec writes has 1 % of the images"
            raise UsageError("--out", found, "profile files as your service stores or sends them")
        _write("--out", Path(options.out), thresholds_text(seen, cover))
    return True


def _check_destinations(options: argparse.Namespace) -> None:
    """Raise `UsageError` for a file that cannot be written, or that would replace another, before anything is read."""
    source = None if options.source == "-" else Path(options.source)
    out = None if options.out is None else Path(options.out)
    if options.json is not None:
        taken = {"the list of files": source, "the file of --out": out}
        check_results_file(Path(options.json), "--json", taken)
    if out is not None:
        check_results_file(out, "--out", {"the list of files": source})
        if os.path.lexists(out) and not options.force:
            raise UsageError("--out", f"there is a file {out} already", "name another file, or add --force")


def _no_images(source: str, seen: TrafficProfile) -> UsageError:
    named = "standard input" if source == "-" else shown(source)
    if not seen.found:
        return UsageError(named, "there are no files", "name a folder or a list of image files")
    reasons = ", ".join(f"{number} {reason}" for reason, number in seen.left_out.items())
    files = f"none of {seen.drawn} files is" if seen.drawn > 1 else "its only file is not"
    return UsageError(named, f"{files} an image that can be used ({reasons})", "name a folder or a list of image files")


def _write(option: str, path: Path, text: str) -> None:
    try:
        replace(path, text.encode())
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise UsageError(option, f"{path} cannot be written: {reason}", "name another file") from problem
