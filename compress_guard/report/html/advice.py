"""Advice on a cell: what to do about a verdict that is not a pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from compress_guard.records import CellResult, Quality, Rate
from compress_guard.report import numbers
from compress_guard.report.brief import failed_limits
from compress_guard.report.groups import cell

_LARGEST_LIMIT: Final = 100.0
"""Largest limit that a thresholds file may have."""


def advice(result: CellResult, guard: Sequence[CellResult]) -> Iterator[str]:
    """Yield what can be done about a cell, one sentence each; `guard` has the results of its guard."""
    if result.verdict == "pass" or (result.verdict == "unjudged" and result.outcome != "failed"):
        return
    if result.verdict == "inconclusive":
        yield from _more_images(result)
    if not result.judged:
        yield "This cell says nothing about the model: mend what its reason names, then run the cell again."
        return
    missed = failed_limits(result)
    if "min_clean" in missed:
        yield (
            "The clean score is below its floor, which compression has no part in: compare the weights, the labels "
            "and the preprocessing with those of the training."
        )
    if result.outcome == "failed" and result.first_decoder is None and missed != ["min_clean"]:
        yield from _alternatives(result, guard)
        yield (
            "Finetune the model on compressed images: compress_guard.transforms.RandomCompression codes training "
            "images, and compress-guard recover measures how much of the drop comes back."
        )
        if result.max_drop is not None and result.drop_high is not None and result.drop_high > result.max_drop:
            others = [limit for limit in missed if limit != "max_drop"]
            beside = f"; it misses {' and '.join(others)} too" if others else ""
            yield (
                f"If your users can live with this loss, raise max_drop of this cell in the thresholds file: "
                f"{_limits_that_hold(result.drop_high + 0.05, result)}{beside}."
            )


def _limits_that_hold(high: float, result: CellResult) -> str:
    """Return the limit that would hold on these images, and the one that others like them can decide."""
    holds = f"{numbers.points(min(high, _LARGEST_LIMIT))} would hold"
    if result.drop is None or result.resolvable_drop is None:
        return holds
    decided = result.drop + result.resolvable_drop
    if decided <= high or decided > _LARGEST_LIMIT:
        return holds
    return (
        f"{holds} on these images, but so few cannot tell it from the drop reliably: {numbers.points(decided)} would "
        f"hold four times in five on {result.images_used} other images like them"
    )


def _more_images(result: CellResult) -> Iterator[str]:
    if result.images_needed is not None:
        yield f"About {numbers.about(result.images_needed)} images would settle it: now there are {result.images_used}."
    else:
        yield "The drop is so near to the limit that hardly any number of images would settle it."


def _alternatives(result: CellResult, guard: Sequence[CellResult]) -> Iterator[str]:
    """Yield the cells of the guard that hold: the same codec at higher rates, other codecs at the same point."""
    held = [other for other in guard if other.verdict == "pass" and other.first_decoder is None]
    point = result.point
    if isinstance(point, Rate):
        higher = [
            other.point.bpp
            for other in held
            if other.codec == result.codec and isinstance(other.point, Rate) and other.point.bpp > point.bpp
        ]
        if higher:
            yield f"Spend more bits: {result.codec} holds at {min(higher):g} bpp."
        else:
            yield (
                f"Spend more bits: no higher rate of {result.codec} is known to hold here; add some to bpp of this "
                "guard to find one that does."
            )
    if isinstance(point, Quality):
        settings = [other.point for other in held if other.codec == result.codec and isinstance(other.point, Quality)]
        if settings:
            nearest = min(settings, key=lambda other: abs(other.setting - point.setting))
            yield f"Take another setting: {result.codec} holds {nearest.phrase}."
        else:
            yield (
                f"Take a setting that keeps more: none of {result.codec} is known to hold here; add some to quality of "
                "this guard to find one that does."
            )
    others = [cell(other) for other in held if other.codec != result.codec and other.point == point]
    if others:
        yield f"Change the codec: {' and '.join(others)} {'holds' if len(others) == 1 else 'hold'}."
