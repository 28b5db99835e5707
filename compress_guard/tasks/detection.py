"""Object detection: boxes with labels and scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from compress_guard.errors import DataError, described
from compress_guard.tasks.arrays import MessageSubject, describe, read
from compress_guard.tasks.frames import cropped_boxes, restored_boxes
from compress_guard.tasks.matching import AREAS, IOUS, Boxes, Truth, match, ranked
from compress_guard.tasks.precision import AveragePrecision
from compress_guard.tasks.scores import unknown_metric
from compress_guard.tasks.skill import Margin, Skill

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.records import Geometry
    from compress_guard.tasks.contract import Arrays

ALL_IOUS: Final = tuple(range(len(IOUS)))

MEANINGS: Final[Mapping[str, tuple[int, tuple[int, ...]]]] = {
    "map": (0, ALL_IOUS),
    "map_50": (0, (0,)),
    "map_75": (0, (5,)),
    "map_small": (1, ALL_IOUS),
    "map_medium": (2, ALL_IOUS),
    "map_large": (3, ALL_IOUS),
}
"""Each metric's area range and IoU thresholds, by their place in `matching.AREAS` and `matching.IOUS`."""

LEAST: Final = 0.5
"""Points of COCO AP that a model reaches if it knows anything."""
MISSIZED: Final = 1.5
"""Ratio of the largest coordinate to the longest side of an image from which on boxes have another scale."""
_OPTIONAL: Final = ("area", "iscrowd")
"""Keys that a target may have beside boxes and labels."""

WRAP: Final = 'wrap_dataset_for_transforms_v2(data, target_keys=["boxes", "labels", "area", "iscrowd"])'


