"""How the images and targets of a data set came: what was turned, what leaves its image, and what cannot be meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.codecs.pictures.orientation import UPRIGHT
from compress_guard.engine.images.placing import MARGIN, Arrival
from compress_guard.engine.images.value_range import check_levels, is_dark
from compress_guard.errors import DataError
from compress_guard.records import IntakeCounts, Orientation
from compress_guard.tasks.borders import Borders, blended_share

OUTSIDE_SHARE: Final = 0.1
"""Share of the images with boxes of which some may leave the image: slips of annotators are rare (COCO's 128 first
images and BCCD's 364 have none), while another format, scale or orientation moves the boxes of most images."""
SMALLEST: Final = 10
"""Sides of an image, in pixels, above which boxes within 0 to 1 are no pixels."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The fields of a result on the images and targets as they came."""

    turned: int | None = None
    """Images that were turned upright by their EXIF."""
    orientation: Orientation | None = None
    """How images were read that EXIF turns; None without any."""
    boxes_outside: int | None = None
    """Images with boxes that leave them by more than a pixel; None where there are no boxes."""
    flat: int | None = None
    """Images of a single colour."""
    dark: int | None = None
    """Images that are almost black: their levels fill no more than a corner of what their mode holds."""
    doubts: tuple[str, ...] = ()
    """Sentences on what makes any limit on these targets mean little."""

    @classmethod
    def of(cls, arrivals: Mapping[str, Arrival]) -> Intake:
        """Sum up how images came, by id.

        Raises `DataError` where too many boxes leave their images, boxes are shares of the image instead of pixels, or
        pictures fill a corner of what their mode holds.
        """
        check_levels([one.levels for one in arrivals.values()])
        boxed = {name: one for name, one in arrivals.items() if one.extent is not None}
        _check_shares(boxed)
        outside = [name for name, one in boxed.items() if one.overshoot > MARGIN]
        _check_outside(boxed, outside)
        turned = [one for one in arrivals.values() if one.turn != UPRIGHT]
        return cls(
            turned=sum(one.used == "upright" for one in turned),
            orientation=turned[0].used if turned else None,
            boxes_outside=len(outside) if boxed else None,
            flat=sum(one.levels.flat for one in arrivals.values()),
            dark=sum(is_dark(one.levels) for one in arrivals.values()),
            doubts=tuple(_blended([one.borders for one in arrivals.values() if one.borders is not None])),
        )

    def figures(self) -> IntakeCounts:
        """Return the part of a result that this makes; `doubts` go with those of the guard."""
        return IntakeCounts(self.turned, self.orientation, self.boxes_outside, self.flat, self.dark)


def _blended(borders: Sequence[Borders]) -> Iterator[str]:
    """Doubt label maps that were resized with interpolation: it makes labels of classes that are not there."""
    share = blended_share(borders)
    if share is not None:
        yield (
            f"{100 * share:.0f} % of the borders in the label maps of {len(borders)} images hold labels between those "
            "of both sides, as interpolation leaves them: classes that nobody drew, whose IoU is of nothing; expected "
            "one label directly beside the other; resize label maps by nearest neighbour"
        )


def _check_shares(boxed: Mapping[str, Arrival]) -> None:
    """Refuse boxes that all lie within 0 to 1 on images of more than a few pixels."""
    extents = [one.extent for one in boxed.values() if one.extent is not None]
    if not extents or min(min(one.size) for one in boxed.values()) < SMALLEST:
        return
    low, high = min(min(extent) for extent in extents), max(max(extent) for extent in extents)
    # Shares that were rounded, or whose box leaves the image a little.
    if low > -MARGIN and high < 1 + MARGIN / 2:
        raise DataError(
            f"all boxes of {len(boxed)} images lie within {low:g} to {high:g}; expected (x1, y1, x2, y2) in pixels; "
            "multiply x by the width and y by the height of the image, and make corners of centres and sizes"
        )


def _remedy(arrivals: Iterable[Arrival]) -> str:
    """Return what to do about boxes that leave their images: first of all look at an orientation that is in play."""
    formats = "they are (x, y, width, height) or (y1, x1, y2, x2)"
    hand_over = "hand over (x1, y1, x2, y2) in pixels of the image, and clip boxes that are right but for an edge"
    used = {one.used for one in arrivals if one.turn != UPRIGHT and one.fit is None}  # as the guard says
    if not used:
        return (
            f"look whether {formats}, or belong to the image in another size or orientation (see the key orientation), "
            f"{hand_over}"
        )
    other = "stored" if "upright" in used else "upright"
    return (
        f"EXIF turns some of these images, which were read as orientation: {min(used)}; try orientation: {other} "
        f"first, then look whether {formats}, or belong to the image in another size; {hand_over}"
    )


def _check_outside(boxed: Mapping[str, Arrival], outside: list[str]) -> None:
    """Refuse a set where more than a few images have boxes that leave them."""
    if not outside or len(outside) / len(boxed) <= OUTSIDE_SHARE or len(outside) == 1 < len(boxed):
        return
    worst = max(outside, key=lambda name: boxed[name].overshoot)
    one = boxed[worst]
    height, width = one.size
    reach = "({:g}, {:g}) to ({:g}, {:g})".format(*one.extent or ())
    raise DataError(
        f"boxes leave {len(outside)} of {len(boxed)} images that have any, the furthest by {one.overshoot:g} pixels: "
        f"in image {worst} of {width}x{height} pixels they reach from {reach}; expected boxes within their images, but "
        f"for {100 * OUTSIDE_SHARE:g} % of these; {_remedy(boxed.values())}"
    )
