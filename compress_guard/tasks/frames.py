"""Frames of pictures that a codec scaled or cropped: boxes and label maps on their way into them and back.

The first pixel of a frame lies from 0 to 1, so that pixel j has its centre at j + 0.5. Boxes keep their fractions. A
label map takes for each pixel the label of the pixel in which its centre lies, as torch's ``nearest-exact`` does. The
frame of a crop has the scale of the source and begins at the corner of the crop; of a label map, it holds the pixels of
the source whose centres lie within the crop.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from compress_guard.records import Geometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)


def frame_size(geometry: Geometry) -> tuple[int, int]:
    """Return (H, W) of the part of the source that is delivered, in pixels of the source, at least 1 each."""
    rows, columns = _pixels(geometry)
    return rows.stop - rows.start, columns.stop - columns.start


def restored_boxes(boxes: NDArray[np.float64], geometry: Geometry) -> NDArray[np.float64]:
    """Return boxes (N, 4) of a delivered picture in the frame of its source, or of the part that it shows."""
    return boxes * np.tile(_scale(geometry), 2)


def delivered_boxes(boxes: NDArray[np.float64], geometry: Geometry) -> NDArray[np.float64]:
    """Return boxes (N, 4) of the source, or of the part that is shown, in the frame of the delivered picture."""
    return boxes / np.tile(_scale(geometry), 2)


def restored_map(labels: NDArray[Number], geometry: Geometry) -> NDArray[Number]:
    """Return the label map (H, W) of a delivered picture at the size of its source, or of the part that it shows."""
    x1, y1, x2, y2 = geometry.box
    rows, columns = _pixels(geometry)
    height, width = geometry.delivered
    down = _nearest((np.arange(rows.start, rows.stop) + 0.5 - y1) * height / (y2 - y1), height)
    right = _nearest((np.arange(columns.start, columns.stop) + 0.5 - x1) * width / (x2 - x1), width)
    nearest: NDArray[Number] = labels[np.ix_(down, right)]
    return nearest


def delivered_map(labels: NDArray[Number], geometry: Geometry) -> NDArray[Number]:
    """Return the label map (H, W) of a whole source at the size of its delivered picture, cropped where that is."""
    x1, y1, x2, y2 = geometry.box
    (rows, columns), (height, width) = labels.shape, geometry.delivered
    down = _nearest(y1 + (np.arange(height) + 0.5) * (y2 - y1) / height, rows)
    right = _nearest(x1 + (np.arange(width) + 0.5) * (x2 - x1) / width, columns)
    nearest: NDArray[Number] = labels[np.ix_(down, right)]
    return nearest


def cropped_boxes(boxes: NDArray[np.float64], geometry: Geometry) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the part of each box (N, 4) that lies in the crop, in its frame, and that part's share of the area (N,).

    The share is 0 for a box of which no area is left.
    """
    x1, y1, x2, y2 = geometry.box
    corner = np.array([x1, y1, x1, y1])
    inside = np.clip(boxes, corner, [x2, y2, x2, y2])
    left, before = _areas(inside), _areas(boxes)
    return inside - corner, np.divide(left, before, out=np.zeros_like(left), where=before > 0)


def cropped_map(labels: NDArray[Number], geometry: Geometry) -> NDArray[Number]:
    """Return the part of a source's label map (H, W) that lies in the crop."""
    return labels[_pixels(geometry)]


def _pixels(geometry: Geometry) -> tuple[slice, slice]:
    """Return the rows and columns of the source whose centres lie in the box, at least one of each."""
    x1, y1, x2, y2 = geometry.box
    height, width = geometry.source
    return _centres(y1, y2, height), _centres(x1, x2, width)


def _centres(low: float, high: float, side: int) -> slice:
    start = min(max(0, ceil(low - 0.5)), side - 1)
    return slice(start, max(start + 1, min(side, ceil(high - 0.5))))


def _nearest(places: NDArray[np.float64], side: int) -> NDArray[np.intp]:
    """Return the pixel in which each place lies."""
    return np.clip(np.floor(places), 0, side - 1).astype(np.intp)


def _scale(geometry: Geometry) -> NDArray[np.float64]:
    """Return the pixels of the source for one of the delivered picture, along x and y."""
    x1, y1, x2, y2 = geometry.box
    height, width = geometry.delivered
    return np.array([(x2 - x1) / width, (y2 - y1) / height])


def _areas(boxes: NDArray[Any]) -> NDArray[np.float64]:
    sides: NDArray[np.float64] = boxes[:, 2:] - boxes[:, :2]
    areas: NDArray[np.float64] = sides.prod(axis=1)
    return areas
