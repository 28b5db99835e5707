"""Results that a worker of pytest-xdist leaves in the run folder in case it dies: those of the test that it runs.

Only for people's own tests: the cells of a thresholds file are known from the file.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

from compress_guard.plugin.output.reports import from_values, to_values
from compress_guard.plugin.results import Result
from compress_guard.plugin.run import Run


def leave(run: Run, node_id: str, results: Sequence[Result]) -> None:
    """Leave the results of a running test, in place of those before, where this process is a worker.

    The cell that is being measured is among them, as an error. A disk without room costs no test.
    """
    if run.worker is None:
        return
    with contextlib.suppress(OSError):
        path = _path(run, run.worker)
        whole = path.with_suffix(".tmp")
        whole.write_text(json.dumps({"test": node_id} | to_values(results)), encoding="utf-8")
        whole.replace(path)


def left_behind(run: Run, worker: str, node_id: str) -> list[Result]:
    """Return the results of this test that a dead worker left."""
    with contextlib.suppress(OSError, ValueError):
        values = json.loads(_path(run, worker).read_text(encoding="utf-8"))
        if values["test"] == node_id:
            return list(from_values(values))
    return []


def _path(run: Run, worker: str) -> Path:
    return run.settings.run_folder / f"running-{worker}.json"
