"""The cosine transform that all features of images share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = 8
"""Side of a block in pixels."""


def cosines(size: int) -> NDArray[np.float64]:
    """Return the orthonormal DCT-II as a matrix (size, size), one wave per row."""
    at = np.arange(size)
    waves = np.cos((2 * at[None] + 1) * at[:, None] * np.pi / (2 * size)) * np.sqrt(2 / size)
    waves[0] = np.sqrt(1 / size)
    matrix: NDArray[np.float64] = waves
    return matrix
