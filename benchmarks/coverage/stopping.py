"""Cost and savings of early stopping: ``python -m benchmarks.coverage.stopping``.

Simulated guards of 5000 images in batches of 32, with the looks, intervals and last intervals of the package: how often
the verdict is wrong where the truth is at the limit, how often the reported interval holds the truth, and how many
images are used at so many interval widths from the limit. ``--population FOLDER`` adds mIoU and mAP on rendered scenes
(benchmarks.coverage.population). ``--write docs/explanation/coverage.md`` puts the tables between the marks ``<!--
stopping -->`` and ``<!-- end of stopping -->`` of that file.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from benchmarks import document
from benchmarks.command import Command, check_document
from benchmarks.coverage import looks
from compress_guard.verdict import betting, paired, stopping, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Truths = NDArray[np.bool_]

PLANNED: Final = 5000
BATCH: Final = 32
CONFIDENCE: Final = 0.95
SEQUENCES: Final = 20_000
CHUNK: Final = 2000
JUST: Final = 1e-5
"""Distance of a truth that is just on the wrong side of the limit, as a share: a thousandth of a point."""
MARK: Final = "stopping"
DISTANCES: Final = (-5, -3, -2, -1, 1, 2, 3, 5)


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean of flags, or of their paired differences, and the package's rules for it. In shares, not points."""

    sides: Callable[..., tuple[Truths, Truths]]
    """Function of images, counts, limit and confidence: is the interval of a look above the limit, is it below."""
    bounds: Callable[..., tuple[Numbers, Numbers]]
    """Function of images, counts and confidence: the interval of a look."""
    last: Callable[..., tuple[Numbers, Numbers]]
    """Ends of the interval over all images, in the same form."""


@dataclass(frozen=True, slots=True)
class Case:
    """A population of images: the probability of each outcome, and its mean."""

    mean: Mean
    shares: tuple[float, ...]
    truth: float
    label: str


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """Many runs of one cell: verdicts (1: above the limit, -1: below it, 0: neither) and their intervals."""

    side: NDArray[np.int64]
    full: NDArray[np.int64]
    """Verdict of the run without stopping."""
    images: Numbers
    covered: Truths
    early: Truths


DROP: Final = Mean(betting.drop_sides, betting.drop_bounds, paired.bounds)
SCORE: Final = Mean(betting.score_sides, betting.score_bounds, wilson.bounds)


def drop_case(flips: float, lost: float) -> Case:
    """Return a case by the share of flips and the share of these from right to wrong; other images do not matter."""
    label = f"{100 * flips:g} % flips, {100 * lost:.0f} % of them harmful"
    return Case(DROP, (flips * lost, flips * (1 - lost)), flips * (2 * lost - 1), label)


def score_case(accuracy: float, drop: float) -> Case:
    return Case(SCORE, (accuracy - drop,), accuracy - drop, f"min_score: {100 * accuracy:.0f} less {100 * drop:.0f}")


DROPS: Final = [drop_case(flips, lost) for flips in (0.001, 0.01, 0.05, 0.2) for lost in (0.5, 0.75, 1.0)]
SCORES: Final = [score_case(accuracy, drop) for accuracy in (0.7, 0.9) for drop in (0.0, 0.05)]


def sizes(planned: int, batch: int) -> list[int]:
    """Return the numbers of images at which there is a look if flags come in batches."""
    found, due = [], stopping.FIRST
    for images in range(batch, planned, batch):
        if images >= due:
            found.append(images)
            due = stopping.following(images)
    return found


def draw(case: Case, count: int, generator: np.random.Generator) -> list[Numbers]:
    """Return counts of each outcome at every look and over all images: (count, looks + 1) each."""
    ends = [*sizes(PLANNED, BATCH), PLANNED]
    shares = [*case.shares, 1 - sum(case.shares)]
    parts = [generator.multinomial(size, shares, size=count) for size in np.diff([0, *ends])]
    totals = np.cumsum(np.stack(parts, axis=1), axis=1).astype(np.float64)
    return [totals[:, :, at] for at in range(len(case.shares))]


def run(case: Case, counts: Sequence[Numbers], limit: float) -> Outcomes:
    """Judge these draws against a limit, stopping where a look decides."""
    ends = np.array(sizes(PLANNED, BATCH))
    error = 1 - CONFIDENCE
    confidence = 1 - stopping.SHARE * error
    above, below = case.mean.sides(ends, *(one[:, :-1] for one in counts), limit, confidence)
    early, at = (above | below).any(axis=1), (above | below).argmax(axis=1)
    rows = np.arange(len(at))
    last = [one[:, -1] for one in counts]
    low, high = case.mean.last(PLANNED, *last, 1 - (1 - stopping.SHARE) * error)
    first = case.mean.bounds(ends[at[early]], *(one[rows[early], at[early]] for one in counts), confidence)
    low[early], high[early] = first
    widest = case.mean.last(PLANNED, *last, CONFIDENCE)
    return Outcomes(
        _side(case, low, high, limit),
        _side(case, *widest, limit),
        np.where(early, ends[at], PLANNED).astype(np.float64),
        (low <= case.truth) & (case.truth <= high),
        early,
    )


