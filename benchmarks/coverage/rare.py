"""Coverage of the interval of mIoU if few images lose everything: ``python -m benchmarks.coverage.rare``.

Populations of 20 000 made-up label maps: one percent of the images, or none, lose everything to compression while all
others lose a little, some or much. Samples are drawn without replacement; the truth is the drop of the whole
population. The interval of the verdicts is compared with one whose upper end reaches at least to `unseen_drop`, the
drop if as many images as a sample may have missed lost everything. ``--write docs/explanation/coverage.md`` puts the
table between the marks ``<!-- rare -->`` and ``<!-- end of rare -->`` of that file. One core takes about two minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import document
from benchmarks.command import Command, check_document
from compress_guard.tasks.segmentation import MeanIoU
from compress_guard.verdict import bootstrap
from compress_guard.verdict.power import unseen_drop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.records import Interval

MARK: Final = "rare"
IMAGES: Final = 20_000
CLASSES: Final = 8
PIXELS: Final = 16_384
CONFIDENCE: Final = 0.95
SIZES: Final = (30, 100, 300)
SAMPLES: Final = 500
GONE: Final = (0.01, 0.0)
"""Shares of the images that lose everything."""
OTHERS: Final = (0.003, 0.03, 0.2)
"""Approximate losses of the others: the spread of the share of right pixels that turn wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Pixels of images by class, (N, C): of the truth, and found right and in union, clean and compressed."""

    truth: NDArray[np.float64]
    clean: tuple[NDArray[np.float64], NDArray[np.float64]]
    compressed: tuple[NDArray[np.float64], NDArray[np.float64]]

    @classmethod
    def of(cls, gone: float, others: float, images: int = IMAGES, seed: int = 0) -> Population:
        """Make images of which a share of `gone` lose everything and the rest about `others`."""
        rng = np.random.default_rng(seed)
        present = rng.random((images, CLASSES)) < 0.5
        present[:, 0] = True
        area = np.where(present, rng.gamma(2, 1, (images, CLASSES)), 0)
        truth = np.round(PIXELS * area / area.sum(axis=1, keepdims=True))
        wrong = rng.beta(2, 60, (images, CLASSES))
        right, union = np.round(truth * (1 - wrong)), truth + np.round(truth * wrong / 2)
        hardness = np.abs(rng.normal(0, others, (images, 1)))
        loss = np.clip(2 * hardness * rng.random((images, CLASSES)), 0, 1)
        left, wider = np.round(right * (1 - loss)), union + np.round(right * loss / 2)
        lost = rng.random(images) < gone
        left[lost], wider[lost] = 0, 2 * truth[lost]
        return cls(truth, (right, union), (left, wider))

    def scorers(self, positions: NDArray[np.intp] | slice) -> tuple[MeanIoU, MeanIoU]:
        """Return the clean and the compressed scorer of some of the images."""
        clean, compressed = (
            MeanIoU(right[positions], union[positions], self.truth[positions])
            for right, union in (self.clean, self.compressed)
        )
        return clean, compressed

    @property
    def drop(self) -> float:
        """True drop in points."""
        clean, compressed = self.scorers(slice(None))
        return _score(clean) - _score(compressed)

    def sample(self, size: int, number: int) -> tuple[Interval, float]:
        """Sample `number` of this size: the interval of the verdicts, and how far up an unseen loss may bring it."""
        positions = np.random.default_rng([size, number]).choice(len(self.truth), size, replace=False)
        clean, compressed = self.scorers(positions)
        score = _score(compressed)
        value = _score(clean) - score
        found = bootstrap.interval(clean, compressed, value, size, number, CONFIDENCE, (-100.0, 100.0))
        unseen = unseen_drop(found, score, CONFIDENCE)
        return found, max(found.high, found.high if unseen is None else unseen)


def _score(scorer: MeanIoU) -> float:
    return float(scorer(np.ones((1, len(scorer.truth))))[0])


def row(population: Population, size: int, samples: int) -> tuple[float, float, float, float]:
    """Return coverage in percent and mean width in points, of the interval of the verdicts and of the widened one."""
    drawn = [population.sample(size, number) for number in range(samples)]
    low, high, wide = np.array([(found.low, found.high, wider) for found, wider in drawn]).T
    truth = population.drop
    above = low <= truth
    return (
        100 * float(np.mean(above & (truth <= high))),
        float(np.mean(high - low)),
        100 * float(np.mean(above & (truth <= wide))),
        float(np.mean(wide - low)),
    )


def report(sizes: Sequence[int], samples: int) -> Iterator[str]:
    """Yield the table, in Markdown."""
    yield f"mIoU of {IMAGES} made-up images, {samples} samples of each size. Widths are in points."
    yield ""
    yield "| lose everything | true drop | images | covered | width | covered if widened | width then |"
    yield "|--:|--:|--:|--:|--:|--:|--:|"
    for gone in GONE:
        for others in OTHERS:
            population = Population.of(gone, others)
            for size in sizes:
                covered, width, then, wide = row(population, size, samples)
                yield (
                    f"| {100 * gone:g} % | {population.drop:.1f} | {size} | {covered:.1f} % | {width:.2f} "
                    f"| {then:.1f} % | {wide:.2f} |"
                )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("coverage.rare", __doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES, help="images in a sample (30 100 300)")
    parser.add_whole("--samples", SAMPLES, "of each size")
    parser.add_write()
    chosen = parser.parse_args(arguments)
    if not 2 <= min(chosen.sizes) <= max(chosen.sizes) <= IMAGES:
        parser.error(f"--sizes: {chosen.sizes} are not all from 2 to {IMAGES}, the population")
    parser.check_whole(chosen, "samples")
    check_document(chosen.write, MARK)
    head = ("`python -m benchmarks.coverage.rare --write docs/explanation/coverage.md`", "")
    document.publish(chain(head, report(chosen.sizes, chosen.samples)), chosen.write, MARK)


if __name__ == "__main__":
    main()
