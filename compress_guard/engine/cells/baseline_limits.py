"""A cell against the baseline of the run, and its limit on the fall of the compressed score."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, final

from compress_guard.engine.cells.cell_pass import Passed
from compress_guard.engine.cells.judging import Judged, Judging
from compress_guard.engine.cells.limits import ANY_DROP, UNJUDGED
from compress_guard.engine.cells.needed import Weighed
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.releases.baseline import CellEvidence, kept_baseline
from compress_guard.engine.releases.comparison import Comparison, Yardstick, compared
from compress_guard.engine.releases.given_baseline import GivenBaseline
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import DataError, UsageError
from compress_guard.records import Cell, CellResult, Evidence, Interval, Judgement, Scores
from compress_guard.verdict import sentence
from compress_guard.verdict.judgement import NO_LIMIT, WORST_FIRST, Side, sides


@final
class BaselineLimits:
    """Compares the cells of one guard with the baseline, and judges their `max_regression`."""

    def __init__(self, metric: str, judging: Judging, settings: RunSettings, given: GivenBaseline | None) -> None:
        """Take the baseline that the caller has given; without one, the run may have one."""
        self._metric: Final = metric
        self._judging: Final = judging
        self._settings: Final = settings
        self._given: Final = given

    def judged(self, cell: Cell, known: CellResult, survey: Survey, passed: Passed, judged: Judged) -> Judged:
        """Return the judgement with the change since the baseline, and with its limit.

        `known` is the result as far as it goes. Nothing changes without a baseline. Raises `DataError` for a baseline
        of other data, or with evidence that does not fit.
        """
        if not self._settings.baseline or judged.judgement.drop is None:
            return judged
        sources = survey.sources_of(passed.evidence.ids)
        comparison = self._compared(_so_far(known, judged), (passed.clean, passed.evidence, sources), survey, judged)
        judged = replace(judged, against=comparison.figures)
        limit = cell.max_regression
        if limit is None:
            return judged
        if comparison.fall is None or comparison.scores is None:
            doubt = f"{UNJUDGED}: {comparison.figures.baseline_remark}"
            return replace(judged, doubts=(*judged.doubts, doubt))
        before = comparison.scores[0]
        if before <= limit < ANY_DROP:
            doubt = (
                f"a max_regression at or above the {self._metric} of {sentence.number(before)} of the baseline can "
                "never be exceeded; lower it"
            )
            judged = replace(judged, doubts=(*judged.doubts, doubt))
        whole = _with_fall(judged.judgement, comparison, self._metric, judged.confidence, limit)
        needed = _needed(whole, comparison, judged, limit)
        return replace(judged, judgement=whole, precision=replace(judged.precision, images_needed=needed))

    def _compared(
        self, known: CellResult, evidence: tuple[Evidence, Evidence, Evidence], survey: Survey, judged: Judged
    ) -> Comparison:
        now = CellEvidence(known, *evidence)
        yardstick = Yardstick(
            self._judging.remembered, self._metric, judged.confidence, self._settings.seed, survey.groups_of
        )
        try:
            return compared(self._earlier(known), now, yardstick)
        except UsageError as problem:  # the files were read when the run began
            raise DataError(f"the baseline can no longer be read: {problem.found}; {problem.remedy}") from problem

    def _earlier(self, known: CellResult) -> CellEvidence | None:
        if self._given is not None:
            return self._given.cell(known)
        return kept_baseline(self._settings.run_folder).cell(known.id)


def _so_far(known: CellResult, judged: Judged) -> CellResult:
    """Return the result with the scores of a judgement."""
    judgement = judged.judgement
    drop = judgement.drop
    return replace(
        known,
        scores=Scores(
            clean_score=judgement.clean_score,
            score=judgement.score,
            drop=drop.value if drop else None,
            drop_low=drop.low if drop else None,
            drop_high=drop.high if drop else None,
        ),
        confidence=judged.confidence,
        precision=judged.precision,
    )


def _with_fall(judgement: Judgement, comparison: Comparison, metric: str, confidence: float, limit: float) -> Judgement:
    """Return the judgement of a cell with that of its fall, the worst one first."""
    assert comparison.fall is not None
    assert comparison.scores is not None
    side = _side(comparison.fall, limit)
    if side is None or judgement.verdict == "error":
        return judgement
    text = sentence.of_drop(f"against the baseline {metric}", comparison.scores, comparison.fall, confidence, limit)
    fell = comparison.fall.value > limit
    parts: list[tuple[Side, str]] = [(side, text)]
    own = judgement.reason.removesuffix(NO_LIMIT)
    worst: Side = side
    for verdict in WORST_FIRST:
        if verdict == judgement.verdict:
            parts.insert(0, (verdict, own))
            worst = min(side, verdict, key=WORST_FIRST.index)
    if len(parts) == 1:  # the cell has no other limit
        return replace(judgement, verdict=side, reason=f"{text}; {own}", fell=fell)
    ordered = sorted(parts, key=lambda part: WORST_FIRST.index(part[0]))
    return replace(judgement, fell=fell, verdict=worst, reason="; ".join(reason for _, reason in ordered))


def _side(fall: Interval, limit: float) -> Side | None:
    return sides(fall, (None, None), (limit, None, None))[0]


def _needed(judgement: Judgement, comparison: Comparison, judged: Judged, limit: float) -> int | None:
    """Return the number of images that would settle an inconclusive cell, its fall included."""
    if judgement.verdict != "inconclusive":
        return None
    fall = comparison.fall
    known = judged.precision.images_needed
    if fall is None or _side(fall, limit) != "inconclusive":
        return known
    if comparison.sides is None or (judged.judgement.verdict == "inconclusive" and known is None):
        return None
    weighed = Weighed.of(*comparison.sides, comparison.figures.baseline_images or 0, comparison.groups)
    needed = weighed.needed(fall, limit, judged.confidence, drop=True)
    return None if needed is None else max(needed, known or 0)
