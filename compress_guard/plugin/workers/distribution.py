"""The scheduler that shares out the tests of a run with a gate among the workers of pytest-xdist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from compress_guard.plugin.cells.file_cells import FileCells
from compress_guard.records import RecoveryCell

if TYPE_CHECKING:
    import pytest

_LEFT_TO_XDIST: Final = ("worksteal", "no")
"""Distributions for which xdist's own schedulers do well, crashes included."""


def scheduler(config: pytest.Config, log: Any, cells: FileCells) -> Any:
    """Return the scheduler of this run, or None where xdist's own is used."""
    if (dist := config.getoption("dist")) in _LEFT_TO_XDIST:
        return None
    if dist != "load":
        from compress_guard.plugin.workers.xdist_scheduling import BY_DIST

        return BY_DIST[dist](config, log) if dist in BY_DIST else None
    from compress_guard.plugin.workers.scheduling import CellScheduling

    def group_of(node_id: str) -> str | None:
        if (known := cells.find(node_id)) is None:
            return None
        guard, cell = known
        return f"{guard.name}[recovery]" if isinstance(cell, RecoveryCell) else f"{guard.name}[{cell.codec.alias}]"

    return CellScheduling(config, log, group_of)
