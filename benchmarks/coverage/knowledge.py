"""Rate of models with knowledge that are called ignorant: ``python -m benchmarks.coverage.knowledge``.

Made-up sets of images, many for each row. *Classifiers* are right on a share of the images and else answer any class
alike; the classes are equally frequent, or all but one are rare. *Segmenters* find a share of each image's object,
which covers a tenth of it, and a few pixels where none is. *Detectors* find objects, one per image, with boxes that
overlap them by 0.5 to 1, and have two wrong boxes beside. A row says how many of the sets lead to an error, where the
rule applies. ``--write FILE`` puts the table between the marks ``<!-- knowledge -->`` and ``<!-- end of knowledge -->``
of that file. One core takes about ten minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks import document
from benchmarks.command import Command, check_document
from compress_guard.registry import TASKS
from compress_guard.verdict.knowledge import knowledge, too_few

if TYPE_CHECKING:
    from compress_guard.tasks.contract import Task

MARK: Final = "knowledge"
CONFIDENCE: Final = 0.95
SIDE: Final = 20
"""Side in pixels; maps and images are square."""
SIZE: Final = (SIDE, SIDE)
Generator = np.random.Generator
Make = Callable[[Generator], tuple[Any, Any]]
"""Maker of one image: the model's answer, and the target."""


@dataclass(frozen=True, slots=True)
class Row:
    """Models of one kind, on sets of one size."""

    task: str
    images: int
    what: str
    make: Make


def classifier(classes: int, right: float) -> Make:
    """Return a model that is right on this share of the images and otherwise answers any class."""

    def made(random: Generator) -> tuple[Any, Any]:
        target = int(random.integers(classes))
        answer = target if random.random() < right else int(random.integers(classes))
        return np.eye(classes, dtype=np.float32)[answer], target

    return made


def inspector(share: float, recall: float, false_alarms: float) -> Make:
    """Return a model of two classes, of which the second is on this share of the images."""

    def made(random: Generator) -> tuple[Any, Any]:
        target = int(random.random() < share)
        answer = int(random.random() < (recall if target else false_alarms))
        return np.eye(2, dtype=np.float32)[answer], target

    return made


def segmenter(found: float) -> Make:
    """Return a model that finds this share of an object (a tenth of the image) and adds wrong pixels elsewhere."""

    def made(random: Generator) -> tuple[Any, Any]:
        target, answer = np.zeros(SIZE, dtype=np.int64), np.zeros(SIZE, dtype=np.int64)
        rows = slice(SIDE // 10)
        target[rows] = 1 + int(random.integers(2))
        answer[rows] = np.where(random.random(target[rows].shape) < found, target[rows], 0)
        wrong = random.random(answer.shape) < (1 - found) / 10
        answer[SIDE // 2 :][wrong[SIDE // 2 :]] = 1
        return answer, target

    return made


def detector(recall: float) -> Make:
    """Return a model that finds this share of the objects (one per image, three classes) and adds two wrong boxes."""

    def made(random: Generator) -> tuple[Any, Any]:
        label, size = int(random.integers(3)), SIDE / 2
        boxes = [[1.0, 1.0, 1.0 + size, 1.0 + size * random.uniform(0.5, 1.0)]] if random.random() < recall else []
        boxes += [[SIDE - 4.0, SIDE - 4.0, SIDE - 1.0, SIDE - 1.0]] * 2
        scores = random.random(len(boxes)).astype(np.float32)
        answer = {"boxes": np.array(boxes), "scores": scores, "labels": np.full(len(boxes), label)}
        return answer, {"boxes": np.array([[1.0, 1.0, 1.0 + size, 1.0 + size]]), "labels": np.array([label])}

    return made


ROWS: Final = (
    *(
        Row("classification", images, f"{classes} classes, {100 * right:g} % known", classifier(classes, right))
        for images in (36, 100, 300)
        for classes, right in ((2, 0.2), (2, 0.5), (10, 0.1), (10, 0.3), (1000, 0.1), (1000, 0.3), (1000, 0.7))
    ),
    *(
        Row(
            "classification",
            images,
            f"{100 * share:g} % of the images rare, {100 * recall:g} % of them found, 2 % false alarms",
            inspector(share, recall, 0.02),
        )
        for images, share in ((100, 0.05), (300, 0.02), (1000, 0.01))
        for recall in (0.5, 0.8, 0.95)
    ),
    *(
        Row("segmentation", images, f"{100 * found:g} % of each object found", segmenter(found))
        for images in (36, 100)
        for found in (0.1, 0.3, 0.6)
    ),
    *(
        Row("detection", images, f"{100 * recall:g} % of the objects found", detector(recall))
        for images in (36, 100)
        for recall in (0.1, 0.3, 0.6)
    ),
)


def called_ignorant(row: Row, sets: int, seed: int) -> tuple[int, int]:
    """Return the number of sets that the rule applies to, and of those whose model is called ignorant."""
    task: Task = TASKS.resolve(row.task)()
    random, applied, wrong = np.random.default_rng(seed), 0, 0
    for number in range(sets):
        items = []
        for _ in range(row.images):
            answer, target = row.make(random)
            items.append(task.evidence(task.prediction(answer, SIZE), task.target(target, SIZE), SIZE))
        skill = task.skill(items)
        if too_few(skill, row.images) is not None:
            continue
        applied += 1
        shown = knowledge(skill, row.images, number, CONFIDENCE, sure=False)
        wrong += shown is not None and shown.none
    return applied, wrong


def report(sets: int, rows: Sequence[Row], seed: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| task | images | the model | sets | the rule applies | called ignorant |"
    yield "|---|--:|---|--:|--:|--:|"
    for place, row in enumerate(rows):
        made = sets if row.task == "classification" else max(1, sets // 10)
        applied, wrong = called_ignorant(row, made, seed + place)
        share = f" ({100 * wrong / applied:.2f} %)" if wrong else ""
        yield f"| {row.task} | {row.images} | {row.what} | {made} | {applied} | {wrong}{share} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, or write it into a document."""
    parser = Command("coverage.knowledge", __doc__)
    parser.add_argument("--sets", type=int, default=2000, help="sets of images per row, a tenth where no labels are")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_write()
    chosen = parser.parse_args(arguments)
    check_document(chosen.write, MARK)
    command = f"`python -m benchmarks.coverage.knowledge --sets {chosen.sets}`:"
    document.publish(chain((command, ""), report(chosen.sets, ROWS, chosen.seed)), chosen.write, MARK)


if __name__ == "__main__":
    main()
