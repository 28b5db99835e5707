"""Dataset mode: the mean over the images at the target, by two adjacent settings mixed by hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from compress_guard.rate.curve import CHUNK, Curves
from compress_guard.rate.image import Window, spread
from compress_guard.rate.ledger import LOW_END, Flags, Floats, Ints, Ledger

PILOT: Final = 4
"""Images that the curves are first learnt from."""
GROWTH: Final = 3
"""Factor by which a look may enlarge the number of known images at most."""
NEAR: Final = 0.2
"""Difference in log mean size within which a stream at one setting informs about another."""
RISK: Final = 0.15
"""Cost of a predicted miss of one tolerance, in encodes of all images: the cost of one more correction."""
CLEAR: Final = 0.3
"""Share of the largest uncertainty below which an image waits while the pair is uncertain: it would tell little."""
REACH: Final = 3
"""Number of pairs looked at on either side of the straddling pair, since earlier streams may serve there."""


@dataclass(frozen=True, slots=True)
class Mix:
    """A mix of two steps: images of rank below `share` at the upper step, the others at the lower."""

    lower: int
    upper: int
    share: int

    def step(self, rank: int) -> int:
        return self.upper if rank < self.share else self.lower


@dataclass(frozen=True, slots=True, eq=False)
class Options:
    """All mixes that a hash threshold can make of some pairs of steps; arrays hold one value per mix."""

    mixes: Ints
    """(M, 3): lower, upper, share."""
    miss: Floats
    """Predicted distance of the mean from the target in tolerances; exact where `missing` is 0."""
    missing: Floats
    """Pixels still to be coded / pixels of all images."""

    def mix(self, place: int) -> Mix:
        lower, upper, share = (int(value) for value in self.mixes[place])
        return Mix(lower, upper, share)


class DatasetSearch:
    """Search for the mix of each target, with few encodes beyond the streams that are kept."""

    def __init__(self, ledger: Ledger, tolerance: float) -> None:
        self._ledger: Final = ledger
        self._curves: Final = Curves(len(ledger.ladder))
        self._tolerance: Final = tolerance
        self._surveyed = False
        self._means: Floats | None = None

    def run(self, targets: tuple[float, ...]) -> dict[float, Mix]:
        """Return the mix of each target; all its streams are measured."""
        self._pilot(spread(targets))
        if not len(self._ledger.living):
            return dict.fromkeys(targets, Mix(0, 0, 0))
        order = sorted(targets, key=self._jump, reverse=True)
        return {target: self._settle(Window(target, self._tolerance)) for target in order}

    def means(self) -> Floats:
        """Return the predicted mean bpp at every step, (L,); exact where every image is measured."""
        if self._means is None:
            ranks = self._ledger.living
            total = np.zeros(len(self._ledger.ladder))
            for start in range(0, len(ranks), CHUNK):
                total += self._rates(ranks[start : start + CHUNK])[0].sum(axis=0)
            self._means = total / max(1, len(ranks))
        return self._means

    def _pilot(self, order: tuple[float, ...]) -> None:
        """Code the first images along the ladder, then near each target."""
        ledger, last = self._ledger, len(self._ledger.ladder) - 1
        ranks = [int(rank) for rank in ledger.light_first[:PILOT]]
        probes = sorted({round(last * share) for share in (0.1, 0.35, 0.6, 0.85)})
        ledger.ask(order[0], [(rank, step) for rank in ranks[:2] for step in probes])
        self._learn()
        if not len(ledger.living):
            return
        means = self.means()
        for target in order:
            step = int(np.argmin(np.round(np.abs(np.log(means / target)), 9)))
            ledger.ask(target, [(rank, step) for rank in ranks])
        self._learn()

    def _jump(self, target: float) -> float:
        """Return the distance of the two steps around a target, in log mean size.

        Targets between wide steps go first: their pair is certain after a few images, so early streams are kept.
        """
        _, (lower, upper) = self._pairs(target)
        means = self.means()
        return round(float(np.log(means[upper] / means[lower])), 9)

    def _learn(self) -> None:
        ledger = self._ledger
        alive = ledger.living
        self._curves.learn(ledger.steps[alive], ledger.logs[alive], ledger.count[alive])
        self._means = None

    def _rates(self, ranks: Ints) -> tuple[Floats, Floats]:
        """Return expected bpp and its standard deviation at every step, both (n, L); 0 where measured."""
        ledger = self._ledger
        mean, deviation = self._curves.predict(ledger.steps[ranks], ledger.logs[ranks], ledger.count[ranks])
        return expected(mean, deviation)

    def _columns(self, ranks: Ints, steps: list[int]) -> tuple[Floats, Floats]:
        """Return `_rates` at a few steps only, (n, len(steps))."""
        ledger = self._ledger
        known = ledger.steps[ranks], ledger.logs[ranks], ledger.count[ranks]
        distinct, place = np.unique(np.array(steps), return_inverse=True)
        mean, deviation = self._curves.predict(*known, distinct)
        return expected(mean[:, place], deviation[:, place])

    def _settle(self, window: Window) -> Mix:
        """Ask for streams until a mix meets the target or none that could come nearer is left."""
        while len(self._ledger.living):
            pairs, straddling = self._pairs(window.target)
            if not self._surveyed and min(straddling) < LOW_END:
                self._surveyed = True
                self._ledger.survey(window.target)
                self._learn()
                continue
            options = self._options(pairs, window)
            ready = options.missing == 0.0
            held = lowest(options.miss, ready)
            if held is not None and options.miss[held] <= 1.0:
                return options.mix(held)
            nearer = ~ready if held is None else ~ready & (options.miss < options.miss[held] - 1e-9)
            wish = lowest(options.missing + RISK * options.miss**2, nearer & (options.miss <= 1.0))
            if wish is None:
                wish = lowest(options.miss, nearer)
            if wish is not None:
                batch = self._batch(options.mix(wish), window)
            else:
                batch = [(int(rank), step) for rank in self._ledger.living for step in straddling]
            if held is not None and all(self._ledger.knows(rank, step) for rank, step in batch):
                return options.mix(held)
            self._ledger.ask(window.target, batch)
            self._learn()
        return Mix(0, 0, 0)

    def _pairs(self, target: float) -> tuple[list[tuple[int, int]], tuple[int, int]]:
        """Return pairs of steps around the target, adjacent in mean size, and the pair that straddles it.

        Beyond an end of the ladder the straddling pair is that end twice.
        """
        means = self.means()
        order = [int(step) for step in np.argsort(np.round(means, 12), kind="stable")]
        place = int(np.searchsorted(means[order], target))
        last = len(order) - 1
        pairs = [
            (order[upper - 1], order[upper]) for upper in range(max(1, place - REACH), min(last, place + REACH) + 1)
        ]
        if 0 < place <= last:
            return pairs, (order[place - 1], order[place])
        end = order[0] if place == 0 else order[-1]
        return [*pairs, (end, end)], (end, end)

    def _options(self, pairs: list[tuple[int, int]], window: Window) -> Options:
        ledger = self._ledger
        ranks = ledger.living
        steps = sorted({step for pair in pairs for step in pair})
        rate, deviation = self._columns(ranks, steps)
        missing = np.where(deviation > 0.0, ledger.pixels[ranks][:, None] / ledger.pixels.sum(), 0.0)
        fractions = ledger.fractions[ranks]
        # A threshold cannot separate images of equal hash.
        shares = np.flatnonzero(np.concatenate(([True], fractions[1:] > fractions[:-1], [True])))
        edges = np.concatenate((ranks, [len(ledger.index)]))[shares]
        mixes, means, lacks = [], [], []
        for lower, upper in pairs:
            columns = [steps.index(lower), steps.index(upper)]
            mixes.append(np.column_stack((np.full(len(edges), lower), np.full(len(edges), upper), edges)))
            means.append(mixture(rate[:, columns])[shares] / max(1, len(ranks)))
            lacks.append(mixture(missing[:, columns])[shares])
        lack = np.concatenate(lacks)
        miss = np.abs(np.concatenate(means) / window.target - 1.0) / window.tolerance
        return Options(np.concatenate(mixes), miss, np.where(lack > 1e-12, lack, 0.0))

    def _batch(self, mix: Mix, window: Window) -> list[tuple[int, int]]:
        """Choose the streams to make next for a mix.

        If the mean is certain, all of them. Otherwise the ones furthest from the threshold in hash order: they are
        needed wherever the threshold ends up. While even the pair is uncertain, as many as it takes to decide on it.
        """
        ledger = self._ledger
        ranks = ledger.living
        rate, deviation = self._columns(ranks, [mix.lower, mix.upper])
        needed = deviation[np.arange(len(ranks)), (ranks < mix.share).astype(np.int64)]
        rows = np.flatnonzero(needed > 0.0)
        step = abs(float(rate[:, 1].mean() - rate[:, 0].mean()))
        common = self._curves.common_deviation(
            ledger.steps[ranks], ledger.logs[ranks], ledger.count[ranks], mix.lower, rate[:, 0]
        )
        doubt = float(np.hypot(np.sqrt(np.sum(needed**2)), common)) / max(1, len(ranks))
        distance = np.abs(rows + 0.5 - np.sum(ranks < mix.share)) / max(1, len(ranks))
        if doubt <= 0.5 * window.tolerance * window.target:
            chosen = distance >= 0.0
        elif doubt <= 0.6 * step:
            chosen = distance >= min(0.5, doubt / step, np.sort(distance)[-max(4, len(rows) // 3) :][0])
        else:
            telling = float(np.mean(needed**2)) / max(0.35 * step, 1e-12) ** 2
            look = max(4, round(min(telling, len(rows) / 3.0, GROWTH * self._near(mix.lower))))
            heavy = np.argsort(ledger.light_first)[ranks[rows]] >= ledger.light
            chosen = np.zeros(len(rows), dtype=np.bool_)
            clear = np.round(needed[rows], 9) < CLEAR * needed[rows].max()
            chosen[np.lexsort((-distance, clear, heavy))[:look]] = True
        return [(int(ranks[row]), mix.step(int(ranks[row]))) for row in rows[chosen]]

    def _near(self, step: int) -> int:
        """Count the images that have a stream of about the mean size of a step."""
        ledger = self._ledger
        level = np.log(self.means())
        filled = np.arange(ledger.steps.shape[1])[None, :] < ledger.count[:, None]
        near = np.abs(level[ledger.steps] - level[step]) < NEAR
        return int(np.sum(np.any(filled & near, axis=1) & ledger.alive))


def lowest(score: Floats, among: Flags) -> int | None:
    """Return the place of the lowest score, the first of equals; None if no place is `among` the choices."""
    places = np.flatnonzero(among)
    return int(places[np.argmin(np.round(score[places], 9))]) if len(places) else None


def expected(mean: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    """Return expectation and standard deviation of a log-normal size; the deviation of a measured size is 0."""
    rate = np.exp(mean + deviation**2 / 2.0)
    return rate, rate * np.sqrt(np.expm1(deviation**2))


def mixture(columns: Floats) -> Floats:
    """Return the sums (n + 1,) over images in order: the first k at the second column, the others at the first."""
    upper = np.concatenate(([0.0], np.cumsum(columns[:, 1])))
    lower = np.concatenate(([0.0], np.cumsum(columns[:, 0])))
    return np.asarray(upper + (lower[-1] - lower), dtype=np.float64)
