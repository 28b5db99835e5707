"""Time to score 2000 resamples of a detection data set: ``python -m benchmarks.coverage.rescoring``.

Generated evidence of the size of a COCO run: 1000 images, 80 classes, 100 detections and 7 objects per image, clean and
compressed, at the ten IoU thresholds of mAP. Prints the CPU seconds of one thread for both sides.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks.command import Command
from compress_guard.tasks.detection import Detection
from compress_guard.tasks.matching import AREAS, IOUS
from compress_guard.verdict import resampling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Arrays

OBJECTS: Final = 7.3
"""Mean number of objects per image, as in COCO val2017; images have 1 to 40."""


@dataclass(frozen=True, slots=True)
class Size:
    """Amount of generated evidence, and number of its scorings."""

    images: int = 1000
    classes: int = 80
    detections: int = 100
    resamples: int = resampling.RESAMPLES


def generated(size: Size, quality: float, seed: int = 0) -> tuple[Arrays, ...]:
    """Return evidence of a detector; with higher quality (0 to 1) it finds more objects, and tighter boxes.

    With the same seed, two qualities have the same images with the same objects.
    """
    generator = np.random.default_rng(seed)
    popularity = 1 / (1 + np.arange(size.classes))
    return tuple(_image(generator, size, popularity / popularity.sum(), quality) for _ in range(size.images))


def _image(generator: np.random.Generator, size: Size, popularity: NDArray[np.float64], quality: float) -> Arrays:
    objects = int(np.clip(generator.geometric(1 / OBJECTS), 1, 40))
    wanted = generator.choice(size.classes, objects, p=popularity)
    others = generator.choice(wanted, size.detections)
    luck, noise = generator.random(objects), generator.random(size.detections)
    labels = others.copy()
    best = np.full(size.detections, -1.0)  # the IoU of each detection with the object that it is matched with
    found = min(objects, size.detections)
    labels[:found] = wanted[:found]
    best[:found] = 1 - (luck[:found] / quality) ** 2 / 2
    scores = (0.35 * noise + 0.6 * np.clip(best, 0.0, 1.0)).astype(np.float32)
    hits = (best[:, None] >= IOUS) @ (1 << np.arange(len(IOUS)))
    order = np.lexsort((-scores, labels))
    classes, counts = np.unique(wanted, return_counts=True)
    columns = len(AREAS)
    return {
        "labels": labels[order].astype(np.int64),
        "scores": scores[order],
        "found": np.repeat(hits[order].astype(np.uint16)[:, None], columns, axis=1),
        "ignored": np.zeros((size.detections, columns), dtype=np.uint16),
        "truth_labels": classes.astype(np.int64),
        "truth_counts": np.repeat(counts.astype(np.int32)[:, None], columns, axis=1),
    }


def seconds(size: Size) -> tuple[float, float]:
    """Return CPU seconds for both sides: to make the scorers, and to score the resamples."""
    sides = [generated(size, quality) for quality in (0.95, 0.75)]
    started = time.process_time()
    scorers = [Detection().scorer("map", side) for side in sides]
    made = time.process_time()
    for scorer in scorers:
        resampling.replicates(scorer, size.images, 0, size.resamples)
    return made - started, time.process_time() - made


def main(arguments: Sequence[str] | None = None) -> None:
    standard = Size()
    parser = Command("coverage.rescoring", __doc__)
    for name in ("images", "classes", "detections", "resamples"):
        value = getattr(standard, name)
        parser.add_argument(f"--{name}", type=int, default=value, help=f"{value} unless told otherwise")
    chosen = parser.parse_args(arguments)
    for name, value in vars(chosen).items():
        if value < 1:
            parser.error(f"--{name}: {value} is not a whole number of at least 1")
    size = Size(**vars(chosen))
    making, scoring = seconds(size)
    sys.stdout.write(
        f"{size.resamples} resamples of {size.images} images, {size.classes} classes, {size.detections} detections per "
        f"image, both sides: {scoring:.1f} s of CPU, after {making:.1f} s to make the scorers\n"
    )


if __name__ == "__main__":
    main()
