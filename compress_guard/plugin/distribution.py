"""Cells under pytest-xdist: those of one guard and codec go to one worker, which makes their rate plan once; those of
a guard's recovery study too, which share their controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from compress_guard.records import Thresholds

if TYPE_CHECKING:
    import pytest


def scheduler(config: pytest.Config, log: Any, thresholds: Thresholds) -> Any:
    """A scheduler that groups cells, or None where another ``--dist`` than the default of -n was asked for."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadScopeScheduling

    groups = {cell.name: f"{guard.name}[{cell.codec.alias}]" for guard in thresholds.guards for cell in guard.cells}
    for guard in thresholds.guards:
        for cell in guard.recovery.cells if guard.recovery is not None else ():
            groups[cell.name] = f"{guard.name}[recovery]"

    class CellScheduling(LoadScopeScheduling):
        """Every test by itself, as -n has it, but the cells of a guard and codec together."""

        def _split_scope(self, nodeid: str) -> str:
            return groups.get(nodeid.rpartition("::")[2], nodeid)

    return CellScheduling(config, log)
