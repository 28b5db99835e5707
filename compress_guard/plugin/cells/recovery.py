"""Recovery cells as tests: a guard's model finetuned for a codec and a rate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from compress_guard.plugin.cells.items import FileItem, plain_id
from compress_guard.plugin.cells.reruns import Measured, settled
from compress_guard.plugin.output.progress import progress_of
from compress_guard.plugin.run import run_of
from compress_guard.records import RecoveryCell, Thresholds

if TYPE_CHECKING:
    import pytest


class RecoveryItem(FileItem):
    """A cell that says how much of a drop finetuning brings back."""

    def __init__(self, *, cell: RecoveryCell, **kwargs: Any) -> None:
        super().__init__(cell=cell, **kwargs)
        self.cell: Final = cell


def recovery_items(parent: pytest.File, thresholds: Thresholds) -> Iterator[RecoveryItem]:
    """Yield one test per recovery cell, guard by guard."""
    for guard in thresholds.guards:
        for cell in guard.recovery.cells if guard.recovery is not None else ():
            item: RecoveryItem = RecoveryItem.from_parent(parent, name=cell.name, callobj=recover_cell, cell=cell)
            yield item


def recover_cell(request: pytest.FixtureRequest, compress_guard_session_fixtures: Any) -> None:
    """Finetune and judge: the body of every recovery cell's test."""
    item, run = request.node, run_of(request.config)

    def measure(again: bool) -> Measured:
        if again:
            run.session.retry(item.cell.guard)
        with progress_of(run) as progress:
            measured = run.session.measure_recovery(
                item.cell, plain_id(item), compress_guard_session_fixtures, progress, last=item.last
            )
        return measured.result, measured.problem

    settled(item, measure)
