"""Borders between the labels of a map: sharp as they are drawn, or blended as interpolation leaves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROWS: Final = 64
"""Number of rows of a map that are inspected: a millisecond for 1024x2048 pixels."""
SHARE: Final = 0.2
"""Share of the borders that may be blended. On the bundled world it is at most 1 %, also after resizing by nearest
neighbour, and 56 to 100 % after bilinear or bicubic resizing to between half and twice the size."""
ENOUGH: Final = 100
"""Number of blended borders of a set that cannot be chance."""
ONE_LABEL: Final = 0.9
"""Share of the blended borders with the same label from which on that label is a class, drawn one pixel wide between
two others. Interpolation leaves many labels."""


@dataclass(frozen=True, slots=True)
class Borders:
    """The borders along some rows of a map between labels that differ by 2 or more."""

    sharp: int
    """Places where one label stands directly beside the other."""
    blended: int
    """Single pixels whose label lies strictly between those of their left and right neighbours."""
    commonest: int | None = None
    """The most frequent label of the blended pixels; None without any."""
    most: int = 0
    """Number of blended pixels with this label."""

    @classmethod
    def of(cls, labels: NDArray[Any]) -> Borders:
        """Find the borders in a map of integers (H, W), in at most `ROWS` of its rows."""
        rows = labels[:: max(1, -(-len(labels) // ROWS))].astype(np.int32)
        step = np.diff(rows, axis=1)
        between = np.zeros(rows.shape, dtype=np.bool_)
        between[:, 1:-1] = np.sign(step[:, :-1]) * np.sign(step[:, 1:]) > 0
        sharp = (abs(step) > 1) & ~between[:, :-1] & ~between[:, 1:]
        values, counts = np.unique(rows[between], return_counts=True)
        if not counts.size:
            return cls(int(np.count_nonzero(sharp)), 0)
        top = int(counts.argmax())
        return cls(int(np.count_nonzero(sharp)), int(counts.sum()), int(values[top]), int(counts[top]))


def blended_share(borders: Iterable[Borders]) -> float | None:
    """Return the share of blended borders in a set of maps where interpolation must have made them, else None."""
    sharp = blended = 0
    labels: Counter[int] = Counter()
    for image in borders:
        sharp, blended = sharp + image.sharp, blended + image.blended
        if image.commonest is not None:
            labels[image.commonest] += image.most
    if blended < ENOUGH or max(labels.values()) > ONE_LABEL * blended:
        return None
    share = blended / (sharp + blended)
    return share if share > SHARE else None
