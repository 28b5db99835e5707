"""Stopping early where there are few looks: mIoU and mAP of rendered scenes, for `benchmarks.coverage.stopping`.

Truth is the drop over the whole population (benchmarks.coverage.population). Samples are drawn from it without
replacement, judged at the looks of the package and in the end, and held against limits at the truth and so many widths
of the last interval from it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.coverage import population
from compress_guard.records import Interval
from compress_guard.registry import TASKS
from compress_guard.verdict import Remembered, judge, stopping

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from compress_guard.tasks.contract import Task
    from compress_guard.tasks.scorer import Scorer

CONFIDENCE: Final = 0.95
DISTANCES: Final = (-3, -2, -1, 0, 1, 2, 3)
JUST: Final = 1e-3
"""Distance in points of a truth that is just on the wrong side of a limit."""
HEADER: Final = (
    "| score | condition | images | samples | truth | width | false fail | false pass | without stopping | covered | "
    + " | ".join(f"{distance:+d}" for distance in DISTANCES)
    + " |"
)


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """Evidence of the same images twice."""

    task: Task
    metric: str
    clean: Sequence[Any]
    compressed: Sequence[Any]

    def scorers(self, positions: NDArray[np.int64]) -> tuple[Scorer, Scorer]:
        clean, compressed = (
            self.task.scorer(self.metric, [side[at] for at in positions]) for side in (self.clean, self.compressed)
        )
        return Remembered(clean), compressed

    def drop(self) -> float:
        """Return the drop over all images, in points."""
        before, after = self.scorers(np.arange(len(self.clean)))
        weights = np.ones((1, len(self.clean)))
        return float(before(weights)[0] - after(weights)[0])


@dataclass(frozen=True, slots=True)
class Story:
    """Intervals of one sample: at each look, at the end, and at the end of a run without looks."""

    at: tuple[int, ...]
    looks: tuple[Interval, ...]
    last: Interval
    full: Interval

    def ending(self, limit: float) -> tuple[int, Interval]:
        """Return the images used and the interval that decides about a limit, in points."""
        for images, interval in zip(self.at, self.looks, strict=False):
            if side(interval, limit):
                return images, interval
        return self.at[-1], self.last


def side(interval: Interval, limit: float) -> int:
    """Return 1 if the interval fails the limit, -1 if it passes, 0 otherwise."""
    return 1 if interval.low > limit else -1 if interval.high <= limit else 0


def story(images: Images, order: NDArray[np.int64], seed: int) -> Story:
    """Return the intervals of a sample whose images come in this order."""
    planned, error = len(order), 1 - CONFIDENCE
    at = stopping.looks(planned)
    gone, found = 0.0, []
    for count in at:
        so_far = stopping.spent(count, planned, error)
        found.append(interval(images.scorers(order[:count]), images.metric, count, 1 - (so_far - gone), seed))
        gone = so_far
    scorers = images.scorers(order)
    last, full = (
        interval(scorers, images.metric, planned, confidence, seed) for confidence in (CONFIDENCE + gone, CONFIDENCE)
    )
    return Story((*at, planned), tuple(found), last, full)


def interval(scorers: tuple[Scorer, Scorer], metric: str, images: int, confidence: float, seed: int) -> Interval:
    """Return the interval of the drop, infinitely wide if the score is undefined."""
    found = judge(
        *scorers, metric=metric, max_drop=None, min_score=None, confidence=confidence, seed=seed, images=images
    )
    return found.drop or Interval(0.0, -inf, inf)


def row(images: Images, condition: str, planned: int, samples: int, seed: int) -> str:
    """Return one line of the table."""
    generator = np.random.default_rng(seed)
    truth = images.drop()
    stories = []
    for number in range(samples):
        order = generator.choice(len(images.clean), planned, replace=False)
        stories.append(story(images, order, seed + number))
        sys.stderr.write(f"\r{images.metric} {condition} {planned}: {number + 1} of {samples} samples ")
        sys.stderr.flush()
    sys.stderr.write("\n")
    width = float(np.mean([one.full.high - one.full.low for one in stories]))
    limits = [truth + distance * width for distance in DISTANCES]
    endings = [[one.ending(limit) for one in stories] for limit in limits]
    covered = min(np.mean([found.low <= truth <= found.high for _, found in ends]) for ends in endings)
    fails = [side(one.ending(truth)[1], truth) == 1 for one in stories]
    passes = [side(one.ending(truth - JUST)[1], truth - JUST) == -1 for one in stories]
    full = [side(one.full, truth) for one in stories]
    used = [f"{100 * np.mean([count for count, _ in ends]) / planned:.1f} %" for ends in endings]
    shares = [100 * float(np.mean(one)) for one in (fails, passes, np.array(full) == 1, np.array(full) == -1, covered)]
    return (
        f"| {images.metric} | {condition} | {planned} | {samples} | {truth:.1f} | {width:.1f} | {shares[0]:.1f} % "
        f"| {shares[1]:.1f} % | {shares[2]:.1f} %, {shares[3]:.1f} % | {shares[4]:.1f} % | {' | '.join(used)} |"
    )


def report(folder: Path, samples: int, sizes: Sequence[int], seed: int) -> Iterator[str]:
    """Yield the table, from the shards of a population that exist."""
    found = population.read(folder)
    shards = population.complete(folder, found)
    if not shards:
        raise SystemExit(f"{folder}: no shard is complete yet; run python -m benchmarks.coverage.population --out")
    yield f"### mIoU and mAP: samples of {min(found.images, len(shards) * population.SHARD)} rendered scenes"
    yield ""
    yield HEADER
    yield f"|---|---|{'--:|' * (8 + len(DISTANCES))}"
    for name, metric in reversed(population.METRICS.items()):
        clean, *others = (population.evidence(folder, name, condition, shards) for condition in found.conditions)
        for condition, other in zip(found.conditions[1:], others, strict=True):
            images = Images(TASKS.resolve(name)(), metric, clean.items, other.items)
            for planned in sizes:
                yield row(images, condition, planned, samples, seed)
    yield ""
