"""A codec that scales and crops, scenes of coloured rectangles, and a detector that finds these exactly."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from compress_guard.codecs.contract import RealStreams
from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.records import Cell, CodecSpec, Fixed, Geometry, Guard
from compress_guard.registry import CODECS


@dataclass
class ThumbDiary:
    """The calls of the codec `thumb`, and its fault."""

    encoded: int = 0
    grown: bool = False
    """Does the decoder give a column too much?"""


class Thumb(RealStreams):
    """Pictures cropped to a box in shares of the sides, scaled to a longest side, and coded as JPEG or PNG."""

    type = "thumb"
    version = "1"

    def __init__(self, diary: ThumbDiary, longest: int = 48, crop: Sequence[float] = (), png: bool = False) -> None:
        self._diary, self._longest, self._crop, self._png = diary, longest, tuple(crop), png

    def __repr__(self) -> str:
        return f"Thumb({self._longest}, {self._crop}, {self._png})"

    @property
    def reshaping(self) -> str:
        return f"{self._longest} {self._crop}"

    @property
    def ladder(self) -> tuple[float, ...]:
        return (1.0,) if self._png else (30.0, 60.0, 90.0)

    def geometry(self, size: tuple[int, int]) -> Geometry:
        height, width = size
        x1, y1, x2, y2 = self._crop or (0, 0, 1, 1)
        box = (round(x1 * width), round(y1 * height), round(x2 * width), round(y2 * height))
        sides = box[3] - box[1], box[2] - box[0]
        scale = min(1, self._longest / max(sides))
        return Geometry(size, tuple(map(float, box)), tuple(max(1, round(side * scale)) for side in sides))

    def reshaped(self, images: Sequence[Any], workers: int = 1) -> list[Any]:
        return [from_pil(self._small(image)) for image in images]

    def _small(self, image: Any) -> Any:
        geometry = self.geometry(tuple(image.shape[-2:]))
        return to_pil(image).crop(tuple(map(int, geometry.box))).resize(geometry.delivered[::-1])

    def encode(self, images: Sequence[Any], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        return [self._write(image, setting) for image, setting in zip(images, settings, strict=True)]

    def _write(self, image: Any, setting: float) -> bytes:
        self._diary.encoded += 1
        target, options = io.BytesIO(), {} if self._png else {"quality": int(setting)}
        self._small(image).save(target, "PNG" if self._png else "JPEG", **options)
        return target.getvalue()

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[Any]:
        from PIL import Image

        return [self._grown(from_pil(Image.open(io.BytesIO(stream)))) for stream in streams]

    def _grown(self, image: Any) -> Any:
        import torch

        return torch.nn.functional.pad(image, (0, 1)) if self._diary.grown else image


@pytest.fixture
def thumb(monkeypatch: pytest.MonkeyPatch) -> ThumbDiary:
    """The diary of a codec called `thumb`, which is registered while a test runs."""
    diary = ThumbDiary()

    def made(**options: Any) -> Thumb:
        return Thumb(diary, **options)

    monkeypatch.setitem(CODECS._targets, "thumb", "nowhere:thumb")
    monkeypatch.setitem(CODECS._found, "thumb", made)
    return diary


COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255))


def scene(index: int, size: tuple[int, int]) -> tuple[Any, dict[str, Any]]:
    """Up to three rectangles, each of one colour and on even pixels, on black; and their boxes."""
    import torch

    (height, width), drawn = size, np.random.default_rng(index)
    image = torch.zeros(3, height, width, dtype=torch.uint8)
    boxes, labels = [], []
    for label in drawn.permutation(3)[: 1 + index % 3].tolist():
        left = label * width // 3  # a third of the picture for each, so that none hides another
        x1, y1 = left + 2 * int(drawn.integers(1, 4)), 2 * int(drawn.integers(1, height // 4))
        x2, y2 = x1 + 2 * int(drawn.integers(4, width // 6 - 4)), y1 + 2 * int(drawn.integers(4, height // 4))
        image[:, y1:y2, x1:x2] = torch.tensor(COLOURS[label], dtype=torch.uint8)[:, None, None]
        boxes.append([x1, y1, x2, y2])
        labels.append(label)
    return image, {"boxes": torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), "labels": torch.tensor(labels)}


class Finder:
    """A detector that finds these rectangles by their colours, to a fraction of a pixel; it keeps all that it saw."""

    def __init__(self, batch_size: int = 4) -> None:
        self.batch_size = batch_size
        self.seen: list[Any] = []

    def __call__(self, images: list[Any]) -> list[Any]:
        self.seen += [image.clone() for image in images]
        return [self.found(image) for image in images]

    @staticmethod
    def found(image: Any) -> dict[str, Any]:
        import torch

        boxes, labels = [], []
        for label in range(3):
            shares = image[label].float() / 255
            if float(shares.max()) < 0.5:
                continue
            rows, columns = shares.amax(1), shares.amax(0)
            (y1, y2), (x1, x2) = map(extent, (rows, columns))
            boxes.append([x1, y1, x2, y2])
            labels.append(label)
        return {
            "boxes": torch.tensor(boxes).reshape(-1, 4),
            "labels": torch.tensor(labels, dtype=torch.int64),
            "scores": torch.ones(len(labels)),
        }


def extent(shares: Any) -> tuple[float, float]:
    """Beginning and end of what covers these shares of pixels in a row: pixels at the ends count by their share."""
    at = [number for number, share in enumerate(shares.tolist()) if share >= 0.5]
    first, last = at[0], at[-1]
    low = first - float(shares[first - 1]) if first else float(first)
    high = last + 1 + (float(shares[last + 1]) if last + 1 < len(shares) else 0.0)
    return low + 1 - float(shares[first]), high - (1 - float(shares[last]))


@pytest.fixture
def scenes() -> Callable[..., list[tuple[Any, Any, str]]]:
    """(image, target, id) of so many scenes of coloured rectangles."""

    def make(
        count: int = 12, sizes: Sequence[tuple[int, int]] = ((96, 144), (120, 96), (96, 96))
    ) -> list[tuple[Any, Any, str]]:
        return [(*scene(index, sizes[index % len(sizes)]), f"s{index:02d}") for index in range(count)]

    return make


@pytest.fixture
def finder() -> type[Finder]:
    return Finder


@pytest.fixture
def make_fixed() -> Callable[..., Guard]:
    """A guard with one cell for each set of options of the codec `thumb`, at its one operating point."""

    def make(task: str, metric: str, *options: dict[str, Any], **keys: Any) -> Guard:
        cells = tuple(
            Cell(
                "toys",
                CodecSpec(f"thumb{number}", "thumb", tuple(sorted(given.items()))),
                Fixed(),
                100.0,
                None,
                None,
                1,
            )
            for number, given in enumerate(options)
        )
        return Guard("toys", task, metric, "m:model", "m:data", cells, **keys)

    return make
