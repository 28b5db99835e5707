"""Scores in points (0 to 100) from counts of images and weights of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from compress_guard.registry import unknown

if TYPE_CHECKING:
    from numpy.typing import NDArray


def checked_weights(weights: NDArray[np.float64], images: int) -> NDArray[np.float64]:
    """Return `weights` (R, N) as float64; raise ValueError if they are not one column per image."""
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[1] != images:
        raise ValueError(f"weights have shape {weights.shape}; expected (R, {images}), one column per image")
    return weights


def unknown_metric(name: str, known: tuple[str, ...]) -> ValueError:
    """Return the error for a metric that a task does not have."""
    return ValueError(unknown("metric", name, known))


def ratio(parts: NDArray[Any], wholes: NDArray[Any]) -> NDArray[np.float64]:
    """Return 100 x parts / wholes, NaN where the whole is 0; any common shape."""
    points = np.full(np.shape(wholes), np.nan)
    np.divide(100.0 * parts, wholes, out=points, where=wholes > 0)
    return points


def mean_over_classes(scores: NDArray[np.float64], present: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the mean (R,) of `scores` (R, K) over the classes that are `present` (R, K); NaN where none is."""
    total = np.where(present, scores, 0.0).sum(axis=1)
    count = present.sum(axis=1)
    mean = np.full(len(scores), np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean


@dataclass(frozen=True, slots=True, eq=False)
class ShareScorer:
    """A score that is a share: weighted sum of `parts` over weighted sum of `wholes`, one of each per image."""

    parts: NDArray[np.float64]
    """Counts (N,) of each image."""
    wholes: NDArray[np.float64]
    """Totals (N,) of each image."""
    flags: NDArray[np.bool_] | None = None

    @classmethod
    def of_flags(cls, flags: NDArray[np.bool_]) -> ShareScorer:
        """Build the scorer of the share of images whose flag is set."""
        return cls(flags.astype(np.float64), np.ones(len(flags)), flags)

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Scorer`: (R,) points for (R, N) weights."""
        weights = checked_weights(weights, len(self.parts))
        return ratio(weights @ self.parts, weights @ self.wholes)
