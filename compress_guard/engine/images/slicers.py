"""Slicers of a guard's images: by a factory, by a field of their targets, or by the sizes of their objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from compress_guard.engine.images.factories import imported
from compress_guard.engine.images.reader import Slicer
from compress_guard.engine.trouble import pass_on
from compress_guard.errors import DataError, described
from compress_guard.records import Guard, Slicing, printable
from compress_guard.registry import TASKS
from compress_guard.tasks.arrays import describe
from compress_guard.tasks.contract import Task
from compress_guard.tasks.detection import MEANINGS
from compress_guard.tasks.matching import AREAS, Boxes, Truth
from compress_guard.thresholds.keys.slices import OBJECT_SIZE, SIZES

LABEL: Final = "label"
"""The field that stands for the target itself if that is a class index."""
EXPECTED: Final = "a text, a number, None (in no slice) or a list of these"


def slicers(guard: Guard, folder: Path) -> dict[str, Slicer]:
    """Return the slicer of each slicing of a guard; `folder` is on sys.path while factories are looked up.

    Raises `DataError` for a factory that cannot be imported.
    """
    task: Task = TASKS.resolve(guard.task)()
    return {slicing.name: _slicer(slicing, task, folder) for slicing in guard.slicings}


def _slicer(slicing: Slicing, task: Task, folder: Path) -> Slicer:
    if slicing.by == OBJECT_SIZE:
        return BySize(task)
    name = f"slices {slicing.name}"
    if ":" not in slicing.by:
        return ByField(name, slicing.by)
    expected = "a callable that takes the target and the id of an image and returns " + EXPECTED
    return ByFactory(name, slicing.by, imported(slicing.by, folder, DataError, expected))


@dataclass(frozen=True, slots=True)
class ByFactory:
    """Names from a user's callable, which gets the target and the id."""

    key: str
    """Name of what it is for, at the beginning of messages."""
    by: str
    factory: Callable[..., Any]
    expected: str = EXPECTED

    def __call__(self, target: object, image_id: str) -> tuple[str, ...]:
        try:
            given = self.factory(target, image_id)
        except BaseException as problem:
            pass_on(problem)
            raise DataError(f"{self.key}: {self.by} raised {described(problem)}; expected {self.expected}") from problem
        return texts(given, f"{self.key}: {self.by} gave", self.expected)


@dataclass(frozen=True, slots=True)
class ByField:
    """A field of the target."""

    key: str
    """Name of what it is for, at the beginning of messages."""
    by: str
    expected: str = EXPECTED

    def __call__(self, target: object, image_id: str) -> tuple[str, ...]:
        key, by = self.key, self.by
        if isinstance(target, Mapping):
            if set(target) == {"image_id"} != {by}:
                return ()  # torchvision's wrapped CocoDetection returns this for an image without objects
            if by not in target:
                found = f"has no field {by!r}, it has {', '.join(map(str, target)) or 'none'}"
                raise DataError(f"{key}: the target {found}; {self._remedy}")
            return texts(target[by], f"{key}: the field {by!r} is", self.expected)
        if by == LABEL:
            return texts(target, f"{key}: the target is", self.expected)
        raise DataError(f"{key}: the target is {describe(target)}, without a field {by!r}; {self._remedy}")

    @property
    def _remedy(self) -> str:
        return "expected it in every target; name a field that is there, or a factory package.module:callable"


@dataclass(frozen=True, slots=True)
class BySize:
    """Slices by the sizes of the objects in an image: COCO's small, medium and large."""

    task: Task

    def __call__(self, target: object, image_id: str) -> tuple[str, ...]:
        # The size serves messages only, and the task has accepted this target before.
        objects = self.task.target(target, (0, 0))
        truth = Truth(Boxes(objects["boxes"], objects["labels"]), objects["area"], objects["crowd"])
        return tuple(size for size, metric in SIZES.items() if not truth.ignored(AREAS[MEANINGS[metric][0]]).all())


def texts(value: object, described: str, expected: str = EXPECTED) -> tuple[str, ...]:
    """Return the names of slices or groups in a text, a number, None, or an array or list of these, each once.

    Numbers are written like 3 and 0.5, truth values like true. Raises `DataError`, beginning with `described`.
    """
    if getattr(value, "ndim", 0) <= 1:
        plain = _plain(value)
        several = plain if isinstance(plain, list | tuple | set | frozenset) else [plain]
        named = [_text(_plain(item)) for item in several if item is not None]
        if None not in named:
            return tuple(dict.fromkeys(name for name in named if name is not None))
    raise DataError(f"{described} {describe(value)}; expected {expected}")


def _plain(value: object) -> object:
    """Return tensors, arrays and their scalars as Python's own numbers and lists."""
    tolist = getattr(value, "tolist", None)
    return tolist() if callable(tolist) else value


def _text(value: object) -> str | None:
    """Return the name of a slice for a value; None if it cannot be one."""
    if isinstance(value, str):
        return printable(str.__str__(value)) or None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(int(value)) if isinstance(value, int) else None
