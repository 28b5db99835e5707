"""Alignment of images that EXIF turns with their targets, and how a data set reveals the right one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, final

from compress_guard.codecs.pictures.levels import Levels
from compress_guard.codecs.pictures.orientation import UPRIGHT, loaded, stored_pil, turned_pil
from compress_guard.codecs.pixels import Picture
from compress_guard.errors import DataError
from compress_guard.records import Orientation
from compress_guard.registry import TASKS
from compress_guard.tasks.arrays import read
from compress_guard.tasks.borders import Borders
from compress_guard.tasks.contract import Task

if TYPE_CHECKING:
    import torch

    from compress_guard.tasks.contract import Arrays

MARGIN: Final = 1.0
"""Pixels by which boxes may leave an image: rounding, and coordinates that count from 1."""
CLEAR: Final = 0.01
"""Share of the longer side: sloppy boxes leave their own image by less, those of another orientation by more."""

_ORIENTATIONS: Final[tuple[Orientation, Orientation]] = ("upright", "stored")
_REMEDIES: Final = (
    "orientation: upright (images are turned by EXIF, targets are upright already) or orientation: stored (nothing is "
    "turned)"
)

Fit = Literal["upright", "stored", "both"]
"""Orientation of its image in which a target fits."""

ReadTarget = Callable[[object, tuple[int, int]], Any]
Extent = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Facts about an image and its target on arrival, before either was turned or converted."""

    levels: Levels
    turn: int = UPRIGHT
    """The EXIF orientation, 1 to 8, of the image, or else of a label map that is a PIL image itself."""
    used: Orientation = "upright"
    """Orientation in which the image was read; ``upright`` without a turn."""
    fit: Fit | None = None
    """None if nothing has to be settled: no turn, no position in the target, or the guard gives the orientation."""
    extent: Extent | None = None
    """(x1, y1, x2, y2) around all boxes of the target, in pixels of the image as it was read; None without any."""
    size: tuple[int, int] = (0, 0)
    """(H, W) of the image as it was read."""
    borders: Borders | None = None
    """Sharpness of the borders of a label map; None if the task read no map."""

    @property
    def overshoot(self) -> float:
        """Pixels by which the target's boxes leave the image; negative where they lie within."""
        return overshoot(self.extent, self.size)


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """A data set's target; a PIL image may have an EXIF orientation of its own."""

    raw: object
    turn: int = UPRIGHT
    turned_by_decoder: bool = False

    @classmethod
    def of(cls, raw: object) -> _Target:
        from PIL import Image

        return cls(raw, *loaded(raw)) if isinstance(raw, Image.Image) else cls(raw)

    def at(self, orientation: Orientation) -> Any:
        """Return the target that fits an image in this orientation."""
        if self.turn == UPRIGHT or self.turned_by_decoder == (orientation == "upright"):
            return self.raw
        return (turned_pil if orientation == "upright" else stored_pil)(self.raw, self.turn)  # type: ignore[arg-type]


@final
class Placing:
    """The way in which the images and targets of one data set are read, shared by all its readers.

    `task` gives the meaning of targets; None: it is guessed from each target. `wanted` is the orientation of the guard;
    None: images are read upright until the images that were read tell which orientation is right.
    """

    def __init__(self, task: Task | None = None, wanted: Orientation | None = None) -> None:
        self.used: Orientation = wanted or "upright"
        self._wanted: Final = wanted
        self._task: Final = task

    def read(self, image: object, raw: object, read_target: ReadTarget) -> tuple[torch.Tensor, Any, Arrival]:
        """Return the pixels on the CPU, the target, and facts about both; raises `DataError`, errors of user code."""
        picture, target = Picture.read(image), _Target.of(raw)
        turn = picture.turn if picture.turn != UPRIGHT else target.turn
        task = self._task if self._task is not None else _task_of(raw)
        fit = _fit(task, picture, target) if turn != UPRIGHT and self._wanted is None else None
        used = "upright" if turn == UPRIGHT else self.used if fit is None or fit == "both" else fit
        size = picture.size(used)
        try:
            placed = read_target(target.at(used), size)
        except DataError as problem:
            raise _with_hint(problem, task, picture, target, used) from problem
        pixels = picture.at(used).cpu()
        borders = None if self._task is None else _borders(self._task, placed, raw, size)
        return (
            pixels,
            placed,
            Arrival(picture.levels(), turn, used, fit, _extent(task, placed, raw, size), size, borders),
        )


