"""Drawing of small pictures: an image, the boxes or the mask of a prediction on it, the difference of two images."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from PIL import Image

    from compress_guard.records import Geometry
    from compress_guard.tasks.contract import Arrays

LARGEST_SIDE: Final = 320
"""Pixels of the longer side of a picture."""
GAIN: Final = 4
"""Factor of the differences, which are hard to see as they are."""
LEAST_SCORE: Final = 0.3
MOST_BOXES: Final = 30
MOST_CHANGES: Final = 2
"""Most changes of a class that the words on a mask name."""
LEAST_SHARE: Final = 0.005
"""Share of the pixels that changed from one class to another where the words on a mask name it."""
_QUALITY: Final = 75
_COLOURS: Final = np.array(
    [
        *[(230, 60, 60), (60, 140, 240), (250, 180, 30), (60, 190, 100), (190, 90, 230), (30, 200, 210)],
        *[(240, 110, 180), (150, 95, 50), (170, 210, 60), (20, 90, 160), (255, 130, 60), (120, 120, 120)],
    ],
    dtype=np.uint8,
)
"""Colours of classes, which begin anew behind the last; the style of reports has the same."""
MOST_KEYS: Final = 12
"""Most classes whose colours are explained."""
_IGNORED: Final = 255


def in_frame(image: torch.Tensor, geometry: Geometry) -> Image.Image:
    """Return a delivered image (3, H, W) at its place in the frame of its source, grey around it."""
    from PIL import Image

    delivered = Image.fromarray(image.cpu().permute(1, 2, 0).contiguous().numpy())
    height, width = geometry.source
    if geometry.same:
        return delivered
    left, top, right, bottom = (round(edge) for edge in geometry.box)
    canvas = Image.new("RGB", (width, height), (128, 128, 128))
    canvas.paste(delivered.resize((max(1, right - left), max(1, bottom - top))), (left, top))
    return canvas


def drawn(image: Image.Image, arrays: Arrays, corner: tuple[int, int]) -> bytes:
    """Return a picture with the boxes or the mask of a prediction or a target, whose frame begins at `corner` (x, y).

    Classes are not drawn: they are words.
    """
    if "boxes" in arrays:
        return _encoded(_with_boxes(image, arrays, corner))
    if "labels" in arrays and arrays["labels"].ndim == 2:
        return _encoded(_with_mask(image, arrays["labels"], corner))
    return _encoded(_small(image))


def difference(source: Image.Image, coded: Image.Image) -> bytes:
    """Return a picture of the absolute difference of two images of one size, `GAIN` times as large."""
    from PIL import Image

    apart = np.abs(np.asarray(source, dtype=np.int16) - np.asarray(coded, dtype=np.int16))
    return _encoded(_small(Image.fromarray(np.minimum(apart * GAIN, 255).astype(np.uint8))))


def words(arrays: Mapping[str, NDArray[Any]], classes: Mapping[int, str] | None = None) -> str:
    """Return a prediction or a target in words: ``cat`` or ``class 3``, ``2 boxes``, ``4 labels``."""
    if "scores" in arrays and "boxes" not in arrays:
        return named(int(arrays["scores"].argmax()), classes)
    if "label" in arrays:
        return named(int(arrays["label"]), classes)
    if "boxes" in arrays:
        count = len(_chosen(arrays))
        return f"{count} {'box' if count == 1 else 'boxes'}"
    if "labels" in arrays:
        count = len(np.setdiff1d(np.unique(arrays["labels"]), [_IGNORED]))
        return f"{count} {'label' if count == 1 else 'labels'}"
    return ""


def taken_for(before: Arrays, after: Arrays, classes: Mapping[int, str]) -> str:
    """Return the commonest changes between two masks, in words: ``cat taken for dog``; empty for other predictions."""
    masks = (before.get("labels"), after.get("labels"))
    if masks[0] is None or masks[1] is None or masks[0].ndim != 2 or masks[0].shape != masks[1].shape:
        return ""
    first, second = (mask.astype(np.int64) for mask in masks if mask is not None)
    moved = (first != second) & (first != _IGNORED) & (second != _IGNORED)
    pairs, counts = np.unique(np.stack([first[moved], second[moved]]), axis=1, return_counts=True)
    least = max(1, int(LEAST_SHARE * first.size))
    commonest = [at for at in np.argsort(-counts, kind="stable")[:MOST_CHANGES] if counts[at] >= least]
    texts = (f"{named(int(a), classes)} taken for {named(int(b), classes)}" for a, b in pairs.T[commonest].tolist())
    return ", ".join(texts)


def named(label: int, classes: Mapping[int, str] | None) -> str:
    """Return the name of a class, or ``class 3``."""
    return (classes or {}).get(label, f"class {label}")


def is_placed(arrays: Arrays) -> bool:
    """Return True for a prediction or a target that is drawn, as boxes or as a mask."""
    return "boxes" in arrays or ("labels" in arrays and arrays["labels"].ndim == 2)


def key(sides: Iterable[Arrays], classes: Mapping[int, str]) -> tuple[tuple[int, str], ...]:
    """Return number of the colour and name of the classes that are drawn on any of these sides, by label."""
    labels: set[int] = set()
    for arrays in sides:
        if "boxes" in arrays:
            labels.update(arrays["labels"][_chosen(arrays)].tolist())
        elif is_placed(arrays):
            labels.update(np.setdiff1d(np.unique(arrays["labels"]), [0, _IGNORED]).tolist())
    shown = sorted(labels)[:MOST_KEYS]
    return tuple((label % len(_COLOURS), named(label, classes)) for label in shown)


def _chosen(arrays: Arrays) -> NDArray[np.intp]:
    """Return the positions of the boxes that are drawn: all of a target, the surest of a prediction."""
    if "scores" not in arrays:
        return np.arange(min(len(arrays["boxes"]), MOST_BOXES))
    order = np.argsort(-arrays["scores"], kind="stable")[:MOST_BOXES]
    chosen: NDArray[np.intp] = order[arrays["scores"][order] >= LEAST_SCORE]
    return chosen


def _with_boxes(image: Image.Image, arrays: Arrays, corner: tuple[int, int]) -> Image.Image:
    from PIL import ImageDraw

    small = _small(image)
    across, down = small.width / image.width, small.height / image.height
    canvas = ImageDraw.Draw(small)
    for at in _chosen(arrays).tolist():
        left, top, right, bottom = arrays["boxes"][at].tolist()
        colour = tuple(_COLOURS[int(arrays["labels"][at]) % len(_COLOURS)].tolist())
        xs = sorted(((left + corner[0]) * across, (right + corner[0]) * across))
        ys = sorted(((top + corner[1]) * down, (bottom + corner[1]) * down))
        canvas.rectangle((xs[0], ys[0], xs[1], ys[1]), outline=colour, width=2)
    return small


def _with_mask(image: Image.Image, labels: NDArray[Any], corner: tuple[int, int]) -> Image.Image:
    from PIL import Image

    pixels = np.asarray(image).copy()
    left, top = corner
    area = pixels[top : top + labels.shape[0], left : left + labels.shape[1]]
    shown = labels[: area.shape[0], : area.shape[1]]
    counts = (shown != 0) & (shown != _IGNORED)  # label 0 is the background as a rule
    colours = _COLOURS[shown % len(_COLOURS)]
    area[counts] = (0.5 * area[counts] + 0.5 * colours[counts]).astype(np.uint8)
    return _small(Image.fromarray(pixels))


def _small(image: Image.Image) -> Image.Image:
    """Return a copy that is at most `LARGEST_SIDE` pixels wide and high."""
    copy = image.copy()
    copy.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    return copy


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=4)
    return buffer.getvalue()
