"""Images that compression changed for the model, and the cost of each to the score."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from compress_guard.foreign import shown_json
from compress_guard.records import Evidence, LossFigures, SliceResult
from compress_guard.records.evidence import same

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Arrays, Task
    from compress_guard.tasks.scorer import Scorer

NAMED: Final = 5
"""Number of images that a result names."""
BLOCK: Final = 1000
"""Most images that are compared with one another: the work grows with the square of their number."""
_CHUNK: Final = 2_000_000
"""Number of weights that are scored at once."""


@dataclass(frozen=True, slots=True)
class Flip:
    """An image whose flag changed, with the predicted classes; None where the task's evidence names none."""

    id: str
    target: int | None
    clean: int | None
    compressed: int | None


@dataclass(frozen=True, slots=True)
class Changes:
    """Effect of compression on a cell's images."""

    images: int
    changed: tuple[str, ...]
    """Images whose evidence differs. They and the flips are in the order of the evidence."""
    harmful: tuple[Flip, ...] | None
    """Right when clean and wrong when compressed; None for metrics without flags."""
    helpful: tuple[Flip, ...] | None
    """Wrong when clean and right when compressed; None for metrics without flags."""
    losses: tuple[tuple[str, float], ...]
    """Images that make any difference: id and the points of the drop that come from it. The largest loss comes first,
    gains (below 0) come last. The points sum to about the drop, for metrics with flags exactly."""

    @property
    def worst(self) -> tuple[tuple[str, float], ...]:
        """Images that cost most; of harmful flips, which all cost the same, the first few."""
        return tuple((name, points) for name, points in self.losses[:NAMED] if points > 0)

    def figures(self, slices: tuple[SliceResult, ...] = ()) -> LossFigures:
        """Return the part of a result that these changes and the slices of the same images make."""
        return LossFigures(
            changed=len(self.changed),
            harmful_flips=None if self.harmful is None else len(self.harmful),
            helpful_flips=None if self.helpful is None else len(self.helpful),
            worst=self.worst,
            slices=slices,
        )

    def to_json(self) -> bytes:
        """Return all changes as JSON, for the archive of evidence."""
        values = asdict(self)
        values["losses"] = [{"id": name, "points": points} for name, points in self.losses]
        return shown_json(json.dumps(values, allow_nan=False, ensure_ascii=False)).encode() + b"\n"


def changes(task: Task, metric: str, clean: Evidence, compressed: Evidence) -> Changes:
    """Return the changes from `clean` to `compressed`, the same images in the same order, under a metric of the task.

    The cost of an image is the fall of the score when that image goes from clean to compressed, while each other image
    counts half with its clean and half with its compressed evidence. So an image of unchanged evidence costs nothing,
    and the costs sum to about the drop; a comparison at either end would miss it if the score is no mean. More than
    `BLOCK` images are compared in blocks of about that many, taken at equal steps through the order. There are no
    costs if the score is undefined. Raises ValueError for evidence of different images.
    """
    if clean.ids != compressed.ids:
        raise ValueError("the evidence is of different images, expected the same ones in the same order")
    differs = [not same(*pair) for pair in zip(clean.items, compressed.items, strict=True)]
    changed = tuple(name for name, new in zip(clean.ids, differs, strict=True) if new)
    before, after = (task.scorer(metric, side.items).flags for side in (clean, compressed))
    if before is not None and after is not None:
        harmful = _flips(clean, compressed, before & ~after)
        helpful = _flips(clean, compressed, after & ~before)
        share = 100 / max(1, len(clean.ids))
        losses = [(flip.id, share) for flip in harmful] + [(flip.id, -share) for flip in helpful]
        return Changes(len(clean.ids), changed, harmful, helpful, tuple(losses))
    costs = [
        (clean.ids[place], float(points))
        for block in _blocks(len(clean.ids))
        for place, points in _costs(task, metric, (clean.items, compressed.items), block, differs)
        if points
    ]
    return Changes(len(clean.ids), changed, None, None, tuple(sorted(costs, key=lambda cost: (-cost[1], cost[0]))))


def _flips(clean: Evidence, compressed: Evidence, chosen: NDArray[np.bool_]) -> tuple[Flip, ...]:
    return tuple(
        Flip(
            clean.ids[place],
            _number(clean.items[place], "target"),
            _number(clean.items[place], "predicted"),
            _number(compressed.items[place], "predicted"),
        )
        for place in np.flatnonzero(chosen).tolist()
    )


def _number(item: Mapping[str, Any], name: str) -> int | None:
    return int(item[name]) if name in item else None


def _blocks(images: int) -> Iterator[range]:
    """Yield all positions in blocks of at most BLOCK, each at equal steps through the whole order."""
    parts = -(-images // BLOCK)
    for first in range(parts):
        yield range(first, images, parts)


def _costs(
    task: Task, metric: str, sides: tuple[Sequence[Arrays], Sequence[Arrays]], block: range, differs: Sequence[bool]
) -> Iterator[tuple[int, float]]:
    """Yield the position of each changed image and the points that the score of all images loses by its change.

    Nothing is yielded if one of these losses is undefined."""
    clean, compressed = sides
    moved = [row for row, place in enumerate(block) if differs[place]]
    if not moved:
        return
    items = [clean[place] for place in block] + [compressed[block[row]] for row in moved]
    points = _swaps(task.scorer(metric, items), len(block), np.array(moved)) * len(block) / len(clean)
    if np.isfinite(points).all():
        yield from zip((block[row] for row in moved), points.tolist(), strict=True)


def _swaps(scorer: Scorer, images: int, moved: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the points (M,) that the score loses when each of the `moved` images (M,) goes from clean to compressed.

    The scorer is over the clean evidence of `images` images, followed by the compressed evidence of those that moved.
    """
    middle = np.ones(images + len(moved))
    middle[moved] = middle[images:] = 0.5
    chunk = max(1, _CHUNK // len(middle))
    costs = []
    for start in range(0, len(moved), chunk):
        own = moved[start : start + chunk]
        rows, twins = np.arange(len(own)), images + start + np.arange(len(own))
        scores = []
        for share in (1.0, 0.0):
            weights = np.tile(middle, (len(own), 1))
            weights[rows, own], weights[rows, twins] = share, 1 - share
            scores.append(scorer(weights))
        costs.append(scores[0] - scores[1])
    return np.concatenate(costs)
