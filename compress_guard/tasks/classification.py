"""Image classification: one label per image, scores of K classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from compress_guard.errors import DataError
from compress_guard.tasks.arrays import MessageSubject, describe, is_whole, read
from compress_guard.tasks.scores import ShareScorer, unknown_metric
from compress_guard.tasks.skill import Agreement, Skill

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from compress_guard.records import Geometry
    from compress_guard.tasks.contract import Arrays

_TOP: Final = 5
"""Scores that top5 looks at."""


@dataclass(frozen=True, slots=True)
class Classification:
    """Top-1 and top-5 accuracy in percent.

    An image counts for top-k when fewer than k classes score higher than its label; among equal scores the lower class
    index comes first. With fewer than 5 classes top5 is therefore 100.

    Evidence, all 0-d: `top1` and `top5` (uint8 flags), `predicted`, the highest score's class, and `target` (int64).
    """

    name: ClassVar[str] = "classification"
    metrics: ClassVar[tuple[str, ...]] = ("top1", "top5")

    def target(self, raw: object, size: tuple[int, int]) -> Arrays:
        """Return `label` (0-d int64) of a Python integer or a 0-d integer tensor or array.

        Raises `DataError` for anything else.
        """
        subject, expected = MessageSubject.target(size), "one class index, an integer from 0"
        array = read(raw)
        if array is None or array.ndim:
            remedy = "return the label alone"
            if array is not None and array.size > 1:
                remedy = "return the class index, not scores or a one-hot vector"
            raise subject.refuse(f"is {describe(raw)}", expected, remedy)
        if not is_whole(array):
            raise subject.refuse(f"is {describe(raw, dtype=True)}", expected, "return it as an int")
        if array < 0:
            raise subject.refuse(f"is the class index {array}", expected, "leave unlabelled images out of the data set")
        return {"label": array.astype(np.int64)}

    def classes(self, target: Arrays) -> frozenset[int]:
        """Return no classes: accuracy is a mean over images."""
        return frozenset()

    def is_placed(self, target: Arrays) -> bool:
        """Return False: a class describes the whole image."""
        return False

    def extent(self, target: Arrays) -> None:
        """Return None: a class marks no place in the image."""
        return

    def borders(self, target: Arrays) -> None:
        """Return None: a class is no label map."""
        return

    def prediction(self, raw: object, size: tuple[int, int]) -> Arrays:
        """Return `scores` (K,) of floating-point scores, higher is likelier.

        Raises `ModelError` for another shape or dtype, and for scores that are not finite.
        """
        subject, expected = MessageSubject.prediction(size), "scores of shape (K,), one prediction per image"
        array = read(raw)
        if array is None:
            raise subject.refuse(f"is {describe(raw)}", expected, "return the tensor of scores itself")
        if array.ndim != 1 or not array.size:
            remedy = "return scores without the batch dimension" if array.ndim > 1 else "return one score per class"
            raise subject.refuse(f"is {describe(raw)}", expected, remedy)
        if array.dtype.kind != "f":
            found, expected = f"is {describe(raw, dtype=True)}", "floating-point scores of shape (K,)"
            raise subject.refuse(found, expected, "return logits or probabilities")
        bad = np.flatnonzero(~np.isfinite(array))
        if bad.size:
            found = (
                f"holds {bad.size} of {array.size} scores that are not finite, the first {array[bad[0]]} at {bad[0]}"
            )
            raise subject.refuse(found, "finite scores", "check the model's preprocessing and number format")
        return {"scores": array.astype(np.result_type(array.dtype, np.float32))}

    def restored(self, prediction: Arrays, geometry: Geometry) -> Arrays:
        """Return the prediction as it is: scores hold for a picture of any size."""
        return prediction

    def cropped(self, target: Arrays, geometry: Geometry) -> Arrays:
        """Return the target as it is: the part is to be classified as the whole."""
        return target

    def evidence(self, prediction: Arrays, target: Arrays, size: tuple[int, int]) -> Arrays:
        """Return the evidence that the class describes.

        Raises `DataError` for a label that the model has no score for.
        """
        scores, label = prediction["scores"], int(target["label"])
        if label >= len(scores):
            raise DataError(
                f"{MessageSubject.target(size).name} is the class index {label}; expected one below {len(scores)}, the "
                "number of scores that the model returned; give the data the labels that the model was trained with"
            )
        before = np.count_nonzero(scores > scores[label]) + np.count_nonzero(scores[:label] == scores[label])
        return {
            "top1": np.array(before < 1, dtype=np.uint8),
            "top5": np.array(before < _TOP, dtype=np.uint8),
            "predicted": np.array(scores.argmax(), dtype=np.int64),
            "target": np.array(label, dtype=np.int64),
        }

    def scorer(self, metric: str, items: Sequence[Arrays]) -> ShareScorer:
        """Return the scorer of `metric`: the share of images whose flag of that name is set."""
        if metric not in self.metrics:
            raise unknown_metric(metric, self.metrics)
        return ShareScorer.of_flags(np.array([item[metric] for item in items], dtype=np.bool_))

    def skill(self, items: Sequence[Arrays]) -> Skill:
        """Return the agreement of the first answers with the labels, for any metric."""
        predicted, target = (np.array([int(item[key]) for item in items]) for key in ("predicted", "target"))
        truth, counts = np.unique(target, return_counts=True)
        return Skill(
            Agreement(predicted, target),
            np.unique(predicted),
            truth,
            len(target) - int(counts.max()),
            "anything but the commonest class",
            "label offsets, class order, channel order, preprocessing and weights",
        )

    def remarks(
        self, predictions: Sequence[Arrays], targets: Sequence[Arrays], sizes: Sequence[tuple[int, int]]
    ) -> tuple[str, ...]:
        """Return no remarks: labels hold everything."""
        return ()

    def saturated(
        self, metric: str, items: Sequence[Arrays], predictions: Callable[[], Sequence[Arrays]]
    ) -> str | None:
        """Return the reason why top5 is 100: the model gives five scores or fewer."""
        if metric != "top5" or any(not item["top5"] for item in items):
            return None
        if any(max(int(item["predicted"]), int(item["target"])) >= _TOP for item in items):
            return None
        most = max((len(answer["scores"]) for answer in predictions()), default=_TOP + 1)
        return f"top5 of {most} scores is 100 whatever the model answers" if most <= _TOP else None
