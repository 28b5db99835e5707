"""What a task is: evidence of one image, and a score as a function of weighted evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from compress_guard.tasks.borders import Borders
    from compress_guard.tasks.skill import Skill

    Arrays = Mapping[str, NDArray[Any]]


class Scorer(Protocol):
    """A metric over fixed images: ask it for the score under any weighting of them."""

    @property
    def flags(self) -> NDArray[np.bool_] | None:
        """(N,) 0/1 evidence if the score is the weighted mean of one flag per image (top1, top5), else None."""

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores in points (0 to 100), shape (R,), for image weights (R, N) >= 0.

        With whole-number weights the score is the metric's value on a data set in which image i stands weights[i]
        times.
        NaN where it is undefined (no ground truth at all).
        """


class Task(Protocol):
    """classification, detection, segmentation."""

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    """The names of its metrics, the default first. Higher is better for each."""

    def target(self, raw: object, size: tuple[int, int]) -> Arrays:
        """A target of the data as arrays; `size` is the image's (H, W).

        Raises `DataError`: found, expected, what to do.
        """

    def classes(self, target: Arrays) -> frozenset[int]:
        """The classes that a target adds to those which a score is the mean of; none where scores are of images."""

    def is_placed(self, target: Arrays) -> bool:
        """Whether a target says where in its image something is, so that turning the image alone makes it wrong."""

    def extent(self, target: Arrays) -> tuple[float, float, float, float] | None:
        """The rectangle (x1, y1, x2, y2) around all boxes of a target, in pixels; None without any."""

    def borders(self, target: Arrays) -> Borders | None:
        """Return how sharp the borders between a target's labels are; None for targets that are no label maps."""

    def prediction(self, raw: object, size: tuple[int, int]) -> Arrays:
        """A model's answer for one image as arrays on the CPU. Raises `ModelError`: found, expected, what to do."""

    def evidence(self, prediction: Arrays, target: Arrays, size: tuple[int, int]) -> Arrays:
        """What the image contributes to every metric of the task: small arrays, no images."""

    def scorer(self, metric: str, items: Sequence[Arrays]) -> Scorer:
        """The scorer of `metric` over the images whose evidence is given."""

    def skill(self, items: Sequence[Arrays]) -> Skill:
        """Return what shows whether a model knows anything, from the evidence of at least one clean image.

        A metric has no part in it: the test is the same for all metrics of the task.
        """

    def remarks(
        self, predictions: Sequence[Arrays], targets: Sequence[Arrays], sizes: Sequence[tuple[int, int]]
    ) -> tuple[str, ...]:
        """Return how the two sides differ in what evidence does not keep, such as the coordinates of boxes.

        For a few images of a model that knows nothing, each with its (H, W); half sentences for a message.
        """

    def saturated(
        self, metric: str, items: Sequence[Arrays], predictions: Callable[[], Sequence[Arrays]]
    ) -> str | None:
        """Return why `metric` is 100 whatever this model answers, None where it is not.

        `items` is the evidence of clean images; `predictions` asks the model for a few answers, and costs time.
        """
