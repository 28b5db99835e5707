"""Misses of the interval of top1, and error rates of its verdicts: ``python -m benchmarks.coverage.top1``.

The grid: numbers of images, clean accuracies, true drops up to all that can be lost, and how many images are gained
(wrong clean, right compressed) of those that would be if compression struck without regard to what the model finds
hard. No gains are the fewest flips that a drop can have; all of them are independent predictions. Up to 300 images
every possible outcome is counted with its probability; above, outcomes are drawn, the same for all methods. ``--write
docs/explanation/coverage.md`` puts the tables between the marks ``<!-- top1 -->`` and ``<!-- end of top1 -->`` of that
file.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import document
from benchmarks.command import Command, check_document, given_words
from benchmarks.coverage import flags
from benchmarks.coverage.intervals import CHOICE, METHODS, TANGO, Method

if TYPE_CHECKING:
    from numpy.typing import NDArray

IMAGES = (50, 200, 300, 1000, 5000)
ACCURACIES = (0.5, 0.9, 0.99, 1.0)
DROPS = tuple(np.round([*np.arange(0, 5, 0.1), *np.arange(5, 100, 0.5)], 4) / 100)
FEWER_DROPS = tuple(np.round([0, 0.1, 0.2, 0.3, 0.5, 0.7, *np.arange(1, 5, 0.5), *np.arange(5, 100)], 4) / 100)
"""Grid for drawn outcomes: with many images coverage hardly changes between neighbours."""
GAINS = (0.0, 0.1, 0.5, 1.0)
MOST_COUNTED = 300
DRAWS = 40_000
COLUMNS = "lowest coverage | mean coverage | width / Tango's | worst false fail | worst false pass"
CONFIDENCES = (0.95, 0.99, 0.9987)
"""The usual confidence; that of a cell with four others under a Bonferroni correction; with 37 others."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A model, a codec and a data set as far as top1 sees them; all but `images` are shares between 0 and 1."""

    images: int
    accuracy: float
    drop: float
    gains: float
    """Gained images, as a share of those of independent predictions."""

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """Shares of lost, gained, right both times and wrong both times."""
        gained = self.gains * (1 - self.accuracy) * (self.accuracy - self.drop)
        lost = self.drop + gained
        both = self.accuracy - lost
        return lost, gained, both, max(0.0, 1 - lost - gained - both)

    def __str__(self) -> str:
        flips = {0.0: "fewest flips", 1.0: "independent"}.get(self.gains, f"{self.gains:g} of the gains")
        return f"{self.images} images, {100 * self.accuracy:g} % clean, drop {100 * self.drop:g}, {flips}"


@dataclass(frozen=True, eq=False)
class Found:
    """Results of a method in each scenario: arrays of shape (scenarios,), all but `scenarios` between 0 and 2."""

    scenarios: tuple[Scenario, ...]
    above: NDArray[np.float64]
    """Share of intervals wholly above the true drop: a limit there would have failed falsely."""
    below: NDArray[np.float64]
    """Share of intervals wholly below it."""
    passed: NDArray[np.float64]
    """Share of intervals at or below it: a limit just below the true drop would have passed falsely."""
    width: NDArray[np.float64]

    @cached_property
    def coverage(self) -> NDArray[np.float64]:
        return 1 - self.above - self.below

    @property
    def where(self) -> Scenario:
        """Scenario of the lowest coverage."""
        return self.scenarios[int(self.coverage.argmin())]

    def part(self, images: int, accuracy: float) -> Found:
        kept = [at for at, one in enumerate(self.scenarios) if (one.images, one.accuracy) == (images, accuracy)]
        arrays = (self.above[kept], self.below[kept], self.passed[kept], self.width[kept])
        return Found(tuple(self.scenarios[at] for at in kept), *arrays)


