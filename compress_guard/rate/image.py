"""Image mode: every image at the target, at the nearest step of the ladder, or at its own end of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from compress_guard.rate.curve import CHUNK, Curves
from compress_guard.rate.ledger import LOW_END, Flags, Floats, Ints, Ledger

STUCK_SHARE: Final = 0.05
"""A rate is unreachable when more than this share of the images cannot be made small enough."""
GROUPS: Final = (4, 12, 36)
"""Images of the first groups; each is settled at all rates before the next begins, so that most images profit."""
DOUBT: Final = 0.15
"""A bracketed image is settled once no other step has a better chance than this to meet the target."""
LOWER: Final = 0.01
"""An image at its floor is tried at another step whose size is predicted to be this much smaller, in log size."""
FAINT: Final = 0.02
"""Where no step has a better chance to meet the target, the one predicted nearest is tried."""
BESIDE: Final = 3
"""Steps on either side of the nearest measured one that may still be nearer, at the ladder's low end."""
JAGGED: Final = 0.15
"""How far, in log size, a step of the low end may lie from its prediction whatever the curves say."""
GUESSES: Final = 6
"""Rounds in which the curves choose the step; afterwards the bracket is halved."""

WORTH: Final = 0.02
"""The curves are learnt anew once so many more points are known, relative to the last time. Doing it at every point
takes half as much arithmetic again, which shows beside an encoder as fast as JPEG's, and saves no encodes."""


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
        """Probability that a log-normal size lies inside."""
        spread = np.maximum(deviation, 1e-9)
        return normal_cdf((np.log(self.high) - mean) / spread) - normal_cdf((np.log(self.low) - mean) / spread)


def normal_cdf(x: Floats) -> Floats:
    """Page's logistic approximation, within 2e-4 (Page 1977, Applied Statistics 26)."""
    bounded = np.clip(x, -8.0, 8.0)
    return np.asarray(1.0 / (1.0 + np.exp(-bounded * (1.5976 + 0.07056 * bounded**2))), dtype=np.float64)


class ImageSearch:
    """Brings each image to each target, with as few streams as the curves allow."""

    def __init__(self, ledger: Ledger, tolerance: float) -> None:
        self._ledger: Final = ledger
        self._curves: Final = Curves(len(ledger.ladder))
        self._tolerance: Final = tolerance
        self._surveyed = False
        self._points = 0
        """Those that the curves were learnt from."""

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
        """Per rank the measured step to code it at: nearest in log rate, those within tolerance first.

        What it says of an image without any is void.
        """
        ledger, window = self._ledger, Window(target, self._tolerance)
        filled = np.arange(ledger.steps.shape[1]) < ledger.count[:, None]
        outside = (ledger.logs < math.log(window.low)) | (ledger.logs > math.log(window.high))
        # an image outside of it is far behind all inside
        miss = np.round(np.abs(ledger.logs - math.log(target)), 12) + 1e3 * outside
        miss = np.where(filled, miss, np.inf)
        nearest = miss == miss.min(axis=1, keepdims=True)
        return np.asarray(np.where(nearest, ledger.steps, len(ledger.ladder)).min(axis=1), dtype=np.int64)

    def measured(self, rank: int) -> list[int]:
        found: list[int] = self._ledger.steps[rank, : self._ledger.count[rank]].tolist()
        return found

    def _probe(self, targets: tuple[float, ...], group: Ints) -> None:
        """First streams: nothing is known, so the ladder's middle and quarters are tried on the first images."""
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
        """The step that each image should be tried at next; images that are settled are left out."""
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
                    elif (found := jagged(mean[row], deviation[row], np.log(window.target))) is not None:
                        step = found
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
    """An unmeasured step that may come nearer to the target than the nearest measured one, at the ladder's low end.

    There sizes go up and down from step to step by some per cent, image by image, so that a measured step on either
    side of the target does not make one of the two the nearest. Arrays are (L,), log sizes; None where there is no
    such step.
    """
    miss = np.round(np.abs(mean - target), 9)
    best = int(np.argmin(np.where(deviation == 0.0, miss, np.inf)))
    if best > LOW_END + BESIDE:
        return None
    nearby = np.abs(np.arange(len(mean)) - best) <= BESIDE
    hopeful = nearby & (deviation > 0.0) & (miss - np.maximum(2.0 * deviation, JAGGED) < miss[best])
    return int(np.argmin(np.where(hopeful, miss, np.inf))) if np.any(hopeful) else None


def bracket(known: Flags, above: Flags) -> tuple[Flags, Flags]:
    """Where an image's size can still cross the target upwards, from the steps measured; arrays are (n, L).

    `above` tells whether a step's size is above the target; it counts only where `known`. The crossing lies between the
    highest step known to be below and the next one known to be above, or the ladder's ends. The first answer, (n,), is
    True where no step lies between these two, the second flags the steps that do.
    """
    count = known.shape[1]
    step = np.arange(count)[None, :]
    low = np.max(np.where(known & ~above, step, -1), axis=1)[:, None]
    high = np.min(np.where(known & above & (step > low), step, count), axis=1)[:, None]
    inside = (step > low) & (step < high)
    return ~np.any(inside, axis=1), inside


def spread(targets: tuple[float, ...]) -> tuple[float, ...]:
    """The order of search: the middle, then the ends, then what lies between, each half in the same way."""
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