def overshoot(extent: Extent | None, size: tuple[int, int]) -> float:
    """Return the pixels by which boxes within `extent` leave an image of this (H, W); at most 0 for boxes inside."""
    if extent is None:
        return 0.0
    x1, y1, x2, y2 = extent
    return max(-x1, -y1, x2 - size[1], y2 - size[0])


def settled(arrivals: Mapping[str, Arrival]) -> Orientation | None:
    """Return the one orientation that fits the targets of these images, by id; None if nothing has to be settled.

    Raises `DataError` if images contradict one another, or if all that have to be settled fit both ways.
    """
    turned = [(name, arrival) for name, arrival in arrivals.items() if arrival.turn != UPRIGHT]
    by_fit = {fit: [name for name, arrival in turned if arrival.fit == fit] for fit in ("upright", "stored", "both")}
    upright, stored, both = by_fit["upright"], by_fit["stored"], by_fit["both"]
    if upright and stored:
        raise DataError(
            f"EXIF turns {len(turned)} images, and their targets disagree: those of {len(upright)} fit the upright "
            f"image only (the first: {upright[0]}), those of {len(stored)} the image as stored only (the first: "
            f"{stored[0]}); expected one way for the whole data set; mend the targets, or set {_REMEDIES}"
        )
    if upright or stored:
        return "upright" if upright else "stored"
    if both:
        raise DataError(
            f"EXIF turns {len(both)} {'image whose target fits' if len(both) == 1 else 'images whose targets fit'} the "
            f"upright image and the image as stored alike (the first: {both[0]}); expected a mask's size or a box that "
            f"tells which is meant; set {_REMEDIES}"
        )
    return None


def _task_of(raw: object) -> Task:
    """Return the task that the form of a target suggests."""
    array = read(raw)
    if isinstance(raw, Mapping) and "boxes" in raw:
        name = "detection"
    else:
        name = "segmentation" if array is not None and array.ndim == 2 else "classification"
    task: Task = TASKS.resolve(name)()
    return task


def _fit(task: Task, picture: Picture, target: _Target) -> Fit | None:
    """Return the orientation in which a target fits its picture; None if it cannot be read or marks no position."""
    beyond: dict[Orientation, float] = {}
    for used in _ORIENTATIONS:
        arrays = _arrays(task, target.at(used), picture.size(used))
        if arrays is not None:
            beyond[used] = overshoot(task.extent(arrays), picture.size(used)) if task.is_placed(arrays) else -math.inf
    if len(beyond) == 1:
        return next(iter(beyond))
    if not beyond or -math.inf in beyond.values():
        return None
    clear = max(MARGIN, CLEAR * max(picture.size("upright")))
    for used, other in (_ORIENTATIONS, _ORIENTATIONS[::-1]):
        if beyond[used] <= MARGIN and beyond[other] > clear:
            return used
    return "both"


def _arrays(task: Task, raw: object, size: tuple[int, int]) -> Arrays | None:
    try:
        return task.target(raw, size)
    except Exception:  # noqa: BLE001 - targets of a user's own tests may be anything; those of a guard are read again
        return None


def _extent(task: Task, placed: object, raw: object, size: tuple[int, int]) -> Extent | None:
    """Return the rectangle around all boxes of a target, whether its task has read it or not."""
    if not isinstance(raw, Mapping) or "boxes" not in raw:
        return None
    arrays = placed if placed is not raw and isinstance(placed, Mapping) else _arrays(task, raw, size)
    return None if arrays is None else task.extent(arrays)


def _borders(task: Task, placed: object, raw: object, size: tuple[int, int]) -> Borders | None:
    """Return the sharpness of the borders of a label map, whether its task has read it or not."""
    if placed is not raw:
        return task.borders(placed)  # type: ignore[arg-type]  # a target that a task has read consists of its arrays
    array = read(raw)
    arrays = _arrays(task, raw, size) if array is not None and array.ndim == 2 else None
    return None if arrays is None else task.borders(arrays)


def _with_hint(problem: DataError, task: Task, picture: Picture, target: _Target, used: Orientation) -> DataError:
    """Return the error of a target that does not fit, with a hint if it fits the other orientation."""
    other: Orientation = "stored" if used == "upright" else "upright"
    if picture.size(other) == picture.size(used) or _arrays(task, target.at(other), picture.size(other)) is None:
        return problem
    height, width = picture.size(other)
    what = "as its file stores it" if other == "stored" else "as EXIF turns it"
    return DataError(f"{problem}; the image {what} is 3x{height}x{width}, which fits: see the key orientation")
