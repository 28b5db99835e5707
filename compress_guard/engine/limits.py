"""Limits of a cell that cannot be missed, by what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from compress_guard.records import Cell, Judgement
from compress_guard.verdict import sentence

ANY_DROP: Final = 100.0
"""A max_drop that says on purpose that every drop is allowed."""


def toothless(cell: Cell, metric: str, judgement: Judgement) -> Iterator[str]:
    """What to say of limits on the drop or the score that this clean score leaves nothing to miss.

    A max_drop is one of them where nothing else is asked of the compressed images: a min_score beside it can still be
    missed, and so can the limit of a slice.
    """
    clean, max_drop = judgement.clean_score, cell.max_drop
    if clean is None or cell.min_score or any(limit.max_drop < ANY_DROP for limit in cell.slice_limits):
        return
    if max_drop is not None and clean <= max_drop < ANY_DROP:
        yield (
            f"a max_drop at or above the clean {metric} of {sentence.number(clean)} can never be exceeded; lower it, "
            "or set min_score"
        )
    elif max_drop is None and cell.min_score is not None:
        yield "a min_score of 0 can never be missed; raise it, or set max_drop"
