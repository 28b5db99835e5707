"""Coverage of intervals over groups of images: ``python -m benchmarks.coverage.grouped``.

Images of a group depend on one another: with the root of the intra-class correlation an image copies what the group has
drawn, else it draws for itself. For top1 an image is lost, gained, or neither; for mIoU, made-up label maps lose more
or less. Each interval is compared with the one that takes all images for independent, and the limit is exactly the
truth, so that a `fail` and a `pass` are both false. Rows that are done are kept in ``--keep FILE``, and a run that was
broken off goes on from there. ``--write docs/explanation/coverage.md`` puts the tables between the marks ``<!-- grouped
-->`` and ``<!-- end of grouped -->`` of that file. One core takes about five minutes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import document
from benchmarks.command import Command, check_document
from compress_guard.tasks.segmentation import MeanIoU
from compress_guard.verdict import bootstrap, paired
from compress_guard.verdict.grouped import clustered
from compress_guard.verdict.grouped.groups import Groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

MARK: Final = "grouped"
CONFIDENCE: Final = 0.95
CORRELATIONS: Final = (0.0, 0.1, 0.3, 0.5)
SIZES: Final = ("1", "5", "20", "1 to 20")
GROUPS: Final = (5, 10, 20, 50, 200)
SHARES: Final = ((0.02, 0.0), (0.05, 0.03), (0.2, 0.05))
"""Shares of lost and of gained images."""
MAP_GROUPS: Final = (10, 20, 50, 100)
MAP_SIZE: Final = 5
CLASSES: Final = 6
PIXELS: Final = 4096
POPULATION: Final = 4000
"""Groups of made-up label maps."""
SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Row:
    """Shares of a number of samples, by how their intervals lie to the truth."""

    covered: float
    fails: float
    """The interval is wholly above the truth."""
    passes: float
    """The interval is wholly at or below it, and does not hold it."""
    alone: float
    """Coverage of the interval that takes the images for independent."""
    wider: float
    """Mean width over the mean width of that interval."""

    @classmethod
    def of(cls, ends: NDArray[np.float64], alone: NDArray[np.float64], truth: float) -> Row:
        """Return the row of the ends (samples, 2) of both intervals, and the truth, in points."""
        low, high = ends.T
        fails, passes = low > truth + SLACK, high < truth - SLACK
        held = (alone[:, 0] <= truth + SLACK) & (alone[:, 1] >= truth - SLACK)
        widths = [float(np.mean(side[:, 1] - side[:, 0])) for side in (ends, alone)]
        covered = float(np.mean(~fails & ~passes))
        return cls(covered, float(fails.mean()), float(passes.mean()), float(held.mean()), widths[0] / widths[1])


def members(size: str, groups: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return the group of each image."""
    sizes = rng.integers(1, 21, groups) if size == "1 to 20" else np.full(groups, int(size))
    return np.repeat(np.arange(groups), sizes)


def top1(size: str, groups: int, correlation: float, shares: tuple[float, float], samples: int) -> Row:
    """Return the row of samples of flags."""
    rng = np.random.default_rng([groups, int(100 * correlation), int(1000 * shares[0])])
    cumulated = np.cumsum(shares)
    counts = np.array(
        [_counts(Groups(members(size, groups, rng)), cumulated, correlation, rng) for _ in range(samples)]
    )
    images, lost, gained, share = counts.T
    ends = paired.bounds(images * share, lost * share, gained * share, CONFIDENCE)
    alone = paired.bounds(images, lost, gained, CONFIDENCE)
    return Row.of(100 * np.stack(ends, axis=1), 100 * np.stack(alone, axis=1), 100 * (shares[0] - shares[1]))


