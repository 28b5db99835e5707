"""Images that belong together: the groups that intervals are over, and images that seem to need some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import numbers
from compress_guard.report.groups import by_guard, groups

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def few(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards whose images belong to so few groups that intervals rest on little."""
    measured = [result for result in results if result.groups is not None]
    for (guard, count), _ in groups(measured, lambda result: (result.guard, result.groups)):
        # Imports numpy, which a report without verdicts does not need.
        from compress_guard.verdict.grouped import doubts

        warning = doubts.few_groups(count)
        if warning is not None:
            yield f"{guard}: {warning}"


def video(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards whose images look like frames of a video, and are not in one group."""
    near = [result for result in results if result.near_equal]
    for (guard, count, images, grouped), _ in groups(
        near, lambda result: (result.guard, result.near_equal, result.images, result.groups is not None)
    ):
        from compress_guard.verdict.grouped import doubts  # late, as above

        warning = doubts.like_video(count, images, grouped=grouped)
        if warning is not None:
            yield f"{guard}: {warning}"


def grouped(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the numbers of groups that intervals are over, and what images of a group are worth."""
    for guard, group in by_guard(results, lambda result: result.groups is not None):
        images = numbers.span(map(str, sorted(result.images_used or 0 for result in group)))
        counts = numbers.span(map(str, sorted(result.groups or 0 for result in group)))
        effects = [result.design_effect for result in group if result.design_effect is not None]
        worth = f"; {numbers.spread(effects)} of these images tell as much about a drop as one alone" if effects else ""
        yield f"{guard}: intervals are over {counts} groups of {images} images{worth}"
