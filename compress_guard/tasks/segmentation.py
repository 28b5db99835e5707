"""Semantic segmentation: one label per pixel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from compress_guard.errors import DataError
from compress_guard.tasks.arrays import MessageSubject, describe, is_whole, read
from compress_guard.tasks.borders import Borders
from compress_guard.tasks.frames import cropped_map, restored_map
from compress_guard.tasks.scores import ShareScorer, checked_weights, mean_over_classes, ratio, unknown_metric
from compress_guard.tasks.skill import Margin, Skill

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from compress_guard.records import Geometry
    from compress_guard.tasks.contract import Arrays
    from compress_guard.tasks.scorer import Scorer

IGNORE: Final = 255
"""The target's label of pixels that do not count."""

LABELS: Final = 2**16
"""Upper bound of class indices, excluded: the counts of an image are found by table, not by sorting."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Mean intersection over union, and pixel accuracy, in percent; pixels whose target is 255 do not count.

    Intersections and unions are summed over the images first; the mean is over the classes that occur in the truth. So
    a class that is predicted but occurs nowhere in the truth costs intersection elsewhere and has no IoU of its own.
    That is torchmetrics' MulticlassJaccardIndex (macro, ignore_index=255) wherever every predicted class occurs in the
    truth; where one does not, torchmetrics counts an IoU of 0. Its MeanIoU is another score, a mean over images.

    Evidence: `classes` (C,) the labels in truth or prediction, ascending (int32); `intersection`, `predicted`, `truth`
    (C,) pixels of each (int64); `valid`, `correct` 0-d, pixels that count and those of them that are right (int64).
    """

    name: ClassVar[str] = "segmentation"
    metrics: ClassVar[tuple[str, ...]] = ("miou", "pixel_accuracy")

    def target(self, raw: object, size: tuple[int, int]) -> Arrays:
        """Return `labels` (H, W) uint16 of a map of integers, also a PIL image; raise `DataError` for anything else."""
        return {"labels": _label_map(MessageSubject.target(size), raw, size, "give every pixel of the image its label")}

    def classes(self, target: Arrays) -> frozenset[int]:
        """Return the labels of the pixels that count."""
        return frozenset(np.unique(target["labels"]).tolist()) - {IGNORE}

    def is_placed(self, target: Arrays) -> bool:
        """Return True if the map has at least two labels."""
        labels = target["labels"]
        return bool(labels.size) and bool((labels != labels.flat[0]).any())

    def extent(self, target: Arrays) -> None:
        """Return None: a map is as large as its image, or refused."""
        return

    def borders(self, target: Arrays) -> Borders:
        """Return the borders of the label map."""
        return Borders.of(target["labels"])

    def prediction(self, raw: object, size: tuple[int, int]) -> Arrays:
        """Return `labels` (H, W) uint16 of an integer map; raise `ModelError` for anything else."""
        remedy = "resize the logits to the image and return their argmax over the classes, one map per image"
        return {"labels": _label_map(MessageSubject.prediction(size), raw, size, remedy)}

    def restored(self, prediction: Arrays, geometry: Geometry) -> Arrays:
        """Return the map at the source's scale: each pixel has the label of the delivered pixel at its centre."""
        return {"labels": restored_map(prediction["labels"], geometry)}

    def cropped(self, target: Arrays, geometry: Geometry) -> Arrays:
        """Return the part of the map whose pixels have their centres in the crop."""
        return {"labels": cropped_map(target["labels"], geometry)}

    def evidence(self, prediction: Arrays, target: Arrays, size: tuple[int, int]) -> Arrays:
        """Return the evidence that the class describes."""
        counts = target["labels"] != IGNORE
        predicted, truth = prediction["labels"][counts], target["labels"][counts]
        right = truth[predicted == truth]
        length = 1 + max(int(predicted.max(initial=0)), int(truth.max(initial=0)))
        pixels = np.stack([np.bincount(labels, minlength=length) for labels in (right, predicted, truth)])
        classes = np.flatnonzero(pixels.any(axis=0))
        return {
            "classes": classes.astype(np.int32),
            "intersection": pixels[0, classes],
            "predicted": pixels[1, classes],
            "truth": pixels[2, classes],
            "valid": np.array(truth.size, dtype=np.int64),
            "correct": np.array(right.size, dtype=np.int64),
        }

    def scorer(self, metric: str, items: Sequence[Arrays]) -> Scorer:
        """Return the scorer of mIoU over the classes of these images' truth, or of the share of right pixels."""
        if metric == "miou":
            return MeanIoU.of(items)
        if metric == "pixel_accuracy":
            right, valid = (np.array([item[key] for item in items], dtype=np.float64) for key in ("correct", "valid"))
            return ShareScorer(right, valid)
        raise unknown_metric(metric, self.metrics)

    def skill(self, items: Sequence[Arrays]) -> Skill:
        """Return the demand of a mIoU beyond that of the map with the commonest class everywhere."""
        scorer = MeanIoU.of(items)
        answered, truth = (
            np.unique(np.concatenate([item["classes"][item[side] > 0] for item in items]))
            for side in ("predicted", "truth")
        )
        pixels = scorer.truth.sum(axis=0)
        commonest = scorer.truth[:, pixels.argmax()] if pixels.size else np.zeros(len(items))
        return Skill(
            Margin("mIoU beyond that of the best constant map", scorer, scorer.constant()),
            answered,
            truth,
            int(np.count_nonzero(commonest < scorer.truth.sum(axis=1))),
            "anything but the commonest class",
            "label offsets, class order, channel order, preprocessing and weights",
            constant=len(answered) == 1,
            hint=f"masks of 0 and {IGNORE} have one class, since {IGNORE} does not count",
        )

    def remarks(
        self, predictions: Sequence[Arrays], targets: Sequence[Arrays], sizes: Sequence[tuple[int, int]]
    ) -> tuple[str, ...]:
        """Return no remarks: label maps hold everything."""
        return ()

    def saturated(
        self, metric: str, items: Sequence[Arrays], predictions: Callable[[], Sequence[Arrays]]
    ) -> str | None:
        """Return None: a map can be wrong in every metric."""
        return None


