"""How far predictions of the same images may lie apart on a GPU, whose kernels add up in another order now and then."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Evidence

if TYPE_CHECKING:
    from compress_guard.tasks.contract import Task

# That tips a near tie; dropout and unseeded crops change more, on images that are near no tie too.
GPU_SHARE: Final = 0.02
"""Share of flags' predictions that may change on a GPU: one of 10 to 50 images, none of fewer."""
GPU_POINTS: Final = 0.1
"""Points by which the score of a metric without flags may move there."""


def allowed_changes(images: int) -> int:
    """Return how many of so many images may be predicted otherwise."""
    return min(math.ceil(GPU_SHARE * images), images // 10)


def beyond_noise(task: Task, before: Evidence, after: Evidence, changed: int, where: str = " on a GPU") -> str | None:
    """Return what is more than a GPU's kernels may do from run to run; None where it is not.

    `changed` counts the images whose evidence differs; `where` ends the words for what is allowed.
    """
    images = len(before.ids)
    one, other = (task.scorer(task.metrics[0], side.items) for side in (before, after))
    if one.flags is not None:
        allowed = allowed_changes(images)
        return f"allowed{where} {allowed}" if changed > allowed else None
    weights = np.ones((1, images))
    moved = abs(float(one(weights)[0]) - float(other(weights)[0]))
    # Where neither has a score (nothing to find on these images) there is nothing to hold against the model.
    return f"{task.metrics[0]} by {moved:.2f} points, allowed{where} {GPU_POINTS:g}" if moved > GPU_POINTS else None