@dataclass(frozen=True, slots=True)
class Detection:
    """COCO's average precision in percent: over IoU 0.5 to 0.95 or at one, of all or of small, medium, large objects.

    As COCOeval has it, the 100 highest scores of each class and image count, and crowds and objects outside the area
    range may be found but need not be. The names are torchmetrics'; its MeanAveragePrecision reads precision at recalls
    rounded to float32, so that it equals COCOeval, and this, with `rec_thresholds=np.linspace(0, 1, 101).tolist()`.

    Evidence: of D detections, by class and falling score, `labels` (D,) int64, `scores` (D,) in the model's precision,
    `found` and `ignored` (D, 4) uint16 as in `matching.Matches`; of the K classes in the truth `truth_labels` (K,)
    int64 and `truth_counts` (K, 4) int32, the objects to find in each area range.
    """

    name: ClassVar[str] = "detection"
    metrics: ClassVar[tuple[str, ...]] = tuple(MEANINGS)

    def target(self, raw: object, size: tuple[int, int]) -> Arrays:
        """Return `boxes` (N, 4) and `labels`, `area`, `crowd` (N,) of a dict; its keys area and iscrowd are optional.

        Boxes are (x1, y1, x2, y2) in pixels. Area is that of the box where the data states none. A dict with the only
        key `image_id`, which torchvision's wrapped CocoDetection gives for an image without objects, has no boxes.
        Raises `DataError` for anything else.
        """
        if isinstance(raw, Mapping) and set(raw) == {"image_id"}:
            raw = {"boxes": (), "labels": ()}
        table = _Table.of(MessageSubject.target(size), raw, ("boxes", "labels"))
        objects = table.objects()
        area, crowd = objects.area, np.zeros(len(objects.labels), dtype=np.bool_)
        if "area" in table.columns:
            area = table.column("area", "iuf", "numbers").astype(np.float64)
            fine = np.isfinite(area) & (area >= 0)
            table.check(fine, "area", area, "areas of at least 0 square pixels", "leave area out to use the boxes'")
        if "iscrowd" in table.columns:
            flags = table.column("iscrowd", "biu", "integers")
            table.check(
                (flags == 0) | (flags == 1), "iscrowd", flags, "0 or 1", "mark crowds with 1, single objects with 0"
            )
            crowd = flags.astype(np.bool_)
        return {"boxes": objects.boxes, "labels": objects.labels, "area": area, "crowd": crowd}

    def classes(self, target: Arrays) -> frozenset[int]:
        """Return the labels of the objects without crowds, which need not be found."""
        return frozenset(np.unique(target["labels"][~target["crowd"]]).tolist())

    def is_placed(self, target: Arrays) -> bool:
        """Return True if there is a box."""
        return len(target["boxes"]) > 0

    def extent(self, target: Arrays) -> tuple[float, float, float, float] | None:
        """Return the rectangle around all boxes; None without boxes."""
        boxes = target["boxes"]
        if not len(boxes):
            return None
        (x1, y1), (x2, y2) = boxes[:, :2].min(axis=0).tolist(), boxes[:, 2:].max(axis=0).tolist()
        return x1, y1, x2, y2

    def borders(self, target: Arrays) -> None:
        """Return None: boxes are no label map."""
        return

    def prediction(self, raw: object, size: tuple[int, int]) -> Arrays:
        """Return `boxes` (N, 4) and `labels`, `scores` (N,) of a dict of these.

        Raises `ModelError` for anything else.
        """
        table = _Table.of(MessageSubject.prediction(size), raw, ("boxes", "scores", "labels"))
        objects = table.objects()
        scores = table.column("scores", "f", "floating-point numbers")
        table.check(np.isfinite(scores), "score", scores, "finite scores", "check the model's number format")
        scores = scores.astype(np.result_type(scores.dtype, np.float32))
        return {"boxes": objects.boxes, "labels": objects.labels, "scores": scores}

    def restored(self, prediction: Arrays, geometry: Geometry) -> Arrays:
        """Return the detections with their boxes at the source's scale, none of them clipped."""
        return {**prediction, "boxes": restored_boxes(prediction["boxes"], geometry)}

    def cropped(self, target: Arrays, geometry: Geometry) -> Arrays:
        """Return the objects of which some area lies in the crop, each clipped to it.

        An area that the data states shrinks by as much as that of the box, since the mask behind it is unknown.
        """
        boxes, shares = cropped_boxes(target["boxes"], geometry)
        kept = shares > 0
        return {
            "boxes": boxes[kept],
            "labels": target["labels"][kept],
            "area": (target["area"] * shares)[kept],
            "crowd": target["crowd"][kept],
        }

    def evidence(self, prediction: Arrays, target: Arrays, size: tuple[int, int]) -> Arrays:
        """Return the evidence that the class describes."""
        truth = Truth(Boxes(target["boxes"], target["labels"]), target["area"], target["crowd"])
        order = ranked(prediction["labels"], prediction["scores"])
        detections = Boxes(prediction["boxes"][order], prediction["labels"][order])
        scores = prediction["scores"][order]
        matches = match(detections, truth)
        labels, rows = np.unique(truth.objects.labels, return_inverse=True)
        counts = np.zeros((len(labels), len(AREAS)), dtype=np.int32)
        for column, area in enumerate(AREAS):
            np.add.at(counts[:, column], rows[~truth.ignored(area)], 1)
        return {
            "labels": detections.labels,
            "scores": scores,
            "found": matches.found,
            "ignored": matches.ignored,
            "truth_labels": labels,
            "truth_counts": counts,
        }

    def scorer(self, metric: str, items: Sequence[Arrays]) -> AveragePrecision:
        """Return the scorer of average precision; it is NaN for an area range without objects to find."""
        if metric not in MEANINGS:
            raise unknown_metric(metric, self.metrics)
        area, ious = MEANINGS[metric]
        return AveragePrecision.of(items, area, ious)

    def skill(self, items: Sequence[Arrays]) -> Skill:
        """Return the demand of a COCO AP of at least `LEAST` points, for any metric."""
        whole, ious = MEANINGS["map"]
        wanted = [item["truth_counts"][:, whole] > 0 for item in items]
        truth = [item["truth_labels"][some] for item, some in zip(items, wanted, strict=True)]
        return Skill(
            Margin("mAP", AveragePrecision.of(items, whole, ious), least=LEAST),
            np.unique(np.concatenate([item["labels"] for item in items])),
            np.unique(np.concatenate(truth)),
            sum(bool(some.any()) for some in wanted),
            "objects to find",
            "box coordinates (x1, y1, x2, y2 in pixels of the image), label offsets, class order, channel order, "
            "preprocessing and weights",
        )

    def remarks(
        self, predictions: Sequence[Arrays], targets: Sequence[Arrays], sizes: Sequence[tuple[int, int]]
    ) -> tuple[str, ...]:
        """Return the range of each side's boxes, if they do not lie in the pixels of the images."""
        side = max((max(size) for size in sizes), default=0)
        remarks = (_scale(name, boxes, side) for name, boxes in (("truth", targets), ("model", predictions)))
        return tuple(remark for remark in remarks if remark is not None)

    def saturated(
        self, metric: str, items: Sequence[Arrays], predictions: Callable[[], Sequence[Arrays]]
    ) -> str | None:
        """Return None: a box can be wrong in every metric."""
        return None


