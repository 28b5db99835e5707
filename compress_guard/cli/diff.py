"""``compress-guard diff``: what changed from one run to another."""

from __future__ import annotations

import argparse
from pathlib import Path

from compress_guard.cli.terminal import put
from compress_guard.engine.releases.difference import ReleaseDifference, difference, read_release
from compress_guard.errors import IncomparableError, UsageError
from compress_guard.report.releases.difference_text import as_json, markdown, text


def diff(options: argparse.Namespace) -> bool:
    """Print the difference of two runs; True without regressions. Raises `IncomparableError` for other files."""
    try:
        found: ReleaseDifference = difference(read_release(Path(options.base)), read_release(Path(options.head)))
    except UsageError as problem:
        raise IncomparableError(problem.where, problem.found, problem.remedy) from problem
    forms = {"text": text, "markdown": markdown, "json": as_json}
    put(forms[options.format](found))
    return not found.regressions
