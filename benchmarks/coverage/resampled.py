"""How often intervals of mAP and mIoU hold the truth: ``python -m benchmarks.coverage.resampled --population FOLDER``.

FOLDER is what `benchmarks.coverage.population` made. Samples of its scenes are drawn without replacement; the truth is
the score, and the paired drop, of the whole population. A table per task and size compares the interval that verdicts
use with others. ``--write docs/verdicts.md`` puts them between the marks ``<!-- resampled -->`` and
``<!-- end of resampled -->`` of that file. What each sample was resampled to is kept in FOLDER, so that a run that was
cut short goes on where it stopped. Two cores take about an hour, nearly all of it for mAP on samples of 1000.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks.coverage import document
from benchmarks.coverage import population as known
from benchmarks.coverage.contenders import CONTENDERS, Sample
from compress_guard.errors import UsageError
from compress_guard.registry import TASKS
from compress_guard.tasks.segmentation import MeanIoU
from compress_guard.verdict.bootstrap import Resampled

if TYPE_CHECKING:
    from compress_guard.records import Evidence
    from compress_guard.tasks.contract import Scorer

CONFIDENCE: Final = 0.95
SIZES: Final = (100, 300, 1000)
SAMPLES: Final = {"detection": 500, "segmentation": 1000}
MARK: Final = "resampled"
PARTS: Final = ("replicates", "halves", "left_out")
NAMES: Final = {"map": "mAP", "miou": "mIoU"}
HEADER: Final = """\
| of | interval | covers % | too high % | too low % | width |
|---|---|--:|--:|--:|--:|"""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A task's evidence of the whole population by condition."""

    task: str
    metric: str
    evidence: Mapping[str, Evidence]
    scorers: Mapping[str, Scorer]
    truth: Mapping[str, float]

    @classmethod
    def of(cls, folder: Path, name: str, population: known.Population) -> World:
        shards = known.complete(folder, population)
        if len(shards) < population.shards:
            sys.stderr.write(f"{folder}: {len(shards)} of {population.shards} shards are there; these are used\n")
        evidence = {one: known.evidence(folder, name, one, shards) for one in population.conditions}
        metric = known.METRICS[name]
        scorers = {one: TASKS.resolve(name)().scorer(metric, found.items) for one, found in evidence.items()}
        truth = {one: score(scorer, len(evidence[one].ids)) for one, scorer in scorers.items()}
        return cls(name, metric, evidence, scorers, truth)

    @property
    def images(self) -> int:
        return len(self.evidence[known.CLEAN].ids)

    def part(self, condition: str, positions: np.ndarray) -> Scorer:
        """The scorer of some of the images."""
        whole = self.scorers[condition]
        if isinstance(whole, MeanIoU):  # the same as from their evidence, every class being in the truth of any sample
            return MeanIoU(whole.intersection[positions], whole.union[positions], whole.truth[positions])
        items = self.evidence[condition].items
        scorer: Scorer = TASKS.resolve(self.task)().scorer(self.metric, [items[position] for position in positions])
        return scorer

    def sample(self, folder: Path, size: int, number: int) -> dict[str, Sample]:
        """Sample `number` of this size by condition, drawn and resampled if it is not in the folder."""
        path = folder / "samples" / f"{self.task}-{self.images}-{size}" / f"{number:05d}.npz"
        if not path.exists():
            positions = np.random.default_rng([size, number]).choice(self.images, size, replace=False)
            arrays: dict[str, Any] = {}
            for condition in self.scorers:
                scorer = self.part(condition, positions)
                arrays[f"{condition}.value"] = score(scorer, size)
                found = Resampled.of(scorer, size, number)
                arrays |= {f"{condition}.{name}": getattr(found, name) for name in PARTS}
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part.npz")
            np.savez(unfinished, **arrays)
            unfinished.replace(path)
        with np.load(path) as arrays:
            return {
                condition: Sample(
                    Resampled(**{name: arrays[f"{condition}.{name}"] for name in PARTS}),
                    float(arrays[f"{condition}.value"]),
                    size,
                    number,
                )
                for condition in self.scorers
            }


def score(scorer: Scorer, images: int) -> float:
    return float(scorer(np.ones((1, images)))[0])


