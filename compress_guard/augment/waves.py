"""The cosine transform that all looks at an image share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = 8
"""Side of a block in pixels."""


def cosines(size: int) -> NDArray[np.float64]:
    """(size, size), the orthonormal DCT-II: a wave a row."""
    at = np.arange(size)
    waves = np.cos((2 * at[None] + 1) * at[:, None] * np.pi / (2 * size)) * np.sqrt(2 / size)
    waves[0] = np.sqrt(1 / size)
    found: NDArray[np.float64] = waves
    return found
