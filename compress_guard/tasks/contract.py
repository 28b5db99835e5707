"""The protocols of a task: evidence of one image, and scorers of the evidence of many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.records import Geometry
    from compress_guard.tasks.borders import Borders
    from compress_guard.tasks.scorer import Scorer
    from compress_guard.tasks.skill import Skill

    Arrays = Mapping[str, NDArray[Any]]


class Task(Protocol):
    """A kind of prediction and its metrics, such as classification. It is built without arguments."""

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    """Names of the metrics, the default first. Higher is better for each."""

    def target(self, raw: object, size: tuple[int, int]) -> Arrays:
        """Return a target of the data as arrays; `size` is the image's (H, W).

        Raises `DataError`: found, expected, what to do.
        """

    def classes(self, target: Arrays) -> frozenset[int]:
        """Return the classes of a target that the score is a mean over; none where the score is a mean over images."""

    def is_placed(self, target: Arrays) -> bool:
        """Return True if a target marks places in its image, so that turning the image alone makes it wrong."""

    def extent(self, target: Arrays) -> tuple[float, float, float, float] | None:
        """Return the rectangle (x1, y1, x2, y2) around all boxes of a target, in pixels; None without boxes."""

    def borders(self, target: Arrays) -> Borders | None:
        """Return how sharp the borders between a target's labels are; None for targets that are no label maps."""

    def prediction(self, raw: object, size: tuple[int, int]) -> Arrays:
        """Return a model's answer for one image as arrays on the CPU.

        Raises `ModelError`: found, expected, what to do.
        """

    def evidence(self, prediction: Arrays, target: Arrays, size: tuple[int, int]) -> Arrays:
        """Return what the image contributes to every metric of the task: small arrays, no images."""

    def scorer(self, metric: str, items: Sequence[Arrays]) -> Scorer:
        """Return the scorer of `metric` over the images whose evidence is given.

        `items` may be empty, where only `flags` matters: whether the metric is a mean of flags.
        """

    def skill(self, items: Sequence[Arrays]) -> Skill:
        """Return what shows whether a model knows anything, from the evidence of at least one clean image.

        A metric has no part in it: the test is the same for all metrics of the task.
        """

    def remarks(
        self, predictions: Sequence[Arrays], targets: Sequence[Arrays], sizes: Sequence[tuple[int, int]]
    ) -> tuple[str, ...]:
        """Return differences between the two sides that evidence does not keep, such as the coordinates of boxes.

        They are half sentences for a message about a model that knows nothing, made from a few of its images, each with
        its (H, W).
        """

    def saturated(
        self, metric: str, items: Sequence[Arrays], predictions: Callable[[], Sequence[Arrays]]
    ) -> str | None:
        """Return the reason why `metric` is 100 for any answers of this model; None where it is not.

        `items` is the evidence of clean images; `predictions` asks the model for a few answers, and costs time.
        """


@runtime_checkable
class FramedTask(Protocol):
    """A task that also serves codecs which scale or crop pictures. These members are optional: a task without them can
    be measured behind all other codecs."""

    def restored(self, prediction: Arrays, geometry: Geometry) -> Arrays:
        """Return the prediction for a delivered picture in the frame of its source, or of the part that it shows.

        The source's frame is that of its target; the frame of a part has the scale of the source and begins at the
        corner of the part. `prediction` is the result of `Task.prediction` for the delivered size.
        """

    def cropped(self, target: Arrays, geometry: Geometry) -> Arrays:
        """Return the target of a whole source in the frame of the part that is delivered.

        `Task.evidence` then gets the size of that part: see `frames.frame_size`.
        """
