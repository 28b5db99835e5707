"""The tasks of ``compress-guard github``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import Final

from compress_guard.cli.github.baseline import baseline
from compress_guard.cli.github.comment import comment
from compress_guard.cli.github.publish import publish
from compress_guard.cli.terminal import tell
from compress_guard.errors import RunError, error_text

_TASKS: Final[Mapping[str, Callable[[argparse.Namespace, Mapping[str, str]], None]]] = {
    "baseline": baseline,
    "publish": publish,
    "comment": comment,
}


def github(options: argparse.Namespace) -> bool:
    """Do a task; False if a file cannot be written. Requests that GitHub refuses are notices: the gate has the verdict.

    Raises `UsageError` for options that make no sense, and outside GitHub Actions.
    """
    try:
        _TASKS[options.task](options, os.environ)
    except RunError as problem:
        tell(f"compress-guard: github: {error_text(problem)}")
        return False
    return True