def broken(found: Found, tango: Found) -> list[str]:
    """Return the bars for 95 % that do not hold, each with the measured value."""
    share = float((found.width / tango.width).mean())
    bars = (
        (found.coverage.min() >= 0.93, f"covers {found.coverage.min():.2%} ({found.where})"),
        (found.coverage.mean() >= 0.945, f"covers {found.coverage.mean():.2%} on average"),
        (share <= 1.1, f"is {share:.2f} times as wide as Tango's"),
        (found.above.max() <= 0.055, f"fails falsely in {found.above.max():.2%}"),
        (found.passed.max() <= 0.055, f"passes falsely in {found.passed.max():.2%}"),
    )
    return [what for held, what in bars if not held]


def grid(
    images: Sequence[int] = IMAGES, drops: Sequence[float] | None = None, gains: Sequence[float] = GAINS
) -> tuple[Scenario, ...]:
    """Return all scenarios; at 100 % clean no image can be gained, so that the flips are always the fewest."""
    return tuple(
        Scenario(number, accuracy, float(drop), share)
        for number in images
        for accuracy in ACCURACIES
        for share in (gains if accuracy < 1 else gains[:1])
        for drop in drops or (DROPS if number <= MOST_COUNTED else FEWER_DROPS)
        if drop <= accuracy
    )


def measure(
    scenarios: Sequence[Scenario], methods: Sequence[Method], confidence: float, draws: int = DRAWS, seed: int = 0
) -> dict[str, Found]:
    """Return the results of each method in each scenario, by the name of the method."""
    tables = {
        (one, images): flags.Tabulated(one, images, confidence) for one in methods for images in _sizes(scenarios)
    }
    rows: dict[str, list[tuple[float, float, float, float]]] = {one.name: [] for one in methods}
    for at, scenario in enumerate(scenarios):
        counted = scenario.images <= MOST_COUNTED
        drawn = None if counted else flags.drawn(scenario.images, scenario.shares, draws, (seed, at))
        for pairs in sorted({one.pairs for one in methods}):
            if drawn is None:
                sample = flags.counted(scenario.images, scenario.shares, pairs=pairs)
            else:
                sample = drawn.of_pairs(scenario.images) if pairs else drawn
            for one in methods:
                if one.pairs == pairs:
                    low, high = tables[one, scenario.images](sample)
                    rows[one.name].append(_row(sample.weight, low, high, scenario.drop))
    return {name: Found(tuple(scenarios), *np.array(found).T) for name, found in rows.items()}


def _sizes(scenarios: Sequence[Scenario]) -> list[int]:
    return sorted({one.images for one in scenarios})


def _row(
    weight: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], drop: float
) -> tuple[float, float, float, float]:
    # Ends that are the drop itself but for rounding.
    slack = 1e-12
    above, below, passed = low > drop + slack, high < drop - slack, high <= drop + slack
    return weight[above].sum(), weight[below].sum(), weight[passed].sum(), float(weight @ (high - low))


def report(images: Sequence[int], draws: int, seed: int) -> Iterator[str]:
    """Yield the tables, in Markdown."""
    found = measure(grid(images), METHODS, 0.95, draws, seed)
    chosen, tango = found[CHOICE.name], found[TANGO.name]
    kinds = [f"counted exactly up to {MOST_COUNTED} images"]
    if max(images) > MOST_COUNTED:
        kinds.append(f"{draws} draws each above (standard error {50 * np.sqrt(0.19 / draws):.2f} points)")
    yield f"{len(chosen.scenarios)} scenarios at 95 % confidence: {', '.join(kinds)}. All but widths is in percent."
    yield ""
    yield from comparison(found, tango)
    yield ""
    failures = broken(chosen, tango)
    yield f"{CHOICE.name}: {'all bars hold' if not failures else '; '.join(failures)}."
    yield ""
    yield from by_size(chosen, tango)
    yield ""
    yield from other_confidences([one for one in images if one <= MOST_COUNTED])
    yield ""
    yield from one_sample(images)


