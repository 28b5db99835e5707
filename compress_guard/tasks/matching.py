"""Detections of one image matched with its ground truth, as COCO does it: per area range and IoU threshold.

The matching is COCOeval's (pycocotools/cocoeval.py in https://github.com/cocodataset/cocoapi). It runs over all
area ranges and IoU thresholds at once: they are lanes, the bits of an integer (docs/decisions/coco-matching.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREAS: Final[tuple[tuple[float, float], ...]] = (
    (0.0, 1e5**2),
    (0.0, 32.0**2),
    (32.0**2, 96.0**2),
    (96.0**2, 1e5**2),
)
"""Ranges of area in square pixels, ends included: all, small, medium, large."""

IOUS: Final[NDArray[np.float64]] = np.linspace(0.5, 0.95, 10)
"""IoU thresholds, computed as COCOeval computes them."""

MAX_DETECTIONS: Final = 100
"""Detections of one class and image that count, the highest scores."""

BITS: Final = (1 << np.arange(len(IOUS))).astype(np.uint16)
"""The bit of each IoU threshold in the flags of `Matches`."""

EVERY_IOU: Final = (1 << len(IOUS)) - 1
"""The flags of all IoU thresholds."""

IN_EACH_AREA: Final = sum(1 << (len(IOUS) * area) for area in range(len(AREAS)))
"""The lowest lane of each area range: flags times this are the lanes of all area ranges."""

EVERYWHERE: Final = EVERY_IOU * IN_EACH_AREA
"""All lanes."""


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes (N, 4) in pixels as (x1, y1, x2, y2), float64, and their labels (N,) int64."""

    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]

    @property
    def corners_and_sides(self) -> NDArray[np.float64]:
        """The boxes as (x, y, width, height), shape (N, 4)."""
        return np.concatenate([self.boxes[:, :2], self.boxes[:, 2:] - self.boxes[:, :2]], axis=1)

    @property
    def area(self) -> NDArray[np.float64]:
        """The areas in square pixels, shape (N,)."""
        area: NDArray[np.float64] = np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return area


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The ground truth of an image: boxes, areas (N,) as the data states them, and which boxes are crowds (N,) bool."""

    objects: Boxes
    area: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    def ignored(self, area: tuple[float, float]) -> NDArray[np.bool_]:
        """Return the flags (N,) of objects that need not be found in this area range."""
        low, high = area
        ignored: NDArray[np.bool_] = self.crowd | (self.area < low) | (self.area > high)
        return ignored


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """The result for each detection: bit t of a (N, 4) uint16 is IoU threshold t, columns are the area ranges.

    A detection is a true positive (`found`), it does not count (`ignored`), or it is a false positive (neither).
    """

    found: NDArray[np.uint16]
    ignored: NDArray[np.uint16]


def ranked(labels: NDArray[np.int64], scores: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Return the indices of the detections that count, by class, then by falling score.

    Equal scores keep their order.
    """
    order = np.lexsort((-scores, labels))
    ranks = np.arange(len(order)) - np.searchsorted(labels[order], labels[order])
    chosen: NDArray[np.intp] = order[ranks < MAX_DETECTIONS]
    return chosen


def match(detections: Boxes, truth: Truth) -> Matches:
    """Match detections that are `ranked` with the objects of their class.

    Each detection in turn takes the free object that it overlaps most, and an object that need not be found only where
    no other is left. A crowd stays free. If objects overlap equally, the last one is taken.
    """
    areas = detections.area
    outside = np.stack([(areas < low) | (areas > high) for low, high in AREAS], axis=1)
    found = np.zeros(outside.shape, dtype=np.uint16)
    ignored = np.where(outside, BITS.sum(), 0).astype(np.uint16)
    optional = [_joined(row) for row in np.stack([truth.ignored(area) for area in AREAS], axis=1)]
    crowd, free = truth.crowd.tolist(), [EVERYWHERE] * len(optional)
    for detection, overlaps in groupby(_overlaps(detections, truth), key=itemgetter(0)):
        objects = [(index, reached) for _, index, reached in overlaps]
        left = EVERYWHERE
        for index, reached in objects:
            taken = reached & left & free[index] & ~optional[index]
            left, free[index] = left & ~taken, free[index] & ~taken
        hit = EVERYWHERE & ~left
        for index, reached in objects:
            taken = reached & left & free[index] & optional[index]
            left &= ~taken
            if not crowd[index]:
                free[index] &= ~taken
        found[detection] = _split(hit)
        ignored[detection] = (ignored[detection] & _split(left)) | _split(EVERYWHERE & ~left & ~hit)
    return Matches(found, ignored)


def _joined(areas: NDArray[np.bool_]) -> int:
    """Return the lanes of some area ranges: bit 10 a + t is area range a and IoU threshold t."""
    return sum(EVERY_IOU << (len(IOUS) * area) for area in np.flatnonzero(areas).tolist())


def _split(lanes: int) -> list[int]:
    """Return the flags of each area range."""
    return [(lanes >> (len(IOUS) * area)) & EVERY_IOU for area in range(len(AREAS))]


def _overlaps(detections: Boxes, truth: Truth) -> Iterator[tuple[int, int, int]]:
    """Yield detection, object of its class and the lanes whose threshold their IoU reaches.

    Detections come in their order, and the objects of each by falling IoU, the last of equals first. The IoU with a
    crowd is the share of the detection that lies in it, and all arithmetic is that of COCO's bbIou, to the last bit.
    """
    labels = truth.objects.labels
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], detections.labels)
    counts = np.searchsorted(labels[order], detections.labels, side="right") - starts
    rows = np.repeat(np.arange(len(counts)), counts)
    objects = order[np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts - starts, counts)]
    mine, other = detections.corners_and_sides[rows], truth.objects.corners_and_sides[objects]
    ends = np.minimum(mine[:, :2] + mine[:, 2:], other[:, :2] + other[:, 2:])
    sides = np.maximum(ends - np.maximum(mine[:, :2], other[:, :2]), 0)
    common, area = np.prod(sides, axis=1), np.prod(mine[:, 2:], axis=1)
    union = np.where(truth.crowd[objects], area, area + np.prod(other[:, 2:], axis=1) - common)
    ious = np.divide(common, union, out=np.zeros_like(common), where=common > 0)
    near = np.flatnonzero(ious >= IOUS[0])
    near = near[np.lexsort((-objects[near], -ious[near], rows[near]))]
    for row, index, reached in zip(
        rows[near].tolist(),
        objects[near].tolist(),
        np.searchsorted(IOUS, ious[near], side="right").tolist(),
        strict=True,
    ):
        yield row, index, ((1 << reached) - 1) * IN_EACH_AREA
