"""Predictions and targets of pictures that a codec scaled or cropped, both in the frame of the source.

Predictions are brought back, so that targets stay as the data set gives them. Where a part of the source is not
delivered, both are in the frame of that part, at the scale of the source.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from compress_guard.errors import ModelError
from compress_guard.records import Geometry
from compress_guard.tasks.contract import FramedTask, Task
from compress_guard.tasks.frames import frame_size

if TYPE_CHECKING:
    from compress_guard.tasks.contract import Arrays

_UNABLE: Final = (
    "the codec delivers {height}x{width} pixels of a source of {source_height}x{source_width} (height x width), and "
    "the task {task!r} cannot bring predictions back to the source; expected a task with restored() and cropped(); "
    "add them (docs/howto/extending.md), or measure it with codecs that keep the size"
)


def restored(task: Task, prediction: Arrays, geometry: Geometry) -> Arrays:
    """Return a prediction for a delivered picture in the source's frame.

    Raises `ModelError` for a task that cannot bring predictions back.
    """
    return prediction if geometry.same else _framed(task, geometry).restored(prediction, geometry)


def framed_target(task: Task, target: Arrays, geometry: Geometry) -> Arrays:
    """Return the target in the frame of the delivered part of its source; raises `ModelError` as `restored` does."""
    return _framed(task, geometry).cropped(target, geometry) if geometry.cropped else target


def framed_size(geometry: Geometry) -> tuple[int, int]:
    """Return (H, W) of that frame in pixels."""
    return frame_size(geometry) if geometry.cropped else geometry.source


def _framed(task: Task, geometry: Geometry) -> FramedTask:
    if isinstance(task, FramedTask):
        return task
    (height, width), (source_height, source_width) = geometry.delivered, geometry.source
    raise ModelError(
        _UNABLE.format(
            height=height, width=width, source_height=source_height, source_width=source_width, task=task.name
        )
    )
