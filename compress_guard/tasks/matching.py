"""Detections of one image matched with its ground truth, as COCO does it: per area range and IoU threshold.

The matching is COCOeval's (pycocotools/cocoeval.py in https://github.com/cocodataset/cocoapi), run by the C++ functions
of faster-coco-eval on one image at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from compress_guard.errors import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

AREAS: Final[tuple[tuple[float, float], ...]] = (
    (0.0, 1e5**2),
    (0.0, 32.0**2),
    (32.0**2, 96.0**2),
    (96.0**2, 1e5**2),
)
"""Ranges of area in square pixels, ends included: all, small, medium, large."""

IOUS: Final[NDArray[np.float64]] = np.linspace(0.5, 0.95, 10)
"""IoU thresholds, computed as COCOeval computes them."""

MAX_DETECTIONS: Final = 100
"""Detections of one class and image that count, the highest scores."""

BITS: Final = (1 << np.arange(len(IOUS))).astype(np.uint16)
"""Of each IoU threshold in the flags of `Matches`."""


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Boxes (N, 4) in pixels as (x1, y1, x2, y2), float64, and their labels (N,) int64."""

    boxes: NDArray[np.float64]
    labels: NDArray[np.int64]

    @property
    def corners_and_sides(self) -> NDArray[np.float64]:
        """(N, 4) as (x, y, width, height)."""
        return np.concatenate([self.boxes[:, :2], self.boxes[:, 2:] - self.boxes[:, :2]], axis=1)

    @property
    def area(self) -> NDArray[np.float64]:
        """(N,) square pixels."""
        area: NDArray[np.float64] = np.prod(self.boxes[:, 2:] - self.boxes[:, :2], axis=1)
        return area


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """The ground truth of an image: boxes, areas (N,) as the data states them, and which boxes are crowds (N,) bool."""

    objects: Boxes
    area: NDArray[np.float64]
    crowd: NDArray[np.bool_]

    def ignored(self, area: tuple[float, float]) -> NDArray[np.bool_]:
        """(N,) objects that need not be found in this area range."""
        low, high = area
        ignored: NDArray[np.bool_] = self.crowd | (self.area < low) | (self.area > high)
        return ignored


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """What became of each detection: bit t of a (N, 4) uint16 is IoU threshold t, columns are the area ranges.

    A detection is a true positive (`found`), it does not count (`ignored`), or it is a false positive (neither).
    """

    found: NDArray[np.uint16]
    ignored: NDArray[np.uint16]


def ranked(labels: NDArray[np.int64], scores: NDArray[np.floating[Any]]) -> NDArray[np.intp]:
    """Indices of the detections that count, by class and then by falling score; equal scores keep their order."""
    order = np.lexsort((-scores, labels))
    ranks = np.arange(len(order)) - np.searchsorted(labels[order], labels[order])
    chosen: NDArray[np.intp] = order[ranks < MAX_DETECTIONS]
    return chosen


def match(detections: Boxes, scores: NDArray[np.floating[Any]], truth: Truth) -> Matches:
    """Matches of detections that are `ranked`."""
    areas = detections.area
    outside = np.stack([(areas < low) | (areas > high) for low, high in AREAS], axis=1)
    found = np.zeros(outside.shape, dtype=np.uint16)
    ignored = np.where(outside, BITS.sum(), 0).astype(np.uint16)
    near = _near(detections, truth)
    if near:
        rows = np.concatenate([one.detections for one in near])
        matched, passed = _evaluate(near, areas, scores, truth)
        found[rows], ignored[rows] = _packed(matched & ~passed), _packed(passed)
    return Matches(found, ignored)


def _packed(flags: NDArray[np.bool_]) -> NDArray[np.uint16]:
    """Flags (areas, IoUs, D) as (D, areas), one bit for each IoU threshold."""
    packed: NDArray[np.uint16] = np.einsum("atd,t->da", flags.astype(np.uint16), BITS)
    return packed


@dataclass(frozen=True, slots=True, eq=False)
class _Class:
    """A class: its objects (G,), the detections (D,) that come near enough to one, and the IoUs (D, G)."""

    label: int
    objects: NDArray[np.intp]
    detections: NDArray[np.intp]
    ious: NDArray[np.float64]


def _near(detections: Boxes, truth: Truth) -> list[_Class]:
    from faster_coco_eval.core import mask

    found, wanted = detections.corners_and_sides, truth.objects.corners_and_sides
    near = []
    for label in np.intersect1d(detections.labels, truth.objects.labels):
        rows, objects = np.flatnonzero(detections.labels == label), np.flatnonzero(truth.objects.labels == label)
        ious = np.asarray(mask.iou(found[rows], wanted[objects], truth.crowd[objects].astype(int).tolist()))
        reaches = ious.max(axis=1) >= IOUS[0]
        if reaches.any():
            near.append(_Class(int(label), objects, rows[reaches], ious[reaches]))
    return near


def _evaluate(
    near: list[_Class], areas: NDArray[np.float64], scores: NDArray[np.floating[Any]], truth: Truth
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which detections are matched, and which ignored: both (areas, IoUs, D), the detections class after class."""
    from faster_coco_eval import faster_eval_api_cpp as cpp

    wanted, found = cpp.Dataset(), cpp.Dataset()
    for one in near:
        # Numbers from 1, since COCOeval takes the number 0 for "no match".
        for number, index in enumerate(one.objects.tolist(), 1):
            crowd = int(truth.crowd[index])
            wanted.append_ref(
                0, one.label, {"id": number, "area": truth.area[index], "iscrowd": crowd, "ignore": crowd}
            )
        for number, index in enumerate(one.detections.tolist(), 1):
            found.append_ref(0, one.label, {"id": number, "area": areas[index], "score": float(scores[index])})
    labels, ious = [one.label for one in near], [[one.ious.tolist() for one in near]]
    evaluations = cpp.COCOevalEvaluateImages(
        [list(area) for area in AREAS], MAX_DETECTIONS, IOUS.tolist(), ious, wanted, found, [0], labels, True
    )
    matched, passed = [], []
    for place, one in enumerate(near):
        states = [_state(each, one) for each in evaluations[place * len(AREAS) : (place + 1) * len(AREAS)]]
        shape = (len(AREAS), len(IOUS), len(one.detections))
        matched.append(np.array([state[0] for state in states]).reshape(shape) > 0)
        passed.append(np.array([state[1] for state in states]).reshape(shape))
    return np.concatenate(matched, axis=2), np.concatenate(passed, axis=2)


def _state(evaluation: Any, one: _Class) -> tuple[list[int], list[bool]]:
    """An ImageEvaluation's detection_matches and detection_ignores, which only its pickled state shows."""
    state, values = evaluation.__getstate__(), len(IOUS) * len(one.detections)
    if len(state) < 5 or len(state[0]) != values or len(state[4]) != values:
        raise RunError(
            "faster-coco-eval keeps its matches in a layout that compress_guard does not know; expected that of version"
            " 1.8; install faster-coco-eval>=1.8,<1.9"
        )
    return state[0], state[4]