@dataclass(slots=True)
class Tally:
    """What became of the samples of one size and condition."""

    truth: float
    values: list[float] = field(default_factory=list)
    ends: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        self.values.append(sample.value)
        for name, contender in CONTENDERS.items():
            self.ends.setdefault(name, []).append(contender(sample, CONFIDENCE))

    @property
    def bias(self) -> float:
        return float(np.mean(self.values)) - self.truth

    def row(self, name: str) -> tuple[float, float, float, float]:
        """Shares in percent of intervals that hold the truth, lie above it and below it; their mean width in points."""
        low, high = np.array(self.ends[name]).T
        above, below = 100 * float(np.mean(low > self.truth)), 100 * float(np.mean(high < self.truth))
        return 100 - above - below, above, below, float(np.mean(high - low))


def tallies(world: World, folder: Path, size: int, samples: int) -> dict[str, Tally]:
    """By what is estimated, ``drop, jpeg-20``; the drop is what max_drop is held to, the score min_score."""
    found: dict[str, Tally] = {}
    clean = world.truth[known.CLEAN]
    for number in range(samples):
        drawn = world.sample(folder, size, number)
        for condition in [one for one in world.scorers if one != known.CLEAN]:
            truth = world.truth[condition]
            drop = found.setdefault(f"drop, {condition}", Tally(clean - truth))
            drop.add(drawn[known.CLEAN] - drawn[condition])
            found.setdefault(f"score, {condition}", Tally(truth)).add(drawn[condition])
        sys.stderr.write(f"\r{world.metric}, samples of {size}: {number + 1} of {samples} ")
        sys.stderr.flush()
    sys.stderr.write("\n")
    return found


def report(world: World, folder: Path, sizes: Sequence[int], samples: int) -> Iterator[str]:
    """The lines of a task."""
    name = NAMES[world.metric]
    scores = ", ".join(f"{condition} {truth:.2f}" for condition, truth in world.truth.items())
    yield f"### {name}"
    yield ""
    yield f"Truth, on {world.images} scenes: {scores}."
    yield ""
    worst: list[tuple[float, str]] = []
    for size in sizes:
        found = tallies(world, folder, size, samples)
        yield f"{samples} samples of {size} images:"
        yield ""
        yield from HEADER.splitlines()
        for what, tally in found.items():
            for contender in CONTENDERS:
                covers, above, below, width = tally.row(contender)
                yield f"| {what} | {contender} | {covers:.1f} | {above:.1f} | {below:.1f} | {width:.2f} |"
            worst.append((tally.row(next(iter(CONTENDERS)))[0], f"{what}, {size} images"))
        yield ""
        biases = (
            f"{what} {tally.bias:+.2f} (spread {np.std(tally.values, ddof=1):.2f})" for what, tally in found.items()
        )
        yield f"Bias in points, mean estimate less truth: {'; '.join(biases)}."
        yield ""
    covers, where = min(worst)
    yield f"{name}: the interval of the verdicts covers at least {covers:.1f} % ({where})."
    yield ""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.coverage.resampled", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--population", type=Path, required=True, help="folder that benchmarks.coverage.population made"
    )
    parser.add_argument("--tasks", nargs="+", choices=list(known.METRICS), default=list(known.METRICS))
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="images in a sample (100 300 1000)")
    parser.add_argument("--samples", type=int, help="of each size (500 for detection, 1000 for segmentation)")
    parser.add_argument("--write", type=Path, help="document to put the tables into")
    chosen = parser.parse_args(arguments)
    if chosen.samples is not None and chosen.samples < 2:
        parser.error(f"--samples: {chosen.samples} is not a whole number of at least 2")
    population = known.read(chosen.population)
    if not 2 <= min(chosen.sizes) <= max(chosen.sizes) <= population.images:
        parser.error(f"--sizes: {chosen.sizes} are not all from 2 to {population.images}, the population")
    try:
        if chosen.write is not None:
            document.read(chosen.write, MARK)
    except UsageError as problem:
        raise SystemExit(str(problem)) from problem
    lines = ["`python -m benchmarks.coverage.resampled`", ""]
    for name in chosen.tasks:
        world = World.of(chosen.population, name, population)
        for line in report(world, chosen.population, chosen.sizes, chosen.samples or SAMPLES[name]):
            lines.append(line)
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    if chosen.write is not None:
        document.put(chosen.write, MARK, lines)


if __name__ == "__main__":
    main()
