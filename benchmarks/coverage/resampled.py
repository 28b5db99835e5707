"""Coverage of intervals of mAP and mIoU: ``python -m benchmarks.coverage.resampled --population FOLDER``.

FOLDER is what `benchmarks.coverage.population` made. Samples of its scenes are drawn without replacement; the truth is
the score, and the paired drop, of the whole population. A table per task and size compares the interval that verdicts
use with others. ``--write docs/explanation/coverage.md`` puts them between the marks ``<!-- resampled -->`` and
``<!-- end of resampled -->`` of that file. What each sample was resampled to is kept in FOLDER, so that a run that was
cut short goes on where it stopped. One core takes about an hour, most of it for mAP on samples of 1000.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from benchmarks import document
from benchmarks.command import Command, check_document
from benchmarks.coverage import population as known
from benchmarks.coverage.contenders import CONTENDERS, VERDICTS, Sample, chosen
from compress_guard.registry import TASKS
from compress_guard.tasks.segmentation import MeanIoU
from compress_guard.verdict.resampling import Resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.records import Evidence
    from compress_guard.tasks.scorer import Scorer

CONFIDENCE: Final = 0.95
SIZES: Final = (100, 300, 1000)
SAMPLES: Final = 500
MARK: Final = "resampled"
PARTS: Final = ("replicates", "halves", "left_out")
NAMES: Final = {"map": "mAP", "miou": "mIoU"}
FINITE: Final = (
    "Samples are drawn without replacement; those of 1000 are a twentieth of the population and differ 2.5 % less than "
    "samples of a population without end."
)
STRICTER: Final = (0.99, 0.9987)
MEANING: Final = (
    "In a cell: the percentage of intervals that hold the truth (that lie above it / below it), and their mean width "
    "in points."
)


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

    def part(self, condition: str, positions: NDArray[np.intp]) -> Scorer:
        """Return the scorer of some of the images."""
        whole = self.scorers[condition]
        if isinstance(whole, MeanIoU):  # classes without truth in the sample have no part in its mean
            return MeanIoU(whole.intersection[positions], whole.union[positions], whole.truth[positions])
        items = self.evidence[condition].items
        scorer: Scorer = TASKS.resolve(self.task)().scorer(self.metric, [items[position] for position in positions])
        return scorer

    def drawer(self, folder: Path, size: int) -> Path:
        """Return the folder of the samples of this size."""
        return folder / "samples" / f"{self.task}-{self.images}-{size}"

    def drawn(self, folder: Path, size: int) -> int:
        """Return the number of samples of this size drawn so far, counted without a gap."""
        drawer = self.drawer(folder, size)
        return next(number for number in itertools.count() if not (drawer / f"{number:05d}.npz").exists())

    def sample(self, folder: Path, size: int, number: int) -> dict[str, Sample]:
        """Sample `number` of this size by condition, drawn and resampled if it is not in the folder."""
        path = self.drawer(folder, size) / f"{number:05d}.npz"
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
    """Tally of the samples of one size and condition."""

    truth: float
    values: list[float] = field(default_factory=list)
    ends: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, sample: Sample) -> None:
        self.values.append(sample.value)
        for name, contender in CONTENDERS.items():
            self.ends.setdefault(name, []).append(contender(sample, CONFIDENCE))
        for confidence in STRICTER:
            self.ends.setdefault(of_the_verdicts(confidence), []).append(chosen(sample, confidence))

    @property
    def bias(self) -> float:
        return float(np.mean(self.values)) - self.truth

    def row(self, name: str) -> tuple[float, float, float, float]:
        """Return percentages of intervals that hold the truth, lie above it and below it; and the mean width."""
        low, high = np.array(self.ends[name]).T
        above, below = 100 * float(np.mean(low > self.truth)), 100 * float(np.mean(high < self.truth))
        return 100 - above - below, above, below, float(np.mean(high - low))

    def cell(self, name: str) -> str:
        covers, above, below, width = self.row(name)
        return f"{covers:.1f} ({above:.1f} / {below:.1f}), {width:.2f}"


def of_the_verdicts(confidence: float) -> str:
    """Return the name of the verdicts' interval in a tally."""
    return VERDICTS if confidence == CONFIDENCE else f"{VERDICTS}, {confidence}"


