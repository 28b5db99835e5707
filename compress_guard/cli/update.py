"""``compress-guard run --update``: measured limits go into the thresholds file, or nothing does."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from compress_guard.cli.tables import display_of
from compress_guard.cli.terminal import show, tell
from compress_guard.records import CellResult
from compress_guard.report import Line
from compress_guard.report.blocks.layouts import unjudged_lines
from compress_guard.thresholds import read
from compress_guard.thresholds.limits.rewriting import Source
from compress_guard.thresholds.limits.update import AskedUpdate

OPTION: Final = "--update"


def asked_source(options: argparse.Namespace) -> Source | None:
    """Return the file whose limits the command writes, None if it judges; raises `UsageError` for one that may not."""
    if options.update is None:
        return None
    parts = {
        "--only": options.only,
        "--shard": options.shard,
        "--limit": options.limit,
        "--early-stop": options.early_stop,
        "--benchmark": options.benchmark,
    }
    AskedUpdate(OPTION).check(parts, "--strict" if options.strict else None)
    path = Path(options.thresholds)
    return Source(read(path, options.thresholds), path.absolute(), options.thresholds, Path.cwd())


def write_limits(source: Source, results: Sequence[CellResult], *, loosen: bool) -> bool:
    """Write the limits and print the change; False, with the reason on standard error, where the command has failed."""
    named = {result.id.rpartition("::")[2]: result for result in results}
    updated = AskedUpdate(OPTION, loosen=loosen).update(source, named, green=True)
    show(_coloured(line) for line in updated.diff)
    for sentence in (*updated.remarks, *updated.failures):
        tell(f"compress-guard: {sentence}")
    return not updated.failures


def show_measured(results: Sequence[CellResult], options: argparse.Namespace) -> None:
    """Show the cells of each guard, which nothing has judged; a quiet command has shown the change of the file."""
    if not options.quiet:
        show(unjudged_lines(results, display_of(options)), options.color)


def _coloured(line: str) -> Line:
    head = line[:1] if line[:3] not in ("+++", "---") else ""
    return ((line, {"-": "red", "+": "green"}.get(head, "")),)
