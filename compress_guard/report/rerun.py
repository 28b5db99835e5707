"""Commands that measure one cell again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def pytest_command(result: CellResult) -> str:
    """Return the command of pytest that measures the cell alone, or runs the test of one's own that measures it."""
    return f"pytest --compress-guard {shlex.quote(node_id(result.id))}"


def run_command(result: CellResult, file: str) -> str:
    """Return the command of `compress-guard run` that measures the cell of this thresholds file alone."""
    return f"compress-guard run {shlex.quote(file)} --only {shlex.quote(result.id.rpartition('::')[2])}"


def node_id(result_id: str) -> str:
    """Return the id of the test behind a result: a test of one's own may measure several cells, named behind its id."""
    parts = result_id.split("::")
    return result_id if len(parts) <= 2 else "::".join(parts[:-1])
