"""Sentences on the change since the baseline of a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import numbers
from compress_guard.report.groups import MOST_NAMED, by_guard, cell, cells, groups

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def remarks(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the cells that are not compared with the baseline, or not image by image, and the reason."""

    def key(result: CellResult) -> tuple[str, str] | None:
        return None if result.baseline_remark is None else (result.guard, result.baseline_remark)

    for (guard, remark), group in groups(results, key):
        yield f"{guard}: {cells(group)}: {remark}"


def moved(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the cells whose score is certainly another than in the baseline."""
    for guard, group in by_guard(results, lambda result: bool(_way(result))):
        for way in ("fell", "rose"):
            several = [result for result in group if _way(result) == way]
            named = [f"{cell(result)} by {_by(result)}" for result in several[:MOST_NAMED]]
            more = f", and {len(several) - MOST_NAMED} more" if len(several) > MOST_NAMED else ""
            if named:
                yield f"{guard}: the score {way} against the baseline: {', '.join(named)}{more}"


def partly(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards of which the baseline does not have all images."""

    def key(result: CellResult) -> tuple[str, int, int] | None:
        both, used = result.baseline_images, result.images_used
        return None if both is None or used is None or both == used else (result.guard, both, used)

    for (guard, both, used), group in groups(results, key):
        yield (
            f"{guard}: {cells(group)}: compared with the baseline on the {both} of {numbers.count(used, 'image')} that "
            "both have"
        )


def _way(result: CellResult) -> str | None:
    """Return the direction of a change beyond its interval, None for one that may be noise."""
    if result.regression_low is None or result.regression_high is None:
        return None
    return "fell" if result.regression_low > 0 else "rose" if result.regression_high < 0 else None


def _by(result: CellResult) -> str:
    """Return ``3.1 points (1.2 to 5.0)``, and the change of the drop."""
    ends = sorted(abs(end) for end in (result.regression_low or 0.0, result.regression_high or 0.0))
    points = f"{numbers.points(abs(result.regression or 0.0))} points ({' to '.join(map(numbers.points, ends))})"
    return points if result.drop_change is None else f"{points}, the drop by {numbers.signed(result.drop_change)}"
