"""Coverage of the interval of the recovered share: ``python -m benchmarks.coverage.recovered``.

Populations of 20 000 made-up images: mIoU of three classes, and flags of right and wrong answers. Compression takes a
part of what was found from every image or from some, and finetuning brings a part of that back, more from one image
than from another, and does some harm of its own. Samples are drawn without replacement; the truth is the share of the
whole population. The interval of the verdicts, Fieller's with the bootstrap's test, is compared with others on the same
replicates. docs/explanation/coverage.md has a condensed table; ``--write FILE`` puts the whole one between the marks
``<!-- recovered -->`` and ``<!-- end of recovered -->`` of that file. One core takes about ten minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import document
from benchmarks.command import Command, check_document, given_words
from benchmarks.coverage.contenders import VERDICTS, Ends
from compress_guard.tasks.segmentation import MeanIoU
from compress_guard.verdict.recovery import Ratio
from compress_guard.verdict.resampling import Resampled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.scorer import Scorer

IMAGES: Final = 20_000
CLASSES: Final = 3
CONFIDENCE: Final = 0.95
SIZES: Final = (50, 200, 800)
SAMPLES: Final = 400
SHARES: Final = (0.3, 0.8)
"""Approximate shares that finetuning brings back."""
MARK: Final = "recovered"
Interval = Callable[[Ratio], Ends]


@dataclass(frozen=True, slots=True, eq=False)
class Flags:
    """Right and wrong answers, (N,) of 0 and 1."""

    flags: NDArray[np.bool_]

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        score: NDArray[np.float64] = 100 * (weights @ self.flags) / weights.sum(axis=1)
        return score


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Scorers of the finetuned model, of the original on compressed and of the original on clean images."""

    label: str
    sides: tuple[Scorer, Scorer, Scorer]

    def ratio(self, sides: Sequence[Scorer], images: int, seed: int) -> Ratio:
        above, below, whole = (Resampled.of(side, images, seed) for side in sides)
        scores = [score(side, images) for side in sides]
        return Ratio(scores[0] - scores[1], scores[2] - scores[1], above - below, whole - below, images, CONFIDENCE)

    @property
    def drop(self) -> float:
        return score(self.sides[2], IMAGES) - score(self.sides[1], IMAGES)

    @property
    def truth(self) -> float:
        return (score(self.sides[0], IMAGES) - score(self.sides[1], IMAGES)) / self.drop

    def sample(self, images: int, seed: int) -> Ratio:
        positions = np.random.default_rng([images, seed]).choice(IMAGES, images, replace=False)
        return self.ratio([part(side, positions) for side in self.sides], images, seed)


def part(scorer: Scorer, positions: NDArray[np.int64]) -> Scorer:
    """Return the scorer of some of the images."""
    if isinstance(scorer, MeanIoU):
        return MeanIoU(scorer.intersection[positions], scorer.union[positions], scorer.truth[positions])
    assert scorer.flags is not None
    return Flags(scorer.flags[positions])


def score(scorer: Scorer, images: int) -> float:
    return float(scorer(np.ones((1, images)))[0])


def regions(hit: float, loss: float, back: float, seed: int) -> Population:
    """Return a population of mIoU: a share `hit` of the images lose up to `loss` of the pixels found of each object."""
    generator = np.random.default_rng([seed, 1])
    truth = generator.gamma(2, 500, (IMAGES, CLASSES)) * (generator.random((IMAGES, CLASSES)) < 0.5)
    found = generator.beta(18, 2, truth.shape)
    union = truth + generator.exponential(30, truth.shape)
    lost = found * (generator.random((IMAGES, 1)) < hit) * generator.uniform(0, loss, truth.shape)
    regained = generator.beta(4 * back, 4 * (1 - back), truth.shape) * lost - 0.004 * generator.random(truth.shape)
    shares = (np.clip(found - lost + regained, 0, 1), found - lost, found)
    finetuned, compressed, whole = (MeanIoU(truth * share, union, truth) for share in shares)
    return Population(f"mIoU, {100 * hit:g} % of the images hit", (finetuned, compressed, whole))


def answers(drop: float, back: float, seed: int) -> Population:
    """Return a population of top1: 85 % right; compression spoils some and corrects a few, finetuning restores many."""
    generator = np.random.default_rng([seed, 2])
    draws = generator.random((4, IMAGES))
    whole = draws[0] < 0.85
    compressed = np.where(whole, draws[1] >= 1.2 * drop, draws[1] < drop / 5)
    finetuned = np.where(compressed == whole, whole ^ (draws[2] < 0.005), np.where(draws[3] < back, whole, compressed))
    return Population(f"top1, drop {100 * drop:g}", (Flags(finetuned), Flags(compressed), Flags(whole)))


