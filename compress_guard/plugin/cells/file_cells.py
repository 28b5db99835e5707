"""The cells of a thresholds file by the node ids of their tests."""

from __future__ import annotations

from pathlib import Path
from typing import Final, final

from compress_guard.plugin.cells.items import AnyCell
from compress_guard.records import Guard, Thresholds


@final
class FileCells:
    """The lookup of a test's cell by its node id: workers of pytest-xdist report ids, and no items."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._file: Final = Path(thresholds.path).name
        self._known: Final[dict[str, tuple[Guard, AnyCell]]] = {}
        for guard in thresholds.guards:
            parts = (guard, guard.throughput, guard.recovery)
            cells: list[AnyCell] = [cell for part in parts if part is not None for cell in part.cells]
            self._known.update({cell.name: (guard, cell) for cell in cells})

    def find(self, node_id: str) -> tuple[Guard, AnyCell] | None:
        """Return the guard and the cell of this test; None for any other test."""
        file, _, name = without_group(node_id).partition("::")
        return self._known.get(name) if file.rpartition("/")[2] == self._file else None


def without_group(node_id: str) -> str:
    """Return the node id of a cell's test without the ``@group`` that ``--dist loadgroup`` appends."""
    head, bracket, tail = node_id.rpartition("]")
    return head + bracket if tail.startswith("@") else node_id