def comparison(found: Mapping[str, Found], tango: Found) -> Iterator[str]:
    """Yield a row per method over the whole grid."""
    yield "| method | lowest coverage | at | mean coverage | width / Tango's | worst false fail | worst false pass |"
    yield "|---|--:|---|--:|--:|--:|--:|"
    for name, one in found.items():
        yield f"| {name} | {_percent(one.coverage.min())} | {one.where} | {_rest(one, tango)} |"


def by_size(chosen: Found, tango: Found) -> Iterator[str]:
    """Yield a row per number of images and clean accuracy, for what the product uses."""
    yield f"| images | clean | {COLUMNS} |"
    yield "|--:|--:|--:|--:|--:|--:|--:|"
    for images in _sizes(chosen.scenarios):
        for accuracy in ACCURACIES:
            one, other = chosen.part(images, accuracy), tango.part(images, accuracy)
            yield f"| {images} | {100 * accuracy:g} | {_percent(one.coverage.min())} | {_rest(one, other)} |"


def other_confidences(images: Sequence[int]) -> Iterator[str]:
    """Yield a row per confidence and method, for numbers of images that can be counted exactly."""
    yield f"| confidence | method | {COLUMNS} |"
    yield "|--:|---|--:|--:|--:|--:|--:|"
    for confidence in CONFIDENCES:
        found = measure(grid(images, FEWER_DROPS), (TANGO, CHOICE), confidence)
        for name, one in found.items():
            row = _rest(one, found[TANGO.name], digits=3)
            yield f"| {100 * confidence:g} | {name} | {_percent(one.coverage.min(), 3)} | {row} |"


def one_sample(images: Sequence[int]) -> Iterator[str]:
    """Yield rows for the interval of one score (`min_score`), in steps of 0.05 points, finer towards 0 and 100."""
    yield "| images | method | lowest coverage | at a score of | mean coverage | worst false fail | worst false pass |"
    yield "|--:|---|--:|--:|--:|--:|--:|"
    for number in images:
        rare = np.geomspace(0.001, 10, 1000) / number
        steps = np.arange(0, 2001) / 2000
        scores = np.concatenate([steps, rare, 1 - rare])
        for name, ends in flags.ONE_SAMPLE.items():
            above, below = flags.misses(number, scores, ends(number, 0.95))
            coverage = 1 - above - below
            # A score falls short of its floor: an interval wholly below is a false fail.
            rest = " | ".join(_percent(value) for value in (coverage[: len(steps)].mean(), below.max(), above.max()))
            at = 100 * scores[coverage.argmin()]
            yield f"| {number} | {name} | {_percent(coverage.min())} | {at:.3f} | {rest} |"


def _rest(found: Found, tango: Found, digits: int = 2) -> str:
    mean, fail, passed = (
        _percent(one, digits) for one in (found.coverage.mean(), found.above.max(), found.passed.max())
    )
    return f"{mean} | {(found.width / tango.width).mean():.3f} | {fail} | {passed}"


def _percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f}"


def arguments_of(given: Sequence[str] | None) -> argparse.Namespace:
    parser = Command("coverage.top1", __doc__)
    parser.add_argument("--images", nargs="+", type=int, default=IMAGES, help="numbers of images (50 to 5000)")
    parser.add_whole("--draws", DRAWS, f"draws above {MOST_COUNTED} images")
    parser.add_whole("--seed", 0, "of the draws")
    parser.add_write()
    chosen = parser.parse_args(given)
    for name, least in (("images", min(chosen.images)), ("draws", chosen.draws)):
        if least < 1:
            parser.error(f"--{name}: {least} is not a whole number of at least 1")
    return chosen


def main(arguments: Sequence[str] | None = None) -> None:
    chosen = arguments_of(arguments)
    check_document(chosen.write, "top1")
    given = given_words(arguments)
    command = f"`{' '.join(['python -m benchmarks.coverage.top1', *given])}`"
    document.publish(chain((command, ""), report(chosen.images, chosen.draws, chosen.seed)), chosen.write, "top1")


if __name__ == "__main__":
    main()
