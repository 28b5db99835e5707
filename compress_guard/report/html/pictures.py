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
    """One image side by side: source, coded, difference."""

    id: str
    target: str
    sides: tuple[ImageSide, ...]


def shown_images(results: Sequence[CellResult], folders: Sequence[Path]) -> Mapping[str, tuple[ImageView, ...]]:
    """Return the pictures of cells by their ids: those of failed cells first, as many as there is room for."""
    shown: dict[str, tuple[ImageView, ...]] = {}
    room = MOST_BYTES
    order = {"failed": 0, "passed": 1, "skipped": 2}
    judged = [result for result in results if result.drop is not None]
    for result in sorted(judged, key=lambda each: (order[each.outcome], each.verdict != "inconclusive")):
        for image in _kept(folders, result):
            size = sum(map(len, image.pictures))
            if size <= room:
                room -= size
                shown[result.id] = (*shown.get(result.id, ()), _view(image))
    return shown


def _kept(folders: Sequence[Path], result: CellResult) -> tuple[WorstImage, ...]:
    """Return the pictures of a cell from the first folder that has them."""
    found = (kept_images(folder, result.id, result.drop) for folder in folders)
    return next((images for images in found if images), ())


def _view(image: WorstImage) -> ImageView:
    source, coded, difference = map(_uri, image.pictures)
    clean, compressed = (f", predicted: {text}" if text else "" for text in (image.clean, image.compressed))
    return ImageView(
        image.id,
        image.target,
        (
            ImageSide(source, f"Source{clean}"),
            ImageSide(coded, f"Coded{compressed}"),
            ImageSide(difference, f"Difference of the two, {GAIN} times"),
        ),
    )


def _uri(picture: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(picture).decode()}"
