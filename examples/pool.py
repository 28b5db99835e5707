"""Training batches: scenes rendered once into a file, then cropped, turned and recoloured anew for every step.

A batch depends only on the seed and the number of the step, so a stopped training can go on where it stopped.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from examples.world import SIZE, Layout, Scene, render

_BLOCK = 50  # scenes that a worker renders at a time
_PLANES = 4  # red, green, blue, regions


@dataclass(frozen=True, slots=True)
class Batch:
    """images: uint8 (B, 3, S, S); regions: int64 (B, S, S); per image boxes (N, 4) and classes (N,), from 0."""

    images: Tensor
    regions: Tensor
    boxes: list[Tensor]
    classes: list[Tensor]


@dataclass(frozen=True, slots=True)
class Pool:
    """Rendered scenes: planes uint8 (count, 4, 256, 256), mapped from a file, and the objects of each."""

    planes: NDArray[np.uint8]
    boxes: list[NDArray[np.float32]]
    classes: list[NDArray[np.int64]]

    def batch(self, seed: int, step: int, size: int, crop: int) -> Batch:
        """Return the batch of one step; boxes are right only where `crop` is the whole picture."""
        rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, step])))
        planes = np.empty((size, _PLANES, crop, crop), np.uint8)
        boxes, classes = [], []
        for slot, index in enumerate(rng.choice(len(self.planes), size, replace=size > len(self.planes))):
            top, left = (int(corner) for corner in rng.integers(0, SIZE - crop + 1, 2))
            turned, moved = _turned(
                self.planes[index][:, top : top + crop, left : left + crop], self.boxes[index], int(rng.integers(8))
            )
            planes[slot, :3] = _recoloured(turned[:3], rng)
            planes[slot, 3] = turned[3]
            boxes.append(torch.from_numpy(moved))
            classes.append(torch.from_numpy(self.classes[index]))
        return Batch(torch.from_numpy(planes[:, :3]), torch.from_numpy(planes[:, 3]).long(), boxes, classes)


def _turned(
    planes: NDArray[np.uint8], boxes: NDArray[np.float32], turn: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Apply one of the eight symmetries of the square to planes (C, S, S) and boxes (N, 4)."""
    size = planes.shape[-1]
    if turn & 1:
        planes, boxes = (
            planes[:, :, ::-1],
            np.stack([size - boxes[:, 2], boxes[:, 1], size - boxes[:, 0], boxes[:, 3]], 1),
        )
    if turn & 2:
        planes, boxes = planes[:, ::-1], np.stack([boxes[:, 0], size - boxes[:, 3], boxes[:, 2], size - boxes[:, 1]], 1)
    if turn & 4:
        planes, boxes = planes.transpose(0, 2, 1), np.ascontiguousarray(boxes[:, [1, 0, 3, 2]])
    return planes, boxes


def _recoloured(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Swap the channels and change contrast and brightness a little."""
    levels = np.arange(256, dtype=np.float32)
    table = (levels - 128) * np.float32(rng.uniform(0.85, 1.15)) + np.float32(128 + rng.uniform(-15, 15))
    result: NDArray[np.uint8] = np.clip(np.rint(table), 0, 255).astype(np.uint8)[image[rng.permutation(3)]]
    return result


def pool(layout: Layout, seed: int, count: int, folder: Path, workers: int) -> Pool:
    """Return the first `count` scenes of a seed, rendered by `workers` processes unless an earlier run kept them."""
    stem = folder / f"scenes-{layout.stream}-{seed}-{count}"
    image_file, object_file = stem.with_suffix(".npy"), stem.with_suffix(".npz")
    if not object_file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = stem.with_suffix(".part")
        boxes, classes = _render_into(draft, layout, seed, count, workers)
        draft.replace(image_file)
        counts = np.array([len(kinds) for kinds in classes])
        np.savez(object_file, counts=counts, boxes=np.concatenate(boxes), classes=np.concatenate(classes))
    with np.load(object_file) as kept:
        ends = np.cumsum(kept["counts"])[:-1]
        parted = np.split(kept["boxes"], ends), np.split(kept["classes"], ends)
    return Pool(np.load(image_file, mmap_mode="r"), *parted)


def _render_into(
    draft: Path, layout: Layout, seed: int, count: int, workers: int
) -> tuple[list[NDArray[np.float32]], list[NDArray[np.int64]]]:
    """Render into a file of planes; returns the boxes and classes of each scene."""
    target = np.lib.format.open_memmap(  # type: ignore[no-untyped-call]  # of numpy
        draft, mode="w+", dtype=np.uint8, shape=(count, _PLANES, SIZE, SIZE)
    )
    blocks = [(layout, seed, range(start, min(start + _BLOCK, count))) for start in range(0, count, _BLOCK)]
    boxes: list[NDArray[np.float32]] = []
    classes: list[NDArray[np.int64]] = []
    with ExitStack() as stack:
        spread: Callable[..., Iterable[list[Scene]]] = map
        if workers > 1 and len(blocks) > 1:
            # A forked process could inherit a lock that a thread of torch holds.
            spread = stack.enter_context(ProcessPoolExecutor(workers, mp_context=get_context("spawn"))).map
        for block in spread(_rendered, blocks):
            for scene in block:
                target[len(boxes), :3] = scene.image.transpose(2, 0, 1)
                target[len(boxes), 3] = scene.regions
                boxes.append(scene.boxes)
                classes.append(scene.classes)
    target.flush()
    return boxes, classes


def _rendered(work: tuple[Layout, int, range]) -> list[Scene]:
    layout, seed, block = work
    return [render(layout, seed, index) for index in block]
