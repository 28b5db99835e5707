"""Pictures of the worst images as a page holds them: inside it, no more than an e-mail can carry."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compress_guard.engine.pictures.drawing import GAIN
from compress_guard.engine.pictures.kept import WorstImage, kept_images
from compress_guard.records import CellResult

MOST_BYTES: Final = 1_900_000
"""Bytes of all pictures of a page, which takes four thirds of that for them."""


@dataclass(frozen=True, slots=True)
class ImageSide:
    """One picture of an image."""

    data: str
    """The picture as a data URI."""
    text: str


@dataclass(frozen=True, slots=True)
class ImageView:
    """One image side by side: the truth where it is drawn, source, coded, difference."""

    name: str
    """Name of its file, else its id."""
    id: str
    """Id of an image that is shown by another name; empty for others."""
    target: str
    sides: tuple[ImageSide, ...]
    key: tuple[tuple[int, str], ...]
    """Number of the colour and name of each class that is drawn."""


def shown_images(results: Sequence[CellResult], folders: Sequence[Path]) -> Mapping[str, tuple[ImageView, ...]]:
    """Return the pictures of cells by their ids: those of failed cells first, as many as there is room for."""
    shown: dict[str, tuple[ImageView, ...]] = {}
    room = MOST_BYTES
    order = {"failed": 0, "passed": 1, "skipped": 2}
    judged = [result for result in results if result.drop is not None]
    for result in sorted(judged, key=lambda each: (order[each.outcome], each.verdict != "inconclusive")):
        for image in _kept(folders, result):
            size = sum(len(picture) for _, picture in image.sides)
            if size <= room:
                room -= size
                shown[result.id] = (*shown.get(result.id, ()), _view(image))
    return shown


def _kept(folders: Sequence[Path], result: CellResult) -> tuple[WorstImage, ...]:
    """Return the pictures of a cell from the first folder that has them."""
    found = (kept_images(folder, result.id, result.drop, result.worst) for folder in folders)
    return next((images for images in found if images), ())


def _view(image: WorstImage) -> ImageView:
    source, coded, difference = map(_uri, image.pictures)
    clean, compressed = (f", predicted: {text}" if text else "" for text in (image.clean, image.compressed))
    truth = ImageSide(_uri(image.truth), f"Source, truth: {image.target}") if image.truth else None
    return ImageView(
        image.name or image.id,
        image.id if image.name and image.name != image.id else "",
        "" if truth is not None else image.target,
        (
            *([] if truth is None else [truth]),
            ImageSide(source, f"Source{clean}"),
            ImageSide(coded, f"Coded{compressed}"),
            ImageSide(difference, f"Difference of the two, {GAIN} times"),
        ),
        image.key,
    )


def _uri(picture: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"
