"""The drop of a guard on average over several cells, each with a weight.

The cells are predictions on the same images, and so are the clean ones. A resampled data set is the same for all of
them: the weighted mean of their drops is computed in each, and the interval is that of `bootstrap`. Cells that lose the
same images therefore do not narrow it, as they would if they counted as independent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.records import Interval
from compress_guard.verdict import paired
from compress_guard.verdict.bootstrap import interval_of
from compress_guard.verdict.grouped import clustered
from compress_guard.verdict.resampling import Resampled, resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Scorer
    from compress_guard.verdict.grouped.groups import Sampled

_BOUNDS: Final = (-100.0, 100.0)


def weighted_drop(
    clean: Scorer, compressed: Sequence[tuple[Scorer, float]], sampled: Sampled, confidence: float
) -> Interval | None:
    """Return the weighted mean of the drops from `clean` to each of `compressed`, in points, with its interval.

    Each scorer has a weight above 0, and all are of the same images in the same order. None where a score is undefined.
    The same seed gives the same interval. With one scorer of flags it is the interval by which a cell is judged. Groups
    of images take the place of images.
    """
    images, groups = sampled.images, sampled.groups
    weights = np.array([weight for _, weight in compressed])
    weights = weights / weights.sum()
    everything = np.ones((1, images))
    scores = np.array([scorer(everything)[0] for scorer, _ in compressed])
    value = float(clean(everything)[0] - weights @ scores)
    if not np.isfinite(value):
        return None
    if len(compressed) == 1 and (before := clean.flags) is not None and (after := compressed[0][0].flags) is not None:
        if groups is not None:
            return clustered.drop_interval(before, after, groups, confidence)
        return paired.drop_interval(images, int((before & ~after).sum()), int((after & ~before).sum()), confidence)
    if images < 2 or (groups is not None and groups.count < 2):
        return Interval(value, *_BOUNDS)
    sides = [resampled(scorer, images, sampled.seed, groups) for scorer, _ in compressed]
    sample = resampled(clean, images, sampled.seed, groups) - _mean(sides, weights.tolist())
    # Few of the images that were seen may have been lost at every cell.
    image = 100.0 if clean.flags is not None else 0.0
    independent = images if groups is None else groups.effective
    return interval_of(sample, value, independent, confidence, _BOUNDS, image=image)


def _mean(samples: Sequence[Resampled], weights: Sequence[float]) -> Resampled:
    """Return the weighted mean of records over the same images with the same seed."""

    def mean(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(np.tensordot(weights, np.stack(parts), axes=1))

    telling = [sample.informative for sample in samples if sample.informative is not None]
    return Resampled(
        mean([sample.replicates for sample in samples]),
        mean([sample.halves for sample in samples]),
        mean([sample.left_out for sample in samples]),
        np.logical_or.reduce(telling) if len(telling) == len(samples) else None,
    )
