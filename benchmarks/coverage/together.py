"""Error rate of cells with two limits: ``python -m benchmarks.coverage.together``.

A cell with a `max_drop` and a `min_score` has two intervals, of the drop and of the compressed score, and either may
miss the truth. Every possible outcome of top1 is counted with its probability, as in `benchmarks.coverage.top1`, over a
grid of models and drops whose limits are exactly kept. Several cells are of different data sets, each at its worst: the
images of one data set serve all cells of a guard, which then go wrong together rather than one by one. ``--write
docs/explanation/coverage.md`` puts the table between the marks ``<!-- together -->`` and ``<!-- end of together -->``
of that file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from benchmarks import document
from benchmarks.command import Command, check_document
from benchmarks.coverage import flags
from benchmarks.coverage.intervals import CHOICE, Ends
from benchmarks.coverage.top1 import Scenario
from compress_guard.records import Cell, CodecSpec, Guard, Rate
from compress_guard.thresholds.keys.correction import corrected
from compress_guard.verdict import wilson

if TYPE_CHECKING:
    from compress_guard.records.vocabulary import Correction

MARK: Final = "together"
IMAGES: Final = (20, 50, 100, 200)
CELLS: Final = (1, 5, 20)
CONFIDENCE: Final = 0.95
ACCURACIES: Final = (0.5, 0.7, 0.9, 0.99, 1.0)
DROPS: Final = tuple(np.round([*np.arange(0, 10), *np.arange(10, 100, 5)], 4) / 100)
GAINS: Final = (0.0, 0.1, 0.5, 1.0)
_SLACK: Final = 1e-12
"""Tolerance for rounding: an end this near to the truth covers it."""


class Wrong(NamedTuple):
    """Error rates of a cell that exactly keeps both limits, as shares between 0 and 1."""

    fails: float
    """Rate of the verdict ``fail``: an interval is wholly on the wrong side of its limit."""
    misses: float
    """Rate at which one interval or both do not hold the truth."""

    def among(self, cells: int) -> Wrong:
        """Return the rates of at least one error among this number of independent cells."""
        return Wrong(*(1 - (1 - share) ** cells for share in self))


def grid(images: int) -> tuple[Scenario, ...]:
    """Return all scenarios; at 100 % clean no image can be gained."""
    return tuple(
        Scenario(images, accuracy, float(drop), share)
        for accuracy in ACCURACIES
        for share in (GAINS if accuracy < 1 else GAINS[:1])
        for drop in DROPS
        if drop <= accuracy
    )


def worst(scenarios: Sequence[Scenario], confidence: float) -> Wrong:
    """Return the largest shares in these scenarios, which are all of one number of images."""
    (images,) = {one.images for one in scenarios}
    drops = flags.Tabulated(CHOICE, images, confidence)
    scores = wilson.bounds(images, np.arange(images + 1), confidence)
    found = [_wrong(one, drops, scores) for one in scenarios]
    return Wrong(*(max(column) for column in zip(*found, strict=True)))


def _wrong(scenario: Scenario, drops: flags.Tabulated, scores: Ends) -> Wrong:
    sample = flags.counted(scenario.images, scenario.shares, pairs=False)
    low, high = drops(sample)
    right = (sample.gained + sample.both).astype(np.intp)
    drop, score = scenario.drop, scenario.accuracy - scenario.drop
    fails = (low > drop + _SLACK) | (scores[1][right] < score - _SLACK)
    misses = fails | (high < drop - _SLACK) | (scores[0][right] > score + _SLACK)
    return Wrong(float(sample.weight[fails].sum()), float(sample.weight[misses].sum()))


def confidence_of(cells: int, correction: Correction) -> float:
    """Return the gate's confidence of each interval in a file whose cells have a max_drop and a min_score."""
    spec = CodecSpec("jpeg", "jpeg")
    asked = tuple(Cell("all", spec, Rate(0.1 * (at + 1)), 2.0, 60.0, None, 0) for at in range(cells))
    guard = Guard("all", "classification", "top1", "", "", asked, confidence=CONFIDENCE, correction=correction)
    return corrected((guard,))[0].confidence


def report(images: Sequence[int]) -> Iterator[str]:
    """Yield the table, in Markdown."""
    scenarios = {number: grid(number) for number in images}
    total = sum(map(len, scenarios.values()))
    yield f"{total} scenarios of top1, every outcome counted. In percent, in the worst of them:"
    yield ""
    yield "| images | cells | correction | confidence of each interval | a cell fails falsely | an interval misses |"
    yield "|--:|--:|---|--:|--:|--:|"
    kinds: tuple[tuple[int, Correction], ...] = ((1, "none"), *((number, "bonferroni") for number in CELLS))
    for number, asked in scenarios.items():
        for cells, correction in kinds:
            confidence = confidence_of(cells, correction)
            found = worst(asked, confidence).among(cells)
            shares = " | ".join(f"{100 * share:.2f}" for share in found)
            yield f"| {number} | {cells} | {correction} | {100 * confidence:g} | {shares} |"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Command("coverage.together", __doc__)
    parser.add_argument("--images", nargs="+", type=int, default=IMAGES, help="numbers of images (20 50 100 200)")
    parser.add_write()
    chosen = parser.parse_args(arguments)
    if min(chosen.images) < 1:
        parser.error(f"--images: {min(chosen.images)} is not a whole number of at least 1")
    check_document(chosen.write, MARK)
    head = ("`python -m benchmarks.coverage.together --write docs/explanation/coverage.md`", "")
    document.publish(chain(head, report(chosen.images)), chosen.write, MARK)


if __name__ == "__main__":
    main()
