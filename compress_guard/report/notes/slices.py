"""Slices: parts of a guard's images that lost more than the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import numbers
from compress_guard.report.groups import cell

if TYPE_CHECKING:
    from compress_guard.records import CellResult, SliceResult

    Placed = tuple[SliceResult, CellResult]


def failed(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the slices above their own limit, each for the cell where it is furthest above."""
    for (guard, slicing, value), placed in _slices(results):
        above = [(part, result) for part, result in placed if part.verdict == "fail"]
        if above:
            part, result = max(above, key=lambda pair: (pair[0].drop or 0.0) - (pair[0].max_drop or 0.0))
            limit = numbers.limit(part.max_drop or 0.0)
            yield (
                f"{guard}: {slicing}={value} lost more than it may in {numbers.count(len(above), 'cell')}, most with "
                f"{cell(result)}: {numbers.points(part.drop or 0.0)} points, allowed {limit} "
                f"({numbers.count(part.images, 'image')})"
            )


def empty(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the limits of slices without images; their name may be misspelt."""
    known: dict[tuple[str, str], list[str]] = {}
    for (guard, slicing, value), placed in _slices(results):
        if any(part.images for part, _ in placed):
            known.setdefault((guard, slicing), []).append(value)
    for (guard, slicing, value), placed in _slices(results):
        if not any(part.images for part, _ in placed):
            there = ", ".join(known.get((guard, slicing), ["none"]))
            yield f"{guard}: no image is in {slicing}={value}, which has a limit; slices with images: {there}"


def worst(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield for each slicing the slice that most certainly lost more than all images, by the end of its interval."""
    furthest: dict[tuple[str, str], tuple[float, Placed]] = {}
    for (guard, slicing, _), placed in _slices(results):
        for part, result in placed:
            if part.drop_low is not None and result.drop is not None:
                ahead = part.drop_low - result.drop
                if (guard, slicing) not in furthest or ahead > furthest[guard, slicing][0]:
                    furthest[guard, slicing] = ahead, (part, result)
    lines: dict[str, list[str]] = {}
    for (guard, slicing), (_, (part, result)) in furthest.items():
        ends = f"{numbers.points(part.drop_low or 0.0)} to {numbers.points(part.drop_high or 0.0)}"
        lines.setdefault(guard, []).append(
            f"{slicing}={part.value} {numbers.points(part.drop or 0.0)} points ({ends}, "
            f"{numbers.count(part.images, 'image')}) where all lost {numbers.points(result.drop or 0.0)}, "
            f"{cell(result)}"
        )
    for guard, texts in lines.items():
        yield f"{guard}: slices that lost most: {'; '.join(texts)}"


def _slices(results: Sequence[CellResult]) -> Iterator[tuple[tuple[str, str, str], list[Placed]]]:
    """Yield guard, slicing and value of every slice, with its results."""
    placed: dict[tuple[str, str, str], list[Placed]] = {}
    for result in results:
        for part in result.slices:
            placed.setdefault((result.guard, part.slicing, part.value), []).append((part, result))
    yield from placed.items()