def populations(seed: int) -> tuple[Population, ...]:
    made = [
        (
            regions(1.0, 0.4, back, seed),
            regions(0.25, 1.0, back, seed),
            answers(0.2, back, seed),
            answers(0.05, back, seed),
        )
        for back in SHARES
    ]
    return tuple(one for several in zip(*made, strict=True) for one in several)


def verdicts(ratio: Ratio) -> Ends:
    return ratio.ends()


def percentile(ratio: Ratio) -> Ends:
    """Return quantiles over the replicates of the ratio that have a drop."""
    tail = (1 - CONFIDENCE) / 2
    drawn = ratio.below.replicates != 0
    low, high = np.quantile(ratio.above.replicates[drawn] / ratio.below.replicates[drawn], [tail, 1 - tail])
    return float(low), float(high)


def delta(ratio: Ratio) -> Ends:
    """Return the interval of the linearised ratio, by the joint covariance and the normal quantile."""
    rest = ratio.above.replicates - ratio.value * ratio.below.replicates
    reach = NormalDist().inv_cdf((1 + CONFIDENCE) / 2) * float(rest.std()) / abs(ratio.denominator)
    return ratio.value - reach, ratio.value + reach


def fieller(ratio: Ratio) -> Ends:
    """Return Fieller's roots with the joint covariance of the replicates and the normal quantile."""
    z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    covariance = np.cov(ratio.above.replicates, ratio.below.replicates)
    a = ratio.denominator**2 - z**2 * covariance[1, 1]
    b = ratio.numerator * ratio.denominator - z**2 * covariance[0, 1]
    c = ratio.numerator**2 - z**2 * covariance[0, 0]
    if a <= 0:
        return -np.inf, np.inf
    root = sqrt(max(float(b**2 - a * c), 0.0))
    return float(b - root) / float(a), float(b + root) / float(a)


INTERVALS: Final[Mapping[str, Interval]] = {
    VERDICTS: verdicts,
    "Fieller, normal": fieller,
    "delta": delta,
    "percentile": percentile,
}


@dataclass(slots=True)
class Tally:
    """Tally of the samples of one population and size."""

    samples: int = 0
    ends: dict[str, list[Ends]] = field(default_factory=dict)
    """Ends of the intervals of samples that have a share."""

    def add(self, ratio: Ratio) -> None:
        self.samples += 1
        if ratio.divisor().low > 0:
            for name, interval in INTERVALS.items():
                self.ends.setdefault(name, []).append(interval(ratio))

    @property
    def shares(self) -> int:
        """Number of samples that have a share."""
        return len(self.ends.get(VERDICTS, ()))

    def cell(self, name: str, truth: float) -> str:
        if not self.shares:
            return "-"
        low, high = np.array(self.ends[name]).T
        above, below = 100 * float(np.mean(low > truth)), 100 * float(np.mean(high < truth))
        return f"{100 - above - below:.1f} ({above:.1f} / {below:.1f}), {100 * float(np.median(high - low)):.0f}"


def measure(population: Population, images: int, samples: int) -> Tally:
    tally = Tally()
    for seed in range(samples):
        tally.add(population.sample(images, seed))
    return tally


def report(sizes: Sequence[int], samples: int, seed: int) -> Iterator[str]:
    """Yield the table, in Markdown, a row as soon as it is measured."""
    yield (
        f"{samples} samples each. In a cell: the percentage of 95 % intervals that hold the share (that lie above it / "
        "below it), and their median width in points of the share; of the samples whose drop is clear of 0, the "
        "percentage in the fourth column."
    )
    yield ""
    yield f"| population | share | images | clear drop | {' | '.join(INTERVALS)} |"
    yield f"|---|--:|--:|--:|{'---|' * len(INTERVALS)}"
    for population in populations(seed):
        for images in sizes:
            tally = measure(population, images, samples)
            cells = " | ".join(tally.cell(name, population.truth) for name in INTERVALS)
            clear = f"{100 * tally.shares / samples:.0f} %"
            label = f"{population.label} ({population.drop:.1f} points)"
            yield f"| {label} | {100 * population.truth:.0f} % | {images} | {clear} | {cells} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("coverage.recovered", __doc__)
    parser.add_argument("--images", nargs="+", type=int, default=SIZES, help="images in a sample (50 200 800)")
    parser.add_whole("--samples", SAMPLES, "of each size")
    parser.add_whole("--seed", 0, "of the populations")
    parser.add_write()
    given = parser.parse_args(arguments)
    parser.check_whole(given, "samples")
    if not 2 <= min(given.images) <= max(given.images) <= IMAGES:
        parser.error(f"--images: {given.images} are not all from 2 to {IMAGES}, the population")
    check_document(given.write, MARK)
    words = ["python -m benchmarks.coverage.recovered", *given_words(arguments)]
    lines = report(given.images, given.samples, given.seed)
    document.publish((line for part in ([f"`{' '.join(words)}`", ""], lines) for line in part), given.write, MARK)


if __name__ == "__main__":
    main()
