"""Near-equal neighbours: a data set whose images mostly resemble the next one looks like frames of a video.

An image is reduced to 9 x 8 means of brightness and described by the 64 signs of their horizontal differences, a
difference hash (N. Krawetz 2013, Kind of Like That). It survives noise, coding, scaling and small motion.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch

WIDTH, HEIGHT = 9, 8
NEAR: Final = 10
"""Largest number of the 64 signs in which near-equal images differ."""
_FLAT: Final = 2.0
"""Least standard deviation in levels: the differences of flatter images are noise."""
_SAMPLES: Final = 8
"""Rows and columns that are read for each mean: reading all pixels of a photograph takes longer than hashing them."""


def difference_hash(image: torch.Tensor) -> int | None:
    """Return the hash of an image, uint8 (3, H, W), as 64 bits; None for one that is too small or too flat."""
    import torch

    height, width = image.shape[-2:]
    if height < HEIGHT or width < WIDTH:
        return None
    rows, columns = max(1, height // (_SAMPLES * HEIGHT)), max(1, width // (_SAMPLES * WIDTH))
    read = image[:, ::rows, ::columns].float().mean(dim=0)
    means = torch.nn.functional.adaptive_avg_pool2d(read[None], (HEIGHT, WIDTH))[0]
    if float(means.std()) < _FLAT:
        return None
    signs = (means[:, 1:] > means[:, :-1]).reshape(-1).tolist()
    return sum(1 << at for at, sign in enumerate(signs) if sign)


def near_equal(hashes: Sequence[int | None], groups: Sequence[str] = ()) -> int:
    """Return the number of images that are nearly equal to the next one, and in another group, if there are groups."""
    pairs = range(len(hashes) - 1)
    return sum(_near(hashes[at], hashes[at + 1]) and not (groups and groups[at] == groups[at + 1]) for at in pairs)


def _near(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and (one ^ other).bit_count() <= NEAR
