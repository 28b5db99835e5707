"""Percentiles and histograms of numbers that were seen."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, exp, log
from typing import Final

PERCENTILES: Final = (5, 25, 50, 75, 95)


@dataclass(frozen=True, slots=True)
class Distribution:
    """Numbers in ascending order; at least one."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Distribution | None:
        """Return the distribution of some numbers, None for none."""
        return cls(tuple(sorted(values))) if values else None

    def percentile(self, percent: float) -> float:
        """Return the smallest number that at least so many percent do not exceed (nearest rank): one that was seen."""
        return self.values[max(ceil(percent / 100 * len(self.values)) - 1, 0)]

    def percentiles(self) -> tuple[float, ...]:
        return tuple(map(self.percentile, PERCENTILES))

    def share_within(self, low: float, high: float) -> float:
        """Return the share of the numbers from `low` to `high`, both included."""
        return sum(low <= value <= high for value in self.values) / len(self.values)

    def histogram(self, bins: int) -> tuple[tuple[float, float, int], ...]:
        """Return at most `bins` bins whose ends have one ratio: from, to, and the count of each.

        The numbers are above 0. A number at the end of a bin belongs to the next one, and a single bin holds numbers
        that are all equal.
        """
        low, high = self.values[0], self.values[-1]
        if low == high:
            return ((low, high, len(self.values)),)
        ratio = log(high / low)
        edges = [low * exp(ratio * number / bins) for number in range(1, bins)]
        counts = [0] * bins
        for value in self.values:
            counts[bisect_right(edges, value)] += 1
        return tuple(zip([low, *edges], [*edges, high], counts, strict=True))

    def whole_histogram(self, bins: int) -> tuple[tuple[int, int, int], ...]:
        """Return at most `bins` bins of whole numbers: the first and the last number of each, and the count."""
        low, high = round(self.values[0]), round(self.values[-1])
        width = ceil((high - low + 1) / bins)
        counts = Counter((round(value) - low) // width for value in self.values)
        return tuple(
            (start, min(start + width - 1, high), counts[number])
            for number, start in enumerate(range(low, high + 1, width))
        )
