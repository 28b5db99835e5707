"""Batches of the same images with other neighbours: a prediction must not depend on the rest of its batch."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from compress_guard.engine.models.device_noise import allowed_changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

Size = tuple[int, int]
"""(H, W) in pixels."""

OLD_SHARE: Final = 0.5
"""Share of a batch that may be neighbours as before; above it, half of each batch's own images come twice."""
SCORE_SHARE: Final = 0.02
"""Share of the range of an image's scores by which they may change. Batch statistics of small networks changed them by
7 % in the median and rarely by less than 2 %, 8-bit scales that are chosen for each batch by 1 % at most."""


def moved_scores(before: Mapping[str, NDArray[Any]], after: Mapping[str, NDArray[Any]]) -> tuple[list[str], int, int]:
    """Return the images whose scores changed with their neighbours, the number compared, and the number allowed.

    `before` and `after` hold scores by image; images in both are compared.
    """
    both = [name for name in after if name in before and before[name].shape == after[name].shape]
    moved = [
        name
        for name in both
        if abs(after[name] - before[name]).max() > SCORE_SHARE * (before[name].max() - before[name].min())
    ]
    return moved, len(both), allowed_changes(len(both))


def mixed(batches: Sequence[Sequence[int]], sizes: Sequence[Size], levels: Sequence[float]) -> list[list[int]]:
    """Return batches of the positions in `batches`, of the size of the largest, with other neighbours than before.

    Dark images come together, and bright ones: the statistics of such batches differ most from before. Every image
    takes the place of one of its own size, so that a model that pads images to the largest of their batch, or stacks
    runs of one size, works as before. If neighbours stay together in that way, as in a single batch, half of a batch's
    images come twice, among them those with the most extreme sizes and proportions; a batch that consists of these only
    is left out. There are at most as many positions as in `batches`, and none for batches of one image.

    Args:
        batches: Positions of images, in the batches that the model got before.
        sizes: Size of the image at each position.
        levels: Brightness of the image at each position.
    """
    size = max(map(len, batches), default=0)
    if size < 2:
        return []
    whole = [batch for batch in batches if len(batch) == size]
    home = {at: number for number, batch in enumerate(batches) for at in batch}
    made = _exchanged(whole, batches, sizes, levels)
    if any(_largest_part(batch, home) > math.ceil(OLD_SHARE * size) for batch in made):
        made = [_doubled(batch, sizes, levels) for batch in whole]
    return [batch for batch in made if batch]


def _exchanged(
    whole: Sequence[Sequence[int]], batches: Sequence[Sequence[int]], sizes: Sequence[Size], levels: Sequence[float]
) -> list[list[int]]:
    """Return the full batches with each place taken by an image of its size, the darkest first."""
    left: dict[Size, list[int]] = defaultdict(list)
    for at in sorted((at for batch in batches for at in batch), key=lambda at: (levels[at], at)):
        left[sizes[at]].append(at)
    return [[left[sizes[at]].pop(0) for at in batch] for batch in whole]


def _largest_part(batch: Sequence[int], home: dict[int, int]) -> int:
    """Return the largest number of images of a batch that were in one batch before."""
    numbers = [home[at] for at in batch]
    return max(map(numbers.count, set(numbers)))


def _doubled(batch: Sequence[int], sizes: Sequence[Size], levels: Sequence[float]) -> list[int]:
    """Return a batch in which copies of half of its images replace the others; empty if too few can be replaced.

    The largest heights, widths and proportions are kept, which decide the size that a detector pads its images to, then
    the darkest images.
    """
    shapes = {at: sizes[at] for at in batch}
    extreme = {
        max(batch, key=lambda at: shapes[at][0]),
        max(batch, key=lambda at: shapes[at][1]),
        max(batch, key=lambda at: shapes[at][0] / shapes[at][1]),
        min(batch, key=lambda at: shapes[at][0] / shapes[at][1]),
    }
    if len(set(shapes.values())) == 1:
        extreme = set()
    if len(extreme) == len(batch):
        return []
    wanted = [*sorted(extreme), *sorted(batch, key=lambda at: (levels[at], at))]
    kept = list(dict.fromkeys(wanted))[: max(len(batch) // 2, len(extreme))]
    return [at if at in kept else _stand_in(number, shapes[at], kept, sizes) for number, at in enumerate(batch)]


def _stand_in(number: int, size: Size, kept: Sequence[int], sizes: Sequence[Size]) -> int:
    """Return one of the kept images, of this size if possible; each number gets another one."""
    alike = [at for at in kept if sizes[at] == size] or kept
    return alike[number % len(alike)]
