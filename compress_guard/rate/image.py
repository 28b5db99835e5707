"""Image mode: every image at the target rate, at the nearest step of the ladder, or at an end of the ladder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from compress_guard.rate.curve import CHUNK, Curves
from compress_guard.rate.ledger import LOW_END, Flags, Floats, Ints, Ledger

STUCK_SHARE: Final = 0.05
"""Share of images that cannot be made small enough, above which a rate is unreachable."""
GROUPS: Final = (4, 12, 36)
"""Sizes of the first groups; each is settled at all rates before the next begins, so that later images profit."""
DOUBT: Final = 0.15
"""Chance to meet the target; a bracketed image is settled once no other step has a better one."""
LOWER: Final = 0.01
"""Difference in log size; an image at its floor is tried at a step that is predicted to be this much smaller."""
FAINT: Final = 0.02
"""Chance to meet the target; if no step has a better one, the step predicted nearest is tried."""
BESIDE: Final = 3
"""Number of steps on either side of the nearest measured step that may be nearer, at the low end of the ladder."""
JAGGED: Final = 0.15
"""Distance in log size that a step of the low end may have from its prediction, whatever the curves say."""
GUESSES: Final = 6
"""Number of rounds in which the curves choose the step; afterwards the bracket is halved."""

WORTH: Final = 0.02
"""Share of new points after which the curves are learnt again. To learn them at every point takes half as much
arithmetic again, which shows beside an encoder as fast as JPEG's, and saves no encodes."""


@dataclass(frozen=True, slots=True)
class Window:
    """A target rate with its tolerance."""

    target: float
    tolerance: float

    @property
    def low(self) -> float:
        return self.target * (1.0 - self.tolerance)

    @property
    def high(self) -> float:
        return self.target * (1.0 + self.tolerance)

    def holds(self, bpp: float) -> bool:
        return self.low <= bpp <= self.high

    def chance(self, mean: Floats, deviation: Floats) -> Floats:
        """Return the probability that a log-normal size lies inside the window."""
        spread = np.maximum(deviation, 1e-9)
        return normal_cdf((np.log(self.high) - mean) / spread) - normal_cdf((np.log(self.low) - mean) / spread)


def normal_cdf(x: Floats) -> Floats:
    """Return the normal distribution function by Page's approximation, within 2e-4 (1977, Applied Statistics 26)."""
    bounded = np.clip(x, -8.0, 8.0)
    return np.asarray(1.0 / (1.0 + np.exp(-bounded * (1.5976 + 0.07056 * bounded**2))), dtype=np.float64)


