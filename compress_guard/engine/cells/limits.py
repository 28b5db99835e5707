"""Limits of a cell that its measured scores cannot miss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, cast

from compress_guard.records import Cell, Judgement, SliceResult
from compress_guard.verdict import sentence

UNJUDGED: Final = "max_regression is not judged"
"""The beginning of the doubt of a cell that is not compared with a baseline."""
ANY_DROP: Final = 100.0
"""A max_drop that says on purpose that every drop is allowed."""


def toothless(cell: Cell, metric: str, judgement: Judgement, slices: Sequence[SliceResult]) -> Iterator[str]:
    """Say which limits on the drop or the score leave nothing to miss, by this clean score and those of the slices.

    A max_drop is one of them where nothing else is asked of the compressed images: a min_score beside it can still be
    missed, and so can the limit of a slice that holds images and has a clean score above that limit.
    """
    clean, max_drop = judgement.clean_score, cell.max_drop
    if clean is not None and cell.max_decoder_drop is not None and clean <= cell.max_decoder_drop < ANY_DROP:
        yield (
            f"a max_decoder_drop at or above the {metric} of {sentence.number(clean)} by {cell.first_decoder} can "
            "never be exceeded; lower it"
        )
    if clean is None or cell.min_score or any(map(_can_be_exceeded, slices)):
        return
    if max_drop is not None and clean <= max_drop < ANY_DROP:
        yield (
            f"a max_drop at or above the clean {metric} of {sentence.number(clean)} can never be exceeded; lower it, "
            "or set min_score"
        )
    elif max_drop is None and cell.min_score is not None:
        yield "a min_score of 0 can never be missed; raise it, or set max_drop"
    elif max_drop in (None, ANY_DROP) and any(limit.max_drop < ANY_DROP for limit in cell.slice_limits):
        yield _of_slices(slices)


def _can_be_exceeded(part: SliceResult) -> bool:
    """Return True if a slice can lose more than its limit."""
    known = part.images > 0 and part.max_drop is not None and part.clean_score is not None
    return known and cast("float", part.clean_score) > cast("float", part.max_drop)


def _of_slices(slices: Sequence[SliceResult]) -> str:
    """Return why limits of slices, the only ones of their cell, leave nothing to miss."""
    if any(part.images and part.max_drop is not None for part in slices):
        return (
            "no slice that holds images has a clean score above its max_drop, so that no limit of a slice can be "
            "exceeded; lower them, or set min_score"
        )
    return (
        "no image is in a slice with a limit, so that no limit of a slice can be exceeded; check the slices and the "
        "names of their limits, or set min_score"
    )
