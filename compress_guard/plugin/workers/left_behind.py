"""What a worker of pytest-xdist leaves in the run folder in case it dies: the results of the test that it runs.

Only for people's own tests. What the test of a file's cell would have measured is known from the file.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

from compress_guard.plugin.cells.items import Result
from compress_guard.plugin.output.reports import from_values, to_values


def leave(run_folder: Path, worker: str, node_id: str, results: Iterable[Result]) -> None:
    """Keep the results of a running test, in place of those before; a disk without room costs no test."""
    with contextlib.suppress(OSError):
        path = _path(run_folder, worker)
        whole = path.with_suffix(".tmp")
        whole.write_text(json.dumps({"test": node_id} | to_values(results)), encoding="utf-8")
        whole.replace(path)


def left_behind(run_folder: Path, worker: str, node_id: str) -> list[Result]:
    """Return what a dead worker had left of this test."""
    with contextlib.suppress(OSError, ValueError):
        values = json.loads(_path(run_folder, worker).read_text(encoding="utf-8"))
        if values["test"] == node_id:
            return list(from_values(values))
    return []


def _path(run_folder: Path, worker: str) -> Path:
    return run_folder / f"running-{worker}.json"