def _scale(name: str, sides: Sequence[Arrays], longest: int) -> str | None:
    """Return a remark about boxes that are not in pixels of images whose longest side is `longest`."""
    boxes = np.concatenate([side["boxes"] for side in sides]) if sides else np.empty((0, 4))
    if not boxes.size:
        return None
    low, high = float(boxes.min()), float(boxes.max())
    if high <= 1 < longest or high > MISSIZED * longest:
        where = f"boxes of the {name} lie in {low:.4g} to {high:.4g}"
        expected = "expected pixels" if high <= 1 else f"expected pixels of images of up to {longest}"
        return f"{where}: {expected}"
    return None


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """A dict of columns with one row per box, while it is being read."""

    subject: MessageSubject
    columns: Mapping[str, Any]
    rows: int

    @classmethod
    def of(cls, subject: MessageSubject, raw: object, keys: tuple[str, ...]) -> _Table:
        names = ", ".join(keys[:-1]) + f" and {keys[-1]}"
        expected = f"a dict of {names}"
        if not isinstance(raw, Mapping):
            remedy = "return one dict of arrays per image"
            if isinstance(raw, (list, tuple)) and subject.error is DataError:
                remedy += f"; torchvision's CocoDetection does after {WRAP}"
            raise subject.refuse(f"is {describe(raw)}", expected, remedy)
        try:
            columns = {key: raw[key] for key in (*keys, *_OPTIONAL) if key in raw}
        except Exception as problem:  # a mapping class of a user may load its values only now
            found = f"cannot be opened ({described(problem)})"
            raise subject.refuse(found, expected, "return a dict that holds its arrays") from problem
        missing = [key for key in keys if key not in columns]
        if missing:
            raise subject.refuse(
                f"is {describe(raw)}", expected, f"add {' and '.join(missing)}, empty where nothing is seen"
            )
        boxes = read(columns["boxes"])
        return cls(subject, columns, 0 if boxes is None or not boxes.ndim else len(boxes))

    def objects(self) -> Boxes:
        """Return the boxes and their labels."""
        raw, subject = self.columns["boxes"], self.subject
        expected, remedy = "(N, 4), each (x1, y1, x2, y2) in pixels", "return one row of four numbers per box"
        form = getattr(getattr(raw, "format", None), "value", "XYXY")
        if form != "XYXY":
            raise subject.refuse(f"has boxes in the format {form}", expected, "convert them to XYXY")
        boxes = read(raw)
        if boxes is None or (boxes.shape[1:] != (4,) and boxes.shape != (0,)) or boxes.dtype.kind == "b":
            raise subject.refuse(f"has as boxes {describe(raw, dtype=True)}", expected, remedy)
        boxes = boxes.reshape(-1, 4).astype(np.float64)
        self.check(np.isfinite(boxes).all(axis=1), "box", boxes, "finite coordinates", "leave such boxes out")
        self.check(
            (boxes[:, 0] <= boxes[:, 2]) & (boxes[:, 1] <= boxes[:, 3]),
            "box",
            boxes,
            "(x1, y1, x2, y2) in pixels with x1 <= x2 and y1 <= y2",
            "convert boxes of another format, such as (x, y, width, height)",
        )
        return Boxes(boxes, self.column("labels", "iu", "integers").astype(np.int64))

    def column(self, key: str, kinds: str, what: str) -> NDArray[Any]:
        """Return the column of that name: `what`, of the numpy `kinds`, one for each box."""
        raw = self.columns[key]
        array = read(raw)
        if array is not None and array.shape == (self.rows,) and (not self.rows or array.dtype.kind in kinds):
            return array
        found = f"has as {key} {describe(raw, dtype=True)}"
        raise self.subject.refuse(found, f"{what} of shape ({self.rows},)", f"return one of {key} for each box")

    def check(self, fine: NDArray[np.bool_], name: str, values: NDArray[Any], expected: str, remedy: str) -> None:
        """Refuse the first row that is not `fine`."""
        if not fine.all():
            row = int(np.flatnonzero(~fine)[0])
            value = values[row]
            text = f"({', '.join(f'{side:g}' for side in value)})" if value.ndim else f"{value:g}"
            raise self.subject.refuse(f"has the {name} {text} in row {row}", expected, remedy)
