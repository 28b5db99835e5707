"""Cost of reading a sample of images again, beside reading all images and beside a whole cell of the gate."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from benchmarks import document
from benchmarks.command import Command, check_document, given_words, preamble
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.second_reading import MOST, read_again
from compress_guard.engine.images.survey import passes
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.single_cell import measure

MARK: Final = "second reading"
CODEC: Final = "jpeg"
BPP: Final = 0.5
HEADER: Final = (
    "| data | images | reading them s | read again | s | of the reading | one cell of the gate s | of that |\n"
    "|---|--:|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One data set's figures."""

    images: int
    reading: float
    """Seconds of the first pass; the other times are in seconds too."""
    again: int
    """Number of images that were read a second time."""
    second: float
    cell: float
    """Seconds of one cell, from the first image to the verdict, with a model that costs almost nothing."""

    def row(self, name: str) -> str:
        return (
            f"| {name} | {self.images} | {self.reading:.2f} | {self.again} | {self.second:.3f} | "
            f"{100 * self.second / self.reading:.1f} % | {self.cell:.1f} | {100 * self.second / self.cell:.1f} % |"
        )


class Photographs:
    """The pictures below a folder, opened when they are asked for, as torchvision's data sets do."""

    def __init__(self, folder: Path) -> None:
        self.paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".jpg", ".jpeg"))

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, position: int) -> tuple[Any, int, str]:
        from PIL import Image

        path = self.paths[position]
        return Image.open(path), position % 2, path.name


def cost(data: Any) -> Cost:
    """Read a data set, read a part of it again, and measure one cell on it; the caller takes medians."""
    looked = Samples(SampleReader(data, lambda raw, size: raw))
    with patch.object(passes, "read_again", return_value=0):
        started = time.perf_counter()
        surveyed = survey(looked)
        first = time.perf_counter() - started
    started = time.perf_counter()
    again = read_again(looked, surveyed.usable)
    second = time.perf_counter() - started
    started = time.perf_counter()
    measure(_brightness, _Labelled(data), task="classification", codec=CODEC, bpp=BPP, device="cpu", min_clean=0)
    return Cost(len(surveyed.usable), first, again, second, time.perf_counter() - started)


class _Labelled:
    """The same images with two classes in turn, whatever their targets are."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, position: int) -> tuple[Any, int]:
        return self._data[position][0], position % 2


def _brightness(images: Sequence[Any]) -> list[Any]:
    import torch

    levels = [float(image[1, ::8, ::8].float().mean()) for image in images]
    return [torch.tensor([level, 255 - level]) for level in levels]


def table(folders: Sequence[Path]) -> Iterator[str]:
    """Yield the rows of the bundled world, then of each folder of photographs."""
    from examples import data

    yield (
        f"A cell of `{CODEC}` at {BPP:g} bpp with a model that costs next to nothing, so that everything else shows; "
        f"at most {MOST} images are read a second time."
    )
    yield from ("", *HEADER.splitlines())
    for name in ("classification", "detection", "segmentation"):
        yield cost(getattr(data, name)()).row(f"bundled, {name}")
    for folder in folders:
        yield cost(Photographs(folder)).row(folder.name)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("gate.second_reading", __doc__)
    parser.add_argument("--photographs", nargs="*", type=Path, default=(), help="folders of photographs")
    parser.add_write()
    chosen = parser.parse_args(arguments)
    check_document(chosen.write, MARK)
    given = given_words(arguments)
    document.publish(_published(chosen, given), chosen.write, MARK)


def _published(chosen: argparse.Namespace, given: Sequence[str]) -> Iterator[str]:
    yield from preamble("gate.second_reading", given)
    yield ""
    yield from table(chosen.photographs)


if __name__ == "__main__":
    main()
