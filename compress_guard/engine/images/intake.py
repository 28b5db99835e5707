"""The state of a data set's images and targets on arrival: EXIF turns, boxes outside, values that cannot be meant."""

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
"""Share of the images with boxes that may have a box outside: slips of annotators are rare (COCO's 128 first
images and BCCD's 364 have none), while another format, scale or orientation moves the boxes of most images."""
SMALLEST: Final = 10
"""Shortest side of an image, in pixels, for which boxes within 0 to 1 cannot be in pixels."""


@dataclass(frozen=True, slots=True)
class Intake:
    """The fields of a result about images and targets on arrival."""

    turned: int | None = None
    """Images that were turned upright by their EXIF."""
    orientation: Orientation | None = None
    """Orientation in which images that EXIF turns were read; None without any."""
    boxes_outside: int | None = None
    """Images with boxes that leave them by more than a pixel; None if there are no boxes."""
    flat: int | None = None
    """Images of a single colour."""
    dark: int | None = None
    """Images that are almost black: their levels fill only a corner of their mode's range."""
    doubts: tuple[str, ...] = ()
    """Sentences that say why any limit on these targets means little."""

    @classmethod
    def of(cls, arrivals: Mapping[str, Arrival]) -> Intake:
        """Summarise the arrivals of images, by id.

        Raises `DataError` if too many boxes leave their images, if boxes are shares of the image instead of pixels, or
        if pictures fill only a corner of their mode's range.
        """
        check_levels([arrival.levels for arrival in arrivals.values()])
        boxed = {name: arrival for name, arrival in arrivals.items() if arrival.extent is not None}
        _check_shares(boxed)
        outside = [name for name, arrival in boxed.items() if arrival.overshoot > MARGIN]
        _check_outside(boxed, outside)
        turned = [arrival for arrival in arrivals.values() if arrival.turn != UPRIGHT]
        return cls(
            turned=sum(arrival.used == "upright" for arrival in turned),
            orientation=turned[0].used if turned else None,
            boxes_outside=len(outside) if boxed else None,
            flat=sum(arrival.levels.flat for arrival in arrivals.values()),
            dark=sum(is_dark(arrival.levels) for arrival in arrivals.values()),
            doubts=tuple(_blended([arrival.borders for arrival in arrivals.values() if arrival.borders is not None])),
        )

    def figures(self) -> IntakeCounts:
        """Return the part of a result that this makes; `doubts` go with those of the guard."""
        return IntakeCounts(
            turned=self.turned,
            orientation=self.orientation,
            boxes_outside=self.boxes_outside,
            flat=self.flat,
            dark=self.dark,
        )


def _blended(borders: Sequence[Borders]) -> Iterator[str]:
    """Yield the doubt about label maps that were resized with interpolation, which creates labels of other classes."""
    share = blended_share(borders)
    if share is not None:
        yield (
            f"{100 * share:.0f} % of the borders in the label maps of {len(borders)} images hold labels between those "
            "of both sides, as interpolation leaves them: they belong to classes that are not in the images, and their "
            "IoU means nothing; expected one label directly beside the other; resize label maps by nearest neighbour"
        )


def _check_shares(boxed: Mapping[str, Arrival]) -> None:
    """Refuse boxes that all lie within 0 to 1 on images of more than a few pixels."""
    extents = [arrival.extent for arrival in boxed.values() if arrival.extent is not None]
    if not extents or min(min(arrival.size) for arrival in boxed.values()) < SMALLEST:
        return
    low, high = min(min(extent) for extent in extents), max(max(extent) for extent in extents)
    # Shares may have been rounded, or a box may leave its image a little.
    if low > -MARGIN and high < 1 + MARGIN / 2:
        raise DataError(
            f"all boxes of {len(boxed)} images lie within {low:g} to {high:g}; expected (x1, y1, x2, y2) in pixels; "
            "multiply x by the width and y by the height of the image, and make corners of centres and sizes"
        )


def _remedy(arrivals: Iterable[Arrival]) -> str:
    """Return the remedy for boxes outside their images; if EXIF turns any of these, it begins with the orientation."""
    formats = "they are (x, y, width, height) or (y1, x1, y2, x2)"
    hand_over = "hand over (x1, y1, x2, y2) in pixels of the image, and clip boxes that are right but for an edge"
    used = {
        arrival.used for arrival in arrivals if arrival.turn != UPRIGHT and arrival.fit is None
    }  # as the guard says
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
    """Refuse a data set in which more than a few images have boxes outside."""
    if not outside or len(outside) / len(boxed) <= OUTSIDE_SHARE or len(outside) == 1 < len(boxed):
        return
    worst = max(outside, key=lambda name: boxed[name].overshoot)
    arrival = boxed[worst]
    height, width = arrival.size
    reach = "({:g}, {:g}) to ({:g}, {:g})".format(*arrival.extent or ())
    raise DataError(
        f"boxes leave {len(outside)} of {len(boxed)} images that have any, the furthest by {arrival.overshoot:g} "
        f"pixels: in image {worst} of {width}x{height} pixels they reach from {reach}; expected boxes within their "
        f"images, but for {100 * OUTSIDE_SHARE:g} % of these; {_remedy(boxed.values())}"
    )