def _side(case: Case, low: Numbers, high: Numbers, limit: float) -> NDArray[np.int64]:
    above = low > limit if case.mean is DROP else low >= limit
    below = high <= limit if case.mean is DROP else high < limit
    return above.astype(np.int64) - below


def many(case: Case, limit: float, sequences: int, seed: int) -> Outcomes:
    """Return the outcomes of `run` for many draws, in parts that fit into memory; all limits get the same draws."""
    generator = np.random.default_rng(seed)
    parts = [
        run(case, draw(case, min(CHUNK, sequences - start), generator), limit) for start in range(0, sequences, CHUNK)
    ]
    return Outcomes(*(np.concatenate([getattr(one, name) for one in parts]) for name in Outcomes.__slots__))


def width(case: Case) -> float:
    """Return the width of the interval of a run without stopping that sees the expected outcomes."""
    low, high = case.mean.last(PLANNED, *(np.array([round(PLANNED * share)]) for share in case.shares), CONFIDENCE)
    return float(high[0] - low[0])


def errors(sequences: int, seed: int) -> Iterator[str]:
    """Yield verdicts and intervals where the truth is at the limit."""
    yield "| images like these | truth | false fail | false pass | without stopping | covered | images used |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for case in [*DROPS, *SCORES]:
        harm = 1 if case.mean is DROP else -1
        held, short = (many(case, case.truth - shift, sequences, seed) for shift in (0.0, harm * JUST))
        yield (
            f"| {case.label} | {100 * case.truth:.1f} | {percent(held.side == harm)} | {percent(short.side == -harm)} "
            f"| {percent(held.full == harm)}, {percent(short.full == -harm)} | {percent(held.covered)} "
            f"| {percent(held.images / PLANNED)} |"
        )


def saving(sequences: int, seed: int) -> Iterator[str]:
    """Yield images used, by the distance from the limit in interval widths, and the least coverage over all limits."""
    yield f"| images like these | width | {' | '.join(f'{distance:+d}' for distance in DISTANCES)} | covered |"
    yield f"|---|--:|{'--:|' * (len(DISTANCES) + 1)}"
    for case in [*DROPS, *SCORES]:
        step = width(case)
        cells, covered = [], [1.0]
        for distance in DISTANCES:
            limit = case.truth + distance * step
            if not 0 <= limit <= 1:
                cells.append("")
                continue
            found = many(case, limit, sequences, seed)
            covered.append(float(found.covered.mean()))
            wrong = np.mean((found.side != 0) & (found.side == np.sign(distance)))
            lost = np.mean((found.side == 0) & (found.full != 0))
            notes = ((wrong, "wrong"), (lost, "open"))
            told = "".join(f", {100 * share:.2g} % {word}" for share, word in notes if share)
            cells.append(f"{percent(found.images / PLANNED)}{told}")
        yield f"| {case.label} | {100 * step:.2f} | {' | '.join(cells)} | {100 * min(covered):.1f} % |"


def percent(found: NDArray[np.bool_] | Numbers) -> str:
    return f"{100 * float(np.mean(found)):.1f} %"


def report(sequences: int, seed: int) -> Iterator[str]:
    """Yield both tables for means of flags."""
    yield f"### top1: {PLANNED} images, {sequences} runs each"
    yield ""
    yield "Where the truth is at the limit, or just on its wrong side:"
    yield ""
    yield from errors(sequences, seed)
    yield ""
    yield "Share of the images used where the limit is so many widths of the full run's interval from the truth:"
    yield ""
    yield from saving(max(1, sequences // 5), seed)
    yield ""


def arguments_of(given: Sequence[str] | None) -> argparse.Namespace:
    parser = Command("coverage.stopping", __doc__)
    parser.add_whole("--sequences", SEQUENCES, "simulated runs of top1")
    parser.add_argument("--population", type=Path, help="folder of benchmarks.coverage.population, for mIoU and mAP")
    parser.add_whole("--samples", 400, "samples of it")
    parser.add_argument("--images", type=int, nargs="+", default=[300, 1000], help="images in a sample (300 1000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_write()
    chosen = parser.parse_args(given)
    parser.check_whole(chosen, "sequences", "samples")
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = arguments_of(arguments)
    check_document(chosen.write, MARK)
    tables = [report(chosen.sequences, chosen.seed)]
    if chosen.population is not None:
        tables.append(looks.report(chosen.population, chosen.samples, chosen.images, chosen.seed))
    document.publish(itertools.chain(*tables), chosen.write, MARK)


if __name__ == "__main__":
    main()
