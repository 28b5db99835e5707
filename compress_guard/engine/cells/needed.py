"""The images that would settle an inconclusive cell, and how much the images of a cell tell."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from compress_guard.records import Cell, Interval, Judgement
from compress_guard.tasks.scorer import Scorer
from compress_guard.verdict.grouped.clustered import drop_effect, effective_share
from compress_guard.verdict.grouped.groups import GroupCount, Groups
from compress_guard.verdict.power import images_needed, images_needed_of_flags


@dataclass(frozen=True, slots=True)
class Weighed:
    """The images of a cell, and how many independent ones tell as much."""

    images: int
    groups: GroupCount | None = None
    """Numbers of their groups; None if each image stands alone."""
    flips: tuple[int, int] | None = None
    """Numbers of lost and gained images; None for metrics without flags."""
    effect: float | None = None
    """Design effect of the groups; None without flags, and without groups of several images."""

    @classmethod
    def of(cls, clean: Scorer, compressed: Scorer, images: int, groups: Groups | None) -> Weighed:
        """Weigh the images of two scorers, which belong to these groups."""
        before, after = clean.flags, compressed.flags
        counted = None if groups is None else groups.counted
        if before is None or after is None:
            return cls(images, counted)
        flips = int(np.sum(before & ~after)), int(np.sum(after & ~before))
        several = groups is not None and groups.count > 1
        return cls(images, counted, flips, drop_effect(before, after, groups) if groups and several else None)

    def groups_for(self, images: int) -> int:
        """Return the number of groups of the present mean size that have so many images."""
        return images if self.groups is None else ceil(images * self.groups.count / self.images)

    def needed(self, interval: Interval, limit: float, confidence: float, *, drop: bool) -> int | None:
        """Return the number of images that brings an interval, of the drop or of a score, to one side of the limit."""
        if drop and self.flips is not None:
            share = 1.0
            if self.groups is not None:
                share = effective_share(self.effect or self.images, self.groups.count, confidence)
            lost, gained = (share * flips for flips in self.flips)
            alone = images_needed_of_flags(share * self.images, lost, gained, limit, confidence)
            return None if alone is None else ceil(alone / share)
        units = self.images if self.groups is None else self.groups.effective
        number = images_needed(interval, limit, units, confidence)
        return None if number is None else ceil(number * self.images / units)


def needed_of(judgement: Judgement, cell: Cell, weighed: Weighed, confidence: float) -> int | None:
    """Return the number of images that would settle every limit inside an interval of an inconclusive cell."""
    if judgement.verdict != "inconclusive":
        return None
    needed: list[int | None] = []
    drop, score = judgement.drop, judgement.score_interval
    if cell.max_drop is not None and drop is not None and _reaches(drop, cell.max_drop):
        needed.append(weighed.needed(drop, cell.max_drop, confidence, drop=True))
    for interval, floor in ((score, cell.min_score), (judgement.clean_interval, cell.clean_floor)):
        if floor is not None and interval is not None and _reaches(interval, floor):
            needed.append(weighed.needed(interval, floor, confidence, drop=False))
    known = [number for number in needed if number is not None]
    return max(known) if known and len(known) == len(needed) else None


def _reaches(interval: Interval, limit: float) -> bool:
    return interval.low <= limit <= interval.high
