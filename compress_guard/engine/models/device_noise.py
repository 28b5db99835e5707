"""Allowed differences between predictions of the same images on a GPU, whose kernels may change their order of sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Evidence

if TYPE_CHECKING:
    from compress_guard.tasks.contract import Task

# Such sums decide near ties only; dropout and unseeded crops also change predictions of clear images.
GPU_SHARE: Final = 0.02
"""Share of predictions that may change on a GPU for metrics with flags: one of 10 to 50 images, none of fewer."""
GPU_POINTS: Final = 0.1
"""Points by which the score of a metric without flags may change on a GPU."""


def allowed_changes(images: int) -> int:
    """Return the number of images, out of this many, whose prediction may change."""
    return min(math.ceil(GPU_SHARE * images), images // 10)


def beyond_noise(task: Task, before: Evidence, after: Evidence, changed: int, where: str = " on a GPU") -> str | None:
    """Return the words for a change that a GPU's kernels cannot explain; None for a smaller one.

    `changed` is the number of images whose evidence differs; `where` is added to the words for the allowed change.
    """
    images = len(before.ids)
    first, second = (task.scorer(task.metrics[0], side.items) for side in (before, after))
    if first.flags is not None:
        allowed = allowed_changes(images)
        return f"allowed{where} {allowed}" if changed > allowed else None
    weights = np.ones((1, images))
    moved = abs(float(first(weights)[0]) - float(second(weights)[0]))
    # If neither has a score (nothing to find in these images), the comparison is False and the model has no fault.
    return f"{task.metrics[0]} by {moved:.2f} points, allowed{where} {GPU_POINTS:g}" if moved > GPU_POINTS else None