@dataclass(frozen=True, slots=True, eq=False)
class MeanIoU:
    """Mean IoU over the classes of the whole set's truth.

    A class to which a weighting leaves no truth has no part in the mean there, as on a data set of just those images.
    """

    intersection: NDArray[np.float64]
    """Pixels (N, C). The other fields have the same form."""
    union: NDArray[np.float64]
    truth: NDArray[np.float64]
    classes: tuple[int, ...] = ()
    """Labels (C)."""

    @property
    def flags(self) -> None:
        """None: the score is no mean of flags."""
        return None

    @classmethod
    def of(cls, items: Sequence[Arrays]) -> MeanIoU:
        """Build the scorer from the evidence of N images."""
        present = [item["classes"][item["truth"] > 0] for item in items]
        classes = np.unique(np.concatenate(present)) if present else np.empty(0, dtype=np.int32)
        pixels = np.zeros((3, len(items), len(classes)))
        for row, item in enumerate(items):
            kept = np.isin(item["classes"], classes)
            columns = np.searchsorted(classes, item["classes"][kept])
            for layer, name in enumerate(("intersection", "predicted", "truth")):
                pixels[layer, row, columns] = item[name][kept]
        intersection, predicted, truth = pixels
        return cls(intersection, predicted + truth - intersection, truth, tuple(classes.tolist()))

    def by_class(self) -> Mapping[int, float]:
        """Return the IoU of each class over all images, in points, by label."""
        scores = ratio(self.intersection.sum(axis=0), self.union.sum(axis=0))
        return dict(zip(self.classes, scores.tolist(), strict=True))

    def constant(self) -> MeanIoU:
        """Return the scorer of the constant map that scores best on these images, that of the commonest class.

        Every pixel that counts is answered with that class, so its union is all of them. All other classes have no
        intersection.
        """
        everything = self.truth.sum(axis=1)
        intersection, union = np.zeros_like(self.truth), self.truth.copy()
        if self.truth.size:
            best = int(self.truth.sum(axis=0).argmax())
            intersection[:, best], union[:, best] = self.truth[:, best], everything
        return MeanIoU(intersection, union, self.truth)

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Scorer`: (R,) points for (R, N) weights."""
        weights = checked_weights(weights, len(self.truth))
        return mean_over_classes(ratio(weights @ self.intersection, weights @ self.union), weights @ self.truth > 0)


def _label_map(subject: MessageSubject, raw: object, size: tuple[int, int], remedy: str) -> NDArray[Any]:
    expected = f"an integer label map of shape {size}, the image's height and width"
    array = read(raw)
    if array is None or array.shape != size:
        if array is not None and array.shape == size[::-1] and subject.error is DataError:
            remedy = "it has width and height the other way round: transpose it, or turn what is not yet upright"
        raise subject.refuse(f"is {describe(raw)}", expected, remedy)
    if not is_whole(array):
        raise subject.refuse(f"is {describe(raw, dtype=True)}", expected, remedy)
    outside = array[(array < 0) | (array >= LABELS)] if array.dtype != np.uint8 else array[:0]
    if outside.size:
        found = f"holds the label {outside.flat[0]}"
        raise subject.refuse(found, f"class indices of 0 to {LABELS - 1}", f"give pixels to ignore the target {IGNORE}")
    return array.astype(np.uint16)
