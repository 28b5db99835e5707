"""A model's first clean batch, asked again at the end of a guard to find a model whose answers change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, final

from compress_guard.engine.models.device_noise import beyond_noise
from compress_guard.engine.prediction.batches import Batch, evidence_of
from compress_guard.engine.prediction.shards import Shard, digest
from compress_guard.records.evidence import same

if TYPE_CHECKING:
    from compress_guard.tasks.contract import Arrays, Task


@final
class FirstBatch:
    """The first batch that a model answered in this process, a clean one, with its answers."""

    def __init__(self, task: Task, shard: Shard, batch: Batch, answers: Sequence[Arrays], device: str) -> None:
        self.shard: Final = shard
        self._task: Final = task
        self._device: Final = device
        self._evidence: Final = evidence_of(task, batch, answers) if device != "cpu" else None
        self._digests: Final = [
            digest([answer]) for answer in answers
        ]  # digests, since answers may be large label maps

    def fault(self, batch: Batch, answers: Sequence[Arrays]) -> str | None:
        """Return the fault of the answers to the same batch asked again; None without one.

        On the CPU they have to be equal to the last bit, on a GPU as near as in the lossless control.
        """
        pairs = zip(batch.ids, self._digests, answers, strict=True)
        moved = [name for name, before, answer in pairs if digest([answer]) != before]
        allowed = ""
        if moved and self._evidence is not None:
            again = evidence_of(self._task, batch, answers)
            both = zip(again.ids, self._evidence.items, again.items, strict=True)
            moved = [name for name, before, after in both if not same(before, after)]
            excess = beyond_noise(self._task, self._evidence, again, len(moved)) if moved else None
            moved, allowed = (moved, f" ({excess})") if excess is not None else ([], "")
        if not moved:
            return None
        return (
            f"the model's answers changed while the guard was measured: {len(moved)} of {len(batch.ids)} predictions "
            f"of its first clean batch were different when it was asked again at the end{allowed}, the first: "
            f"{moved[0]}; expected the same answers; the model keeps state between calls (statistics, learning), or "
            "other code changes it; let predictions depend on the images alone"
        )


def disbelief(cells: int) -> str:
    """Return the words for what a fault at the end of a guard means for this number of earlier cells in the process."""
    if not cells:
        return "this cell cannot be trusted"
    before = "the cell" if cells == 1 else f"the {cells} cells"
    return f"this cell and {before} of the guard measured before it in this process cannot be trusted"
