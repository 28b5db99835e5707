"""Average precision of weighted images, as COCOeval accumulates it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.tasks.scores import checked_weights, mean_over_classes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Arrays

RECALLS: Final = np.linspace(0.0, 1.0, 101)
"""Recalls at which precision is read, computed as COCOeval computes them, so that a recall of exactly 7/100 falls on
the same side of 0.07. The last is lowered by a rounding error, which sums of fractional weights have."""
RECALLS[-1] -= 1e-12

CHUNK: Final = 256
"""Number of weightings at a time, few enough that the arrays of a class stay in the processor's cache."""

BLOCK: Final = 2**20
"""Detections x weightings at a time, so that a class with half a million detections does not take a GB."""


@dataclass(frozen=True, slots=True, eq=False)
class _Curve:
    """The detections of a class that count at some IoU thresholds, by falling score.

    They are cut into stretches, each of which ends with a detection that is a true positive at one of the thresholds:
    precision has its peaks there, and is computed nowhere else.
    """

    images: NDArray[np.intp]
    """The image of each detection (D,), up to the last true positive."""
    starts: NDArray[np.intp]
    """Starts (M,) of the stretches in `images`."""
    ends: NDArray[np.intp]
    """The image of each stretch's last detection, (M,)."""
    hits: tuple[tuple[NDArray[np.intp], int], ...]
    """Stretches that end with a true positive, and the number of IoU thresholds at which exactly these do."""


@dataclass(frozen=True, slots=True, eq=False)
class AveragePrecision:
    """Mean over classes, IoU thresholds and 101 recalls of the interpolated precision, in points.

    With whole-number weights this is COCOeval's AP on a data set in which the images are repeated. Classes are those of
    the whole set's truth; a class to which a weighting leaves no object to find has no part in the mean there. Where
    detections of a class have equal scores COCOeval's result depends on the order of the images, and so does this one.
    """

    truth: NDArray[np.float64]
    """Objects to find (N, K), for the K classes that have any."""
    curves: tuple[tuple[_Curve, ...], ...]
    """Curves of each class."""
    thresholds: int
    classes: tuple[int, ...] = ()
    """Labels (K)."""

    @property
    def flags(self) -> None:
        """None: the score is no mean of flags."""
        return None

    @classmethod
    def of(cls, items: Sequence[Arrays], area: int, ious: Sequence[int]) -> AveragePrecision:
        """Build the scorer from the evidence of N images, for one area range and some IoU thresholds of `matching`."""
        classes, truth = _count_truth(items, area)
        images = np.repeat(np.arange(len(items)), [len(item["labels"]) for item in items])
        labels, scores, found, ignored = (
            np.concatenate([item[name] for item in items]) if items else np.empty(0)
            for name in ("labels", "scores", "found", "ignored")
        )
        order = np.lexsort((-scores, labels))
        starts = np.searchsorted(labels[order], classes)
        ends = np.searchsorted(labels[order], classes, side="right")
        curves = []
        for start, end in zip(starts, ends, strict=True):
            mine = order[start:end]
            curves.append(_curves(images[mine], found[mine, area], ignored[mine, area], ious))
        return cls(truth, tuple(curves), len(ious), tuple(classes.tolist()))

    def by_class(self) -> Mapping[int, float]:
        """Return the average precision of each class over all images, in points, by label."""
        scores = self._precision(np.ones((1, len(self.truth))))[0]
        return dict(zip(self.classes, scores.tolist(), strict=True))

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Scorer`: (R,) points for (R, N) weights."""
        weights = checked_weights(weights, len(self.truth))
        scores = np.empty(len(weights))
        for start in range(0, len(weights), CHUNK):
            chunk = slice(start, start + CHUNK)
            scores[chunk] = self._score(weights[chunk])
        return scores

    def _score(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (r,) points for weights (r, N)."""
        return mean_over_classes(self._precision(weights), weights @ self.truth > 0)

    def _precision(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the points (r, K) of each class for weights (r, N)."""
        truth = weights @ self.truth
        precision = np.zeros(truth.shape)
        for place, curves in enumerate(self.curves):
            wanted = truth[:, place, None]
            divisor = np.where(wanted > 0, wanted, 1.0)
            for curve in curves:
                precision[:, place] += _precision_sum(curve, weights, divisor)
        points: NDArray[np.float64] = 100.0 * precision / (self.thresholds * len(RECALLS))
        return points


def _precision_sum(curve: _Curve, weights: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum (r,) over IoU thresholds and recalls of the interpolated precision.

    Weights are (r, N), the truth is (r, 1).

    Each true positive stands for as many of the recalls as lie above the recall before it and up to its own.
    """
    # The spacing is COCOeval's own guard against 0 / 0.
    counted = np.cumsum(_stretches(curve, weights), axis=1) + np.spacing(1)
    ends = np.take(weights, curve.ends, axis=1)
    total = np.zeros(len(weights))
    for hits, times in curve.hits:
        found = np.cumsum(np.take(ends, hits, axis=1), axis=1)
        precision = found / np.take(counted, hits, axis=1)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        recall = found / wanted
        nearest = np.rint(recall * (len(RECALLS) - 1)).astype(np.intp)
        reached = nearest + (recall >= RECALLS[nearest])
        reached[:, 1:] -= reached[:, :-1].copy()
        total += times * np.einsum("rm,rm->r", envelope, reached)
    return total


def _stretches(curve: _Curve, weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight (r, M) of the detections of each stretch."""
    sums = np.empty((len(weights), len(curve.starts)))
    rows = max(1, BLOCK // len(curve.images))
    for start in range(0, len(weights), rows):
        part = slice(start, start + rows)
        np.add.reduceat(np.take(weights[part], curve.images, axis=1), curve.starts, axis=1, out=sums[part])
    return sums


def _curves(
    images: NDArray[np.intp], found: NDArray[np.uint16], ignored: NDArray[np.uint16], ious: Sequence[int]
) -> tuple[_Curve, ...]:
    """Return the curves of a class; IoU thresholds at which the same detections count share one."""
    shared: dict[bytes, dict[bytes, int]] = {}
    for iou in ious:
        counts, hit = (ignored >> iou) & 1 == 0, (found >> iou) & 1 == 1
        if hit.any():
            times = shared.setdefault(counts.tobytes(), {})
            times[hit.tobytes()] = times.get(hit.tobytes(), 0) + 1
    curves = []
    for key, times in shared.items():
        counts = np.frombuffer(key, dtype=np.bool_)
        hits = np.stack([np.frombuffer(hit, dtype=np.bool_)[counts] for hit in times])
        mine, ends = images[counts], np.flatnonzero(hits.any(axis=0))
        curves.append(
            _Curve(
                images=mine[: ends[-1] + 1],
                starts=np.concatenate([[0], ends[:-1] + 1]),
                ends=mine[ends],
                hits=tuple((np.flatnonzero(hit[ends]), n) for hit, n in zip(hits, times.values(), strict=True)),
            )
        )
    return tuple(curves)


def _count_truth(items: Sequence[Arrays], area: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the classes with objects to find (K,), ascending, and the number of these in each image (N, K)."""
    wanted = [item["truth_counts"][:, area] > 0 for item in items]
    present = [item["truth_labels"][some] for item, some in zip(items, wanted, strict=True)]
    classes = np.unique(np.concatenate(present)) if present else np.empty(0, dtype=np.int64)
    truth = np.zeros((len(items), len(classes)))
    for row, (item, labels, some) in enumerate(zip(items, present, wanted, strict=True)):
        truth[row, np.searchsorted(classes, labels)] = item["truth_counts"][some, area]
    return classes, truth
