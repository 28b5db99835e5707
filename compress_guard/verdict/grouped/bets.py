"""Bets on groups of images: the intervals of `betting` for runs that may stop between two groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from compress_guard.verdict import betting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.records import Interval
    from compress_guard.verdict.grouped.groups import Groups


@dataclass(frozen=True, slots=True, eq=False)
class GroupBets:
    """Flags of whole groups of images, and bets on the groups: see `FlagCounts`.

    Means are over images, so that a group counts by its size. The stake is in proportion to the size of the group, the
    full one for the largest that may come: against the true mean each bet is then fair, because a random group's sum of
    deviations from it is 0 on average.
    """

    before: NDArray[np.bool_]
    """(images,) flags when clean."""
    after: NDArray[np.bool_]
    groups: Groups
    largest: int
    """Most images of a group of the whole plan."""

    @property
    def scores(self) -> tuple[float, float]:
        """The clean and the compressed score, in points."""
        return 100 * float(self.before.mean()), 100 * float(self.after.mean())

    def drop(self, confidence: float) -> Interval:
        # Drops of -1 to 1 are scaled into 0 to 1.
        low, high = self._bounds(self._drops, confidence)
        return betting.ordered(100 * float(self.before.mean() - self.after.mean()), 2 * low - 1, 2 * high - 1)

    def score(self, confidence: float) -> Interval:
        return betting.ordered(self.scores[1], *self._bounds(self._means(self.after), confidence))

    def clean(self, confidence: float) -> Interval:
        return betting.ordered(self.scores[0], *self._bounds(self._means(self.before), confidence))

    def drop_sides(self, limit: float, confidence: float) -> tuple[bool, bool]:
        mean = (1 + limit) / 2
        above, below = self._sides(self._drops, mean, confidence)
        return above or mean < 0, below or mean >= 1

    def score_sides(self, limit: float, confidence: float) -> tuple[bool, bool]:
        above, below = self._sides(self._means(self.after), limit, confidence)
        return above or limit <= 0, below or limit > 1

    def clean_sides(self, limit: float, confidence: float) -> tuple[bool, bool]:
        above, below = self._sides(self._means(self.before), limit, confidence)
        return above or limit <= 0, below or limit > 1

    @property
    def _drops(self) -> NDArray[np.float64]:
        return (1 + self._means(self.before.astype(np.float64) - self.after)) / 2

    def _means(self, values: NDArray[np.bool_] | NDArray[np.float64]) -> NDArray[np.float64]:
        return self.groups.sums(values.astype(np.float64)) / self.groups.sizes

    def _bounds(self, values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
        counts, weights = np.ones_like(values), self.groups.sizes / self.largest
        low = betting.lower(values, counts, confidence, weights)
        return float(low), 1 - float(betting.lower(1 - values, counts, confidence, weights))

    def _sides(self, values: NDArray[np.float64], mean: float, confidence: float) -> tuple[bool, bool]:
        counts, weights = np.ones_like(values), self.groups.sizes / self.largest
        above = betting.rejected_by(mean, values, counts, confidence, weights)
        return bool(above), bool(betting.rejected_by(1 - mean, 1 - values, counts, confidence, weights))
