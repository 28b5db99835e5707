"""Results of cells that were requested but not measured, because their process died."""

from __future__ import annotations

from dataclasses import replace

from compress_guard.engine.cells.result_draft import Draft
from compress_guard.engine.recovery.draft import draft
from compress_guard.engine.settings import RunSettings
from compress_guard.records import Cell, CellResult, Guard, RecoveryCell, RecoveryResult


def unmeasured(
    guard: Guard, cell: Cell | RecoveryCell, node_id: str, settings: RunSettings, reason: str
) -> CellResult | RecoveryResult:
    """Return a cell's result as an `error` with this reason, with the limits of the file and without measured values.

    The device is the one of the command line, which may be ``auto``: only the process that died had resolved it.
    Raises ValueError for a recovery cell of a guard without a study.
    """
    if isinstance(cell, Cell):
        known = Draft.of(guard, cell, node_id, settings, "cpu").result
        return replace(known, device=settings.device, reason=reason)
    if guard.recovery is None:
        raise ValueError(f"guard {guard.name} has no recovery section")
    return replace(draft(guard, guard.recovery, cell, node_id, settings), device=settings.device, reason=reason)
