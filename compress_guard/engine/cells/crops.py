"""Targets behind a codec that crops: the crop that a guard has to ask for, and images of which it leaves nothing."""

from __future__ import annotations

from typing import Final

from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.prediction.clean.side import CleanSide
from compress_guard.engine.prediction.source_frame import framed_target
from compress_guard.errors import CodecError, DataError, OptionError
from compress_guard.records import CodecSpec, Guard
from compress_guard.tasks.contract import Task

_UNASKED: Final = (
    "codec {alias!r} delivers a part of its sources, whose targets the clean sources do not have; expected reference: "
    "input, so that both sides are cropped; set it, or take the crop out of the codec"
)
_IMPOSSIBLE: Final = "{problem}; change that step, or leave this image out of the data set"
_EMPTY: Final = (
    "the crop of codec {alias!r} leaves nothing of the target of {images}; expected objects, or pixels that count, in "
    "some; move or enlarge the crop"
)


def check_reference(guard: Guard, codec: CodecSpec, coder: Coder) -> tuple[bool, dict[int, str]]:
    """Return True for a codec that crops an image, and the errors, by position, of images that it cannot scale or crop.

    They have then failed to be coded. Raises `OptionError` if the guard compares a crop with whole sources.
    """
    impossible: dict[int, str] = {}
    cropped = False
    for at in range(len(coder.survey.infos)):
        try:
            cropped |= coder.geometry(at).cropped
        except CodecError as problem:
            impossible[at] = _IMPOSSIBLE.format(problem=problem)
    if cropped and guard.reference != "input":
        raise OptionError(_UNASKED.format(alias=codec.alias))
    coder.failures.update(impossible)
    return cropped, impossible


def emptied(clean: CleanSide, limit: int | None, codec: CodecSpec, coder: Coder) -> int:
    """Return the number of images of which the codec's crop leaves no class that counts, though the whole one has some.

    It is counted once for all cells with this crop. Raises `DataError` if nothing is left of any of these images, and
    what the data and the task raise.
    """
    subject = clean.subject
    counts = subject.once(clean.named("crop", limit), lambda: _counted(subject.task, subject.subset(limit), coder))
    having, lost = counts
    if having and lost == having:
        images = "the one image that has any" if having == 1 else f"any of the {having} images that have any"
        raise DataError(_EMPTY.format(alias=codec.alias, images=images))
    return lost


def _counted(task: Task, subset: Subset, coder: Coder) -> tuple[int, int]:
    """Return the number of images with a class that counts, and of those that lose all of them."""
    having = lost = 0
    for at, index in enumerate(subset.survey.usable):
        if at in coder.failures:
            continue
        target = subset.samples[index].target
        if task.classes(target):
            having += 1
            lost += not task.classes(framed_target(task, target, coder.geometry(at)))
    return having, lost