def tallies(world: World, folder: Path, size: int, samples: int) -> dict[str, Tally]:
    """Return tallies by the estimated value, ``drop, jpeg-20``; max_drop limits the drop, min_score the score."""
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


def report(world: World, folder: Path, sizes: Sequence[int], samples: int | None) -> Iterator[str]:
    """Yield the lines of a task; without a number of samples, all existing samples are used."""
    name = NAMES[world.metric]
    numbers = {size: world.drawn(folder, size) if samples is None else samples for size in sizes}
    found = {size: tallies(world, folder, size, number) for size, number in numbers.items() if number > 1}
    if not found:
        raise SystemExit(f"{folder}: no samples of {name} were drawn yet; leave --drawn away")
    sizes = list(found)
    told = ", ".join(f"{numbers[size]} of {size} images" for size in sizes)
    columns = list(found[sizes[0]])
    scores = ", ".join(f"{condition} {truth:.2f}" for condition, truth in world.truth.items())
    yield f"### {name}"
    yield ""
    yield f"Truth, on {world.images} scenes: {scores}. Samples: {told}. {MEANING}"
    yield ""
    yield f"| images | interval | {' | '.join(columns)} |"
    yield f"|--:|---|{'---|' * len(columns)}"
    for size, tallied in found.items():
        for contender in CONTENDERS:
            cells = " | ".join(tally.cell(contender) for tally in tallied.values())
            yield f"| {size} | {contender} | {cells} |"
    yield ""
    yield "Bias in points, the mean estimate less the truth, and in brackets the spread of the estimates:"
    yield ""
    yield f"| images | {' | '.join(columns)} |"
    yield f"|--:|{'--:|' * len(columns)}"
    for size, tallied in found.items():
        biases = (f"{tally.bias:+.2f} ({np.std(tally.values, ddof=1):.2f})" for tally in tallied.values())
        yield f"| {size} | {' | '.join(biases)} |"
    yield ""
    yield from worst(name, found)


def worst(name: str, found: Mapping[int, Mapping[str, Tally]]) -> Iterator[str]:
    """Return the least coverage of the verdicts' interval, also at the confidence of a correction for many cells."""
    shares = {
        confidence: min(
            (tally.row(of_the_verdicts(confidence))[0], f"{what}, {size} images")
            for size, tallied in found.items()
            for what, tally in tallied.items()
        )
        for confidence in (CONFIDENCE, *STRICTER)
    }
    listed = "; ".join(
        f"{100 * confidence:g} %: {share:.1f} % ({where})" for confidence, (share, where) in shares.items()
    )
    yield f"{name}: what the interval of the verdicts covers at least, by its confidence: {listed}."
    yield ""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("coverage.resampled", __doc__)
    parser.add_argument(
        "--population", type=Path, required=True, help="folder that benchmarks.coverage.population made"
    )
    parser.add_argument("--tasks", nargs="+", choices=list(known.METRICS), default=list(known.METRICS))
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="images in a sample (100 300 1000)")
    parser.add_whole("--samples", SAMPLES, "of each size")
    parser.add_argument("--drawn", action="store_true", help="draw none, use those that the folder has")
    parser.add_write()
    given = parser.parse_args(arguments)
    parser.check_whole(given, "samples", least=2)
    population = known.read(given.population)
    if not 2 <= min(given.sizes) <= max(given.sizes) <= population.images:
        parser.error(f"--sizes: {given.sizes} are not all from 2 to {population.images}, the population")
    check_document(given.write, MARK)
    head = [f"`python -m benchmarks.coverage.resampled`, with JPEG at fixed qualities. {FINITE}", ""]
    samples = None if given.drawn else given.samples
    tables = (
        report(World.of(given.population, name, population), given.population, given.sizes, samples)
        for name in given.tasks
    )
    document.publish(itertools.chain(head, itertools.chain.from_iterable(tables)), given.write, MARK)


if __name__ == "__main__":
    main()
