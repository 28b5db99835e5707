"""How pytest-xdist shares out the tests of a run with a gate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compress_guard.plugin.file_cells import FileCells
from compress_guard.records import RecoveryCell

if TYPE_CHECKING:
    import pytest


def scheduler(config: pytest.Config, log: Any, cells: FileCells) -> Any:
    """Return the scheduler of this run, or None where another ``--dist`` than the default of -n was asked for."""
    if config.getoption("dist") != "load":
        return None
    from compress_guard.plugin.scheduling import CellScheduling

    def group_of(node_id: str) -> str | None:
        if (known := cells.find(node_id)) is None:
            return None
        guard, cell = known
        return f"{guard.name}[recovery]" if isinstance(cell, RecoveryCell) else f"{guard.name}[{cell.codec.alias}]"

    return CellScheduling(config, log, group_of)
