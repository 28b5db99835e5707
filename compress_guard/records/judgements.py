"""Estimates with intervals, and the verdicts that follow from them."""

from __future__ import annotations

from dataclasses import dataclass, field

from compress_guard.records.vocabulary import Verdict


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval, in points; low <= value <= high."""

    value: float
    low: float
    high: float
    informative: float | None = field(default=None, compare=False)
    """Approximate number of images that the estimate of a metric without flags rests on; images without ground truth do
    not count. None if it is not known."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdict on paired evidence."""

    clean_score: float | None
    score: float | None
    drop: Interval | None
    score_interval: Interval | None
    """Interval of the compressed score; computed only with a min_score to judge it by."""
    verdict: Verdict
    reason: str
    """One sentence with both sides: ``top1 fell by 3.1 points (76.2 to 73.1, 95 % interval 1.9 to 4.3), allowed 2.0``.
    """
    confidence: float | None = None
    """Confidence of the intervals by themselves; a cell that may stop early promises less than its last interval."""
    clean_interval: Interval | None = None
    """Interval of the clean score; computed only with a min_clean to judge it by."""
    fell: bool = False
    """The score fell further than its max_regression by the estimate alone, whatever the interval says."""

    @classmethod
    def without_evidence(cls, verdict: Verdict, reason: str) -> Judgement:
        """Return the judgement of a cell without scores: it could not be measured, or its rate could not be reached."""
        return cls(None, None, None, None, verdict, reason)