class ImageSearch:
    """Search for the step of each image at each target, with as few streams as the curves allow."""

    def __init__(self, ledger: Ledger, tolerance: float) -> None:
        self._ledger: Final = ledger
        self._curves: Final = Curves(len(ledger.ladder))
        self._tolerance: Final = tolerance
        self._surveyed = False
        self._points = 0
        """Number of points that the curves were learnt from."""

    def run(self, targets: tuple[float, ...]) -> None:
        """Ask for streams until every image is settled at every target."""
        start, total = 0, len(self._ledger.index)
        for size in (*GROUPS, total):
            group = np.sort(self._ledger.light_first[start : start + size])
            if start == 0:
                self._probe(targets, group)
            for target in spread(targets):
                self._settle(Window(target, self._tolerance), group)
            start += size
            if start >= total:
                break

    def choices(self, target: float) -> Ints:
        """Return the measured step to code each rank at: the nearest in log rate, steps within tolerance first.

        The entry of an image without measured steps means nothing.
        """
        ledger, window = self._ledger, Window(target, self._tolerance)
        filled = np.arange(ledger.steps.shape[1]) < ledger.count[:, None]
        outside = (ledger.logs < math.log(window.low)) | (ledger.logs > math.log(window.high))
        # A step outside the window ranks behind all steps inside.
        miss = np.round(np.abs(ledger.logs - math.log(target)), 12) + 1e3 * outside
        miss = np.where(filled, miss, np.inf)
        nearest = miss == miss.min(axis=1, keepdims=True)
        return np.asarray(np.where(nearest, ledger.steps, len(ledger.ladder)).min(axis=1), dtype=np.int64)

    def measured(self, rank: int) -> list[int]:
        steps: list[int] = self._ledger.steps[rank, : self._ledger.count[rank]].tolist()
        return steps

    def _probe(self, targets: tuple[float, ...], group: Ints) -> None:
        """Code the first images at the middle and the quarters of the ladder, since nothing is known yet."""
        last = len(self._ledger.ladder) - 1
        probes = {round(last * share) for share in (0.1, 0.35, 0.6, 0.85)}
        first = spread(targets)[0]
        self._ledger.ask(first, [(int(rank), step) for rank in group[:2] for step in sorted(probes)])
        self._learn()

    def _learn(self) -> None:
        ledger = self._ledger
        alive = ledger.living
        points = int(ledger.count[alive].sum())
        if points < (1.0 + WORTH) * self._points:
            return
        self._points = points
        self._curves.learn(ledger.steps[alive], ledger.logs[alive], ledger.count[alive])

    def _settle(self, window: Window, group: Ints) -> None:
        active = group
        for turn in range(2 * len(self._ledger.ladder) + GUESSES):
            wanted: list[tuple[int, int]] = []
            active = active[self._ledger.alive[active]]
            if not self._surveyed and any(self._ledger.knows(int(rank), 0) for rank in active):
                self._surveyed = True
                self._ledger.survey(window.target)
                self._learn()
            for start in range(0, len(active), CHUNK):
                wanted += self._next(window, active[start : start + CHUNK], turn)
            if not wanted:
                return
            self._ledger.ask(window.target, wanted)
            self._learn()
            active = np.array(sorted(rank for rank, _ in wanted), dtype=np.int64)

    def _next(self, window: Window, ranks: Ints, turn: int) -> list[tuple[int, int]]:
        """Return (rank, step) for each image that is not settled: the step to try next."""
        ledger = self._ledger
        steps, logs, count = ledger.steps[ranks], ledger.logs[ranks], ledger.count[ranks]
        mean, deviation = self._curves.predict(steps, logs, count)
        known = deviation == 0.0
        rate = np.exp(mean)
        held = np.any(known & (rate >= window.low) & (rate <= window.high), axis=1)
        chance = np.where(known, 0.0, window.chance(mean, deviation))
        closed, inside = bracket(known, mean > np.log(window.target))
        likely = np.round(chance, 9)
        near = -np.round(np.abs(mean - np.log(window.target)), 9)
        wanted: list[tuple[int, int]] = []
        for row in np.flatnonzero(~held):
            options = np.flatnonzero(inside[row])
            if closed[row]:
                step = int(np.argmax(likely[row]))
                if turn > GUESSES or likely[row, step] < DOUBT:
                    least = int(np.argmin(mean[row]))
                    smallest = np.min(mean[row, known[row]])
                    if smallest > np.log(window.high) and mean[row, least] <= smallest - LOWER:
                        step = least
                    elif (nearer := jagged(mean[row], deviation[row], np.log(window.target))) is not None:
                        step = nearer
                    else:
                        continue
            elif turn >= GUESSES:
                step = int(options[len(options) // 2])
            else:
                step = int(options[np.argmax(likely[row, options])])
                if likely[row, step] < FAINT:
                    step = int(options[np.argmax(near[row, options])])
            wanted.append((int(ranks[row]), step))
        return wanted


def jagged(mean: Floats, deviation: Floats, target: float) -> int | None:
    """Return an unmeasured step at the low end that may be nearer to the target than all measured steps, or None.

    At the low end sizes rise and fall by some per cent from step to step, differently for each image. So even with a
    measured step on each side of the target, a third step may be the nearest. Arrays are (L,), log sizes.
    """
    miss = np.round(np.abs(mean - target), 9)
    best = int(np.argmin(np.where(deviation == 0.0, miss, np.inf)))
    if best > LOW_END + BESIDE:
        return None
    nearby = np.abs(np.arange(len(mean)) - best) <= BESIDE
    hopeful = nearby & (deviation > 0.0) & (miss - np.maximum(2.0 * deviation, JAGGED) < miss[best])
    return int(np.argmin(np.where(hopeful, miss, np.inf))) if np.any(hopeful) else None


def bracket(known: Flags, above: Flags) -> tuple[Flags, Flags]:
    """Find the steps where an image's size can still cross the target upwards; arrays are (n, L).

    `above` flags steps whose size is above the target; it counts only where `known`. The crossing lies between the
    highest step known to be below and the next step known to be above, or the ends of the ladder. The first result,
    (n,), is True where no step lies between these two; the second flags the steps that do.
    """
    count = known.shape[1]
    step = np.arange(count)[None, :]
    low = np.max(np.where(known & ~above, step, -1), axis=1)[:, None]
    high = np.min(np.where(known & above & (step > low), step, count), axis=1)[:, None]
    inside = (step > low) & (step < high)
    return ~np.any(inside, axis=1), inside


def spread(targets: tuple[float, ...]) -> tuple[float, ...]:
    """Return the order of search: the middle, the ends, then the middle of each part, and so on."""
    order: list[float] = []
    ranges = [(0, len(targets) - 1)]
    if targets:
        order.append(targets[len(targets) // 2])
        order += [targets[0], targets[-1]]
    while ranges:
        low, high = ranges.pop(0)
        if low > high:
            continue
        middle = (low + high + 1) // 2
        order.append(targets[middle])
        ranges += [(low, middle - 1), (middle + 1, high)]
    return tuple(dict.fromkeys(order))
