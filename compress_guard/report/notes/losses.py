"""Sentences on the images behind failed and inconclusive verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.report.groups import MOST_NAMED, by_guard, cell

if TYPE_CHECKING:
    from compress_guard.records import CellResult

_MOST_IMAGES: Final = 5
"""Most images that a line names."""


def flips(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the numbers of predictions that turned wrong and right, and the images to look at."""
    for guard, group in by_guard(results, lambda result: _open(result) and result.harmful_flips is not None):
        counts = [f"{cell(result)} {result.harmful_flips} / {result.helpful_flips}" for result in group[:MOST_NAMED]]
        more = f", {len(group) - MOST_NAMED} more" if len(group) > MOST_NAMED else ""
        shown = {image.id: image.shown for result in group for image, _ in result.named_worst}
        names = list(shown.values())[:_MOST_IMAGES]
        such = f"; wrong ones such as {', '.join(names)}" if names else ""
        yield f"{guard}: predictions that turned wrong / right: {', '.join(counts)}{more}{such}"


def images(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the images that cost most, for metrics without flags, each in the cell where it cost most."""
    for guard, group in by_guard(results, lambda result: _open(result) and result.harmful_flips is None):
        costs = sorted(
            ((points, image, result) for result in group for image, points in result.named_worst),
            key=lambda cost: (-cost[0], cost[1].id),
        )
        most: dict[str, str] = {}
        for points, image, result in costs:
            most.setdefault(image.id, f"{image.shown} ({points:.2f} points, {cell(result)})")
        if most:
            yield f"{guard}: images that lost most: {', '.join(list(most.values())[:_MOST_IMAGES])}"


def _open(result: CellResult) -> bool:
    return result.verdict in ("fail", "inconclusive")
