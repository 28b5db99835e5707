"""What verdicts say: estimates with intervals, and what follows from them."""

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
    """About how many images the estimate of a metric without flags rests on: images without ground truth tell nothing.
    None where nobody counted them."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Paired evidence against a threshold."""

    clean_score: float | None
    score: float | None
    drop: Interval | None
    score_interval: Interval | None
    """Of the compressed score; computed only where there is a min_score to judge it by."""
    verdict: Verdict
    reason: str
    """One sentence with both sides: ``top1 fell by 3.1 points (76.2 to 73.1, 95 % interval 1.9 to 4.3), allowed 2.0``.
    """
    confidence: float | None = None
    """What the intervals hold with by themselves; a cell that may stop early promises less than its last interval."""
    clean_interval: Interval | None = None
    """Interval of the clean score; computed only where there is a min_clean to judge it by."""

    @classmethod
    def without_evidence(cls, verdict: Verdict, reason: str) -> Judgement:
        """Return the judgement of a cell that has no scores: it could not be measured, or its rate not be reached."""
        return cls(None, None, None, None, verdict, reason)
