"""The protocols of a metric: a score as a function of the weights of fixed images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Scorer(Protocol):
    """A metric over fixed images: ask it for the score under any weighting of them."""

    @property
    def flags(self) -> NDArray[np.bool_] | None:
        """(N,) 0/1 evidence if the score is the weighted mean of one flag per image (top1, top5), else None."""

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return scores in points (0 to 100), shape (R,), for image weights (R, N) >= 0.

        With whole-number weights the score is the metric's value on a data set that holds image i weights[i] times.
        It is NaN where it is undefined (no ground truth at all).
        """


@runtime_checkable
class ClassScorer(Protocol):
    """A scorer whose score is a mean over classes. It is optional, and serves reports only."""

    def by_class(self) -> Mapping[int, float]:
        """Return the score of each class over all images, in points, by label; their mean is the score."""
