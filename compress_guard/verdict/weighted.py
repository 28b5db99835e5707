"""The drop of a guard on average over several cells, each with a weight.

The cells are predictions on the same images, and so are the clean ones, which may differ between cells: some codecs are
compared with scaled or cropped sources. A resampled data set is the same for all of them: the weighted mean of their
drops is computed in each, and the interval is that of `bootstrap`. Cells that lose the same images therefore do not
narrow it, as they would if they counted as independent.
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

    from compress_guard.tasks.scorer import Scorer
    from compress_guard.verdict.grouped.groups import Sampled

_BOUNDS: Final = (-100.0, 100.0)


def weighted_drop(
    clean: Sequence[tuple[Scorer, float]],
    compressed: Sequence[tuple[Scorer, float]],
    sampled: Sampled,
    confidence: float,
) -> Interval | None:
    """Return the weighted mean of the scores of `clean` less that of `compressed`, in points, with its interval.

    Each scorer has a weight above 0, and all are of the same images in the same order. A clean scorer has the weights
    of all cells that are compared with it; one of them may serve all cells. None where a score is undefined.
    The same seed gives the same interval. With one scorer of flags it is the interval by which a cell is judged. Groups
    of images take the place of images.
    """
    images, groups = sampled.images, sampled.groups
    value = weighted_score(clean, images) - weighted_score(compressed, images)
    if not np.isfinite(value):
        return None
    before, after = clean[0][0].flags, compressed[0][0].flags
    if len(compressed) == 1 and before is not None and after is not None:
        if groups is not None:
            return clustered.drop_interval(before, after, groups, confidence)
        return paired.drop_interval(images, int((before & ~after).sum()), int((after & ~before).sum()), confidence)
    if images < 2 or (groups is not None and groups.count < 2):
        return Interval(value, *_BOUNDS)
    sample = _mean(clean, sampled) - _mean(compressed, sampled)
    # Few of the images that were seen may have been lost at every cell.
    image = 100.0 if before is not None else 0.0
    independent = images if groups is None else groups.effective
    return interval_of(sample, value, independent, confidence, _BOUNDS, image=image)


def weighted_score(scorers: Sequence[tuple[Scorer, float]], images: int) -> float:
    """Return the weighted mean of the scores of all images; each scorer has a weight above 0."""
    everything = np.ones((1, images))
    return float(_weights(scorers) @ np.array([scorer(everything)[0] for scorer, _ in scorers]))


def _weights(scorers: Sequence[tuple[Scorer, float]]) -> NDArray[np.float64]:
    """Return the weights, which then add up to 1."""
    weights = np.array([weight for _, weight in scorers])
    return np.asarray(weights / weights.sum())


def _mean(scorers: Sequence[tuple[Scorer, float]], sampled: Sampled) -> Resampled:
    """Return the weighted mean of the resampled scores, in the same resampled data sets."""
    weights = _weights(scorers).tolist()
    samples = [resampled(scorer, sampled.images, sampled.seed, sampled.groups) for scorer, _ in scorers]

    def mean(parts: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(np.tensordot(weights, np.stack(parts), axes=1))

    telling = [sample.informative for sample in samples if sample.informative is not None]
    return Resampled(
        mean([sample.replicates for sample in samples]),
        mean([sample.halves for sample in samples]),
        mean([sample.left_out for sample in samples]),
        np.logical_or.reduce(telling) if len(telling) == len(samples) else None,
    )
