"""Commands that measure one cell again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def pytest_command(result: CellResult, options: Sequence[str] = ()) -> str:
    """Return the command of pytest that measures the cell alone, or runs the test of one's own that measures it.

    `options` are those of the run that its verdict depends on.
    """
    return shlex.join(["pytest", "--compress-guard", node_id(result.id), *options])


def run_command(result: CellResult, file: str, options: Sequence[str] = ()) -> str:
    """Return the command of `compress-guard run` that measures the cell of this thresholds file alone."""
    return shlex.join(["compress-guard", "run", file, "--only", result.id.rpartition("::")[2], *options])


def decisive(prefix: str, values: Mapping[str, object]) -> list[str]:
    """Return the options of a run that verdicts depend on, as far as they are given, with `prefix` before their names.

    Without them the command that repeats a cell could come to another verdict.
    """
    words = []
    for name, value in values.items():
        if value is True:
            words.append(f"{prefix}{name}")
        elif value:
            words.append(f"{prefix}{name}={value}")
    return words


def node_id(result_id: str) -> str:
    """Return the id of the test behind a result: a test of one's own may measure several cells, named behind its id."""
    parts = result_id.split("::")
    return result_id if len(parts) <= 2 else "::".join(parts[:-1])
