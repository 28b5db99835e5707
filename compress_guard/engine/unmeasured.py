"""Results of cells that a run asked for and that no process lived to measure."""

from __future__ import annotations

from dataclasses import replace

from compress_guard.engine.cells.result_draft import Draft
from compress_guard.engine.recovery.draft import draft
from compress_guard.engine.settings import RunSettings
from compress_guard.records import Cell, CellResult, Guard, RecoveryCell, RecoveryResult


def unmeasured(
    guard: Guard, cell: Cell | RecoveryCell, node_id: str, settings: RunSettings, reason: str
) -> CellResult | RecoveryResult:
    """Return the cell as an `error` with this reason: what the file asks for, and nothing that was measured.

    The device is the one that the command line names, which may be ``auto``: only the process that died had chosen.
    Raises ValueError for a recovery cell of a guard without a study.
    """
    if isinstance(cell, Cell):
        known = Draft.of(guard, cell, node_id, settings, "cpu").result
        return replace(known, device=settings.device, reason=reason)
    if guard.recovery is None:
        raise ValueError(f"guard {guard.name} has no recovery section")
    return replace(draft(guard, guard.recovery, cell, node_id, settings), device=settings.device, reason=reason)