def _counts(
    belongs: Groups, cumulated: NDArray[np.float64], correlation: float, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """Draw flips; return the numbers of images, lost and gained ones, and the share that counts as independent."""
    own, common = rng.random(belongs.images), rng.random(belongs.count)[belongs.members]
    drawn = np.where(rng.random(belongs.images) < correlation**0.5, common, own)
    compressed, clean = drawn >= cumulated[0], (drawn < cumulated[0]) | (drawn >= cumulated[1])
    share = 1.0
    if belongs.count < belongs.images:  # else each image stands alone
        effect = clustered.drop_effect(clean, compressed, belongs)
        share = clustered.effective_share(effect, belongs.count, CONFIDENCE)
    return belongs.images, float(np.sum(~compressed)), float(np.sum(~clean)), share


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Label maps in groups of one size: pixels by class (images, classes), of the truth and of both sides."""

    truth: NDArray[np.float64]
    clean: tuple[NDArray[np.float64], NDArray[np.float64]]
    compressed: tuple[NDArray[np.float64], NDArray[np.float64]]

    @classmethod
    def of(cls, correlation: float, groups: int = POPULATION) -> Maps:
        """Make groups whose images lose alike, as far as the correlation goes."""
        rng = np.random.default_rng(int(100 * correlation))
        images = groups * MAP_SIZE

        def hardness() -> NDArray[np.float64]:
            common = np.repeat(rng.gamma(0.5, 0.2, groups), MAP_SIZE)
            return np.where(rng.random(images) < correlation**0.5, common, rng.gamma(0.5, 0.2, images))[:, np.newaxis]

        area = rng.gamma(2, 1, (images, CLASSES)) * (rng.random((images, CLASSES)) < 0.6)
        area[:, 0] += 0.1
        truth = np.round(PIXELS * area / area.sum(axis=1, keepdims=True))
        wrong = np.clip(hardness() * rng.random((images, CLASSES)), 0, 0.9)
        loss = np.clip(hardness() * rng.random((images, CLASSES)), 0, 1)
        right, union = np.round(truth * (1 - wrong)), truth + np.round(truth * wrong / 2)
        return cls(truth, (right, union), (np.round(right * (1 - loss)), union + np.round(right * loss / 2)))

    def scorers(self, at: NDArray[np.intp] | slice) -> tuple[MeanIoU, MeanIoU]:
        """Return the clean and the compressed scorer of some of the images."""
        clean, compressed = (
            MeanIoU(right[at], union[at], self.truth[at]) for right, union in (self.clean, self.compressed)
        )
        return clean, compressed


def miou(maps: Maps, groups: int, samples: int) -> Row:
    """Return the row of samples of this many groups."""
    ends: list[tuple[float, float]] = []
    alone: list[tuple[float, float]] = []
    for number in range(samples):
        chosen = np.random.default_rng([groups, number]).choice(POPULATION, groups, replace=False)
        at = (chosen[:, np.newaxis] * MAP_SIZE + np.arange(MAP_SIZE)).reshape(-1)
        belongs = Groups(np.repeat(np.arange(groups), MAP_SIZE))
        sides = maps.scorers(at)
        value = drop(sides)
        for kept, together in ((ends, belongs), (alone, None)):
            found = bootstrap.interval(*sides, value, len(at), number, CONFIDENCE, (-100.0, 100.0), together)
            kept.append((found.low, found.high))
    return Row.of(np.array(ends), np.array(alone), drop(maps.scorers(slice(None))))


def drop(sides: tuple[MeanIoU, MeanIoU]) -> float:
    """Return the drop in points."""
    clean, compressed = (float(side(np.ones((1, len(side.truth))))[0]) for side in sides)
    return clean - compressed


class Keep:
    """Rows that are done, in a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: dict[str, list[float]] = json.loads(path.read_text()) if path and path.exists() else {}

    def row(self, name: str, make: Callable[[], Row]) -> Row:
        """Return the row of this name, made now unless it is kept."""
        if name not in self._rows:
            self._rows[name] = list(astuple(make()))
            if self._path is not None:
                self._path.write_text(json.dumps(self._rows))
        return Row(*self._rows[name])


def report(samples: int, maps: int, keep: Keep) -> Iterator[str]:
    """Yield both tables, in Markdown."""
    yield f"top1, {samples} samples a scenario, the worst of {len(SHARES)} shares of flips. All but widths in percent:"
    yield ""
    yield from HEAD
    for groups, size, correlation in product(GROUPS, SIZES, CORRELATIONS):
        if size == "1" and correlation:
            continue  # single images have nothing in common
        rows = [
            keep.row(
                f"top1 {groups} {size} {correlation} {shares} {samples}",
                partial(top1, size, groups, correlation, shares, samples),
            )
            for shares in SHARES
        ]
        yield _line(groups, size, correlation, rows)
    yield ""
    yield f"mIoU, {maps} samples a scenario out of {POPULATION} groups of {MAP_SIZE} made-up label maps:"
    yield ""
    yield from HEAD
    for correlation in CORRELATIONS:
        population = Maps.of(correlation)
        for groups in MAP_GROUPS:
            name = f"miou {groups} {correlation} {maps}"
            row = keep.row(name, partial(miou, population, groups, maps))
            yield _line(groups, str(MAP_SIZE), correlation, [row])


HEAD: Final = (
    "| groups | images each | correlation | coverage | false fail | false pass | if images were independent | wider |",
    "|--:|--:|--:|--:|--:|--:|--:|--:|",
)


def _line(groups: int, size: str, correlation: float, rows: Sequence[Row]) -> str:
    shares = (
        min(row.covered for row in rows),
        max(row.fails for row in rows),
        max(row.passes for row in rows),
        min(row.alone for row in rows),
    )
    texts = " | ".join(f"{100 * share:.1f}" for share in shares)
    return f"| {groups} | {size} | {correlation:g} | {texts} | {np.mean([row.wider for row in rows]):.2f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("coverage.grouped", __doc__)
    parser.add_whole("--samples", 2000, "samples of top1 in each scenario")
    parser.add_whole("--maps", 300, "samples of mIoU in each scenario")
    parser.add_argument("--keep", type=Path, help="file of rows that are done")
    parser.add_write()
    chosen = parser.parse_args(arguments)
    parser.check_whole(chosen, "samples", "maps")
    check_document(chosen.write, MARK)
    head = ("`python -m benchmarks.coverage.grouped --write docs/explanation/coverage.md`", "")
    document.publish(chain(head, report(chosen.samples, chosen.maps, Keep(chosen.keep))), chosen.write, MARK)


if __name__ == "__main__":
    main()
