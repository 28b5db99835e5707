"""A failed cell below its guard: the reason, the images behind it, the line of its limit, the command to repeat it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.report import numbers
from compress_guard.report.blocks.display import Display
from compress_guard.report.blocks.wrapping import shortened_name, wrapped
from compress_guard.report.brief import brief, missed_places
from compress_guard.report.groups import cell
from compress_guard.report.markup import GAP, Line

if TYPE_CHECKING:
    from compress_guard.records import CellResult

_MOST_IMAGES: Final = 5
"""Most images that a line names."""
_LONGEST_NAME: Final = 60
"""Longest name of an image on an output that does not break sentences."""
MOST_EXPLAINED: Final = 10
"""Most failed cells of a guard that have more than a line and a command, unless a run is verbose."""


def failed_cells(results: Sequence[CellResult], display: Display) -> Iterator[Line]:
    """Yield the lines on each failed cell of a guard, in the order of the results."""
    failed = [result for result in results if result.outcome == "failed"]
    for number, result in enumerate(failed):
        reason = brief(result) if result.id in display.shown else result.reason
        head = ((GAP, ""), (f"FAIL {cell(result)}: ", "red bold"), (reason, ""))
        yield from wrapped(head, display.sentence_width)
        if display.verbose or number < MOST_EXPLAINED:
            yield from explained(result, display)
        yield ((f"{2 * GAP}rerun: ", "light"), (display.command(result), ""))
    if len(failed) > MOST_EXPLAINED and not display.verbose:
        text = f"{GAP}the images and limits of {len(failed) - MOST_EXPLAINED} more failed cells are in -v"
        yield from wrapped(((text, "light"),), display.sentence_width)


def explained(result: CellResult, display: Display) -> Iterator[Line]:
    """Yield the images that a drop comes from, and the lines of the limits that were missed."""
    for head, text in (
        ("images", _images(result)),
        ("worst", _worst(result, display)),
        ("limit", missed_limits(result)),
    ):
        if text:
            line = ((f"{2 * GAP}{head}: ", "light"), (text, ""))
            yield from wrapped(line, display.sentence_width)


def _images(result: CellResult) -> str:
    """Return how many images turned wrong and right, or how many changed for a metric without flags."""
    used = "" if result.images_used is None else f" of {numbers.count(result.images_used, 'image')}"
    if result.harmful_flips is not None:
        return f"{result.harmful_flips} newly wrong, {result.helpful_flips or 0} newly right{used}"
    return "" if result.changed is None or result.drop is None else f"{result.changed} changed{used}"


def _worst(result: CellResult, display: Display) -> str:
    """Return the names of the images that cost the score most, with the classes that they were taken for."""
    room = max(display.width - 4 * len(GAP), 12) if display.wraps else _LONGEST_NAME
    names = []
    for image, points in result.named_worst[:_MOST_IMAGES]:
        # Flips all cost the same.
        remark = image.change if result.harmful_flips is not None else f"{points:.2f} points"
        shown = shortened_name(image.shown, room)
        names.append(f"{shown} ({shortened_name(remark, 2 * room)})" if remark else shown)
    return ", ".join(names)


def missed_limits(result: CellResult) -> str:
    """Return the places of the limits that were missed: ``thresholds.yaml:14 max_drop``."""
    return ", ".join(f"{' and '.join(several)} {key}" for key, several in missed_places(result).items())
