"""Sentences on the images and targets of a guard as the data set gave them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.report import numbers
from compress_guard.report.groups import by_guard

if TYPE_CHECKING:
    from compress_guard.records import CellResult

DARK_SHARE: Final = 0.1
"""Share of a guard's images that may be almost black before it is reported."""


def outside(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield a sentence for each guard whose data has boxes that reach beyond their images."""
    for guard, group in by_guard(results, lambda result: bool(result.boxes_outside)):
        most = max(group, key=lambda result: result.boxes_outside or 0)
        yield (
            f"{guard}: boxes of {most.boxes_outside} of {_images(most)} leave them by more than a pixel; clip them to "
            "the image, or look whether they belong to it"
        )


def flat(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards whose images are all of a single colour."""
    for guard, group in by_guard(results, _all_flat):
        yield (
            f"{guard}: each of {_images(group[0])} is of one colour; expected pictures, since such images code to "
            "nearly nothing: look at what the data set gives"
        )


def dark(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards with many images that are almost black, perhaps from a source with another scale."""
    for guard, group in by_guard(results, lambda result: (result.dark or 0) > DARK_SHARE * (result.images or 0)):
        yield (
            f"{guard}: {group[0].dark} of {_images(group[0])} are almost black; look whether their levels are on "
            "another scale than those of the others"
        )


def emptied(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield a sentence for each guard with images of which the crop of a codec leaves nothing to find."""
    for guard, group in by_guard(results, lambda result: bool(result.crop_emptied)):
        most = max(group, key=lambda result: result.crop_emptied or 0)
        yield (
            f"{guard}: the crop of {most.codec} leaves nothing of the targets of {most.crop_emptied} of "
            f"{_images(most)}, which count as empty; move or enlarge it if that is not meant"
        )


def unnamed(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards whose data gives names that do not fit its images or labels."""
    for guard, group in by_guard(results, lambda result: result.names_remark is not None):
        yield f"{guard}: {group[0].names_remark}"


def turned(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards with images that EXIF turns, turned or not."""
    for guard, group in by_guard(results, lambda result: bool(result.turned)):
        most = max(group, key=lambda result: result.turned or 0)
        yield (
            f"{guard}: {most.turned} of {_images(most)} were turned upright by EXIF; orientation: stored leaves them "
            "as they are"
        )
    for guard, _ in by_guard(results, lambda result: result.orientation == "stored"):
        yield f"{guard}: images that EXIF turns were left as stored; orientation: upright turns them"


def _images(result: CellResult) -> str:
    return numbers.count(result.images or 0, "image")


def _all_flat(result: CellResult) -> bool:
    # Images that could not be read are no pictures either.
    return bool(result.flat) and (result.flat or 0) + (result.errors or 0) >= (result.images or 0)
