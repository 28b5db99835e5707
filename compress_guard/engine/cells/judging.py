"""Paired evidence of a guard's cells to judgements, and to all that a result says beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, final

from compress_guard.engine.cells.cell_pass import Passed
from compress_guard.engine.cells.changes import Changes, changes
from compress_guard.engine.cells.resamples import KeptResamples
from compress_guard.engine.cells.slices import cell_confidence, judge_slices, judged_slices, with_slices
from compress_guard.engine.images.samples import Survey
from compress_guard.engine.prediction.shards import digest
from compress_guard.records import Cell, Evidence, Guard, Interval, Judgement, LossFigures, Precision
from compress_guard.registry import code_of
from compress_guard.store import Store
from compress_guard.tasks.contract import Scorer, Task
from compress_guard.verdict import EarlyStop, Remembered, judge
from compress_guard.verdict.power import (
    images_needed,
    images_needed_of_flags,
    resolvable_drop,
    resolvable_from,
    unseen_drop,
)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A cell's judgement with what its evidence says beside it."""

    judgement: Judgement
    changes: Changes
    confidence: float
    """Confidence that the cell is judged at."""
    precision: Precision
    losses: LossFigures


@final
class Judging:
    """Judges the cells of one guard."""

    def __init__(self, guard: Guard, task: Task, seed: int, store: Store | None = None) -> None:
        """`store` keeps what resampling gives."""
        self._guard: Final = guard
        self._task: Final = task
        self._seed: Final = seed
        self._store: Final = store
        self._metric: Final = guard.metric + code_of(type(task))
        """The metric and the code of others that scores it, by which resampled scores are kept."""
        self._clean_scorers: Final[dict[tuple[tuple[str, ...], bytes], Remembered]] = {}

    def score(self, evidence: Evidence) -> Scorer:
        """The scorer of the guard's metric."""
        scorer: Scorer = self._task.scorer(self._guard.metric, evidence.items)
        return scorer

    def confidence(self, cell: Cell, survey: Survey) -> float:
        """What the cell's own interval holds with: slices with limits take their part of the error."""
        return cell_confidence(self._guard, judged_slices(cell, survey.slices_by_id))

    def confidences(self, cell: Cell, survey: Survey, early: bool) -> tuple[float, float]:
        """The least and the most that the interval of all a cell's images may hold with.

        They differ where `early` says that there may be looks before, which take a part of the error.
        """
        stop = self.early_stop(cell, survey) if early else None
        held = self.confidence(cell, survey)
        return held, held if stop is None else stop.last_confidence

    def early_stop(self, cell: Cell, survey: Survey) -> EarlyStop | None:
        """The looks at a cell before its last image; None where there is nothing to decide, or slices to decide too.

        Those have fewer images than the cell, and would be cut short by what the cell as a whole makes certain.
        """
        if not cell.judged or judged_slices(cell, survey.slices_by_id):
            return None
        return EarlyStop(
            len(survey.usable),
            metric=self._guard.metric,
            max_drop=cell.max_drop,
            min_score=cell.min_score,
            confidence=self._guard.confidence,
            seed=self._seed,
            min_clean=cell.clean_floor,
        )

    def expected(self, images: int, confidence: float) -> float | None:
        """The drop that so many images are expected to resolve, in points; None where only a measured cell can tell."""
        # No evidence is needed to know whether a metric has flags.
        if self._task.scorer(self._guard.metric, ()).flags is None or not images:
            return None
        return resolvable_drop(images, confidence)

    def judge(
        self, cell: Cell, survey: Survey, passed: Passed, stop: EarlyStop | None, expected: float | None
    ) -> Judged:
        """Judge a cell's evidence; `expected` is the resolvable drop of a cell whose drop has no interval."""
        confidence = self.confidence(cell, survey)
        judgement = passed.judgement or self._judge(cell, passed, confidence, stop)
        slices = judge_slices(
            self._guard, cell, self._task, survey.slices_by_id, passed.clean, passed.evidence, self._seed
        )
        found = changes(self._task, self._guard.metric, passed.clean, passed.evidence)
        held = judgement.confidence or confidence
        precision = Precision(
            interval_confidence=judgement.confidence,
            stopped_early=passed.judgement is not None,
            resolvable_drop=expected,
            images_needed=_needed(judgement, cell, found, held),
        )
        if judgement.drop is not None:
            precision = replace(
                precision,
                resolvable_drop=resolvable_from(judgement.drop, held),
                unseen_drop=None if judgement.score is None else unseen_drop(judgement.drop, judgement.score, held),
            )
        return Judged(with_slices(judgement, slices), found, confidence, precision, found.figures(slices))

    def _judge(self, cell: Cell, passed: Passed, confidence: float, stop: EarlyStop | None) -> Judgement:
        clean, compressed = self._clean_scorer(passed.clean), self._remembered(passed.evidence)
        images = len(passed.evidence.ids)
        if stop is not None:
            return stop.last(clean, compressed, images)
        return judge(
            clean,
            compressed,
            metric=self._guard.metric,
            max_drop=cell.max_drop,
            min_score=cell.min_score,
            confidence=confidence,
            seed=self._seed,
            images=images,
            min_clean=cell.clean_floor,
        )

    def _clean_scorer(self, clean: Evidence) -> Remembered:
        # Cells compare with the same clean images unless one of them failed to code: bootstrap those once. By content
        # too: where a model is found to have moved, they are predicted anew.
        key = clean.ids, digest(clean.items)
        if key not in self._clean_scorers:
            self._clean_scorers[key] = self._remembered(clean)
        return self._clean_scorers[key]

    def _remembered(self, evidence: Evidence) -> Remembered:
        kept = None if self._store is None else KeptResamples(self._store, self._metric, evidence)
        return Remembered(self.score(evidence), kept)


def _needed(judgement: Judgement, cell: Cell, found: Changes, confidence: float) -> int | None:
    """Images that would settle an inconclusive cell: all limits that its intervals reach across."""
    if judgement.verdict != "inconclusive":
        return None
    needed: list[int | None] = []
    drop, score = judgement.drop, judgement.score_interval
    if cell.max_drop is not None and drop is not None and _reaches(drop, cell.max_drop):
        if found.harmful is not None and found.helpful is not None:
            flips = len(found.harmful), len(found.helpful)
            needed.append(images_needed_of_flags(found.images, *flips, cell.max_drop, confidence))
        else:
            needed.append(images_needed(drop, cell.max_drop, found.images, confidence))
    for interval, floor in ((score, cell.min_score), (judgement.clean_interval, cell.clean_floor)):
        if floor is not None and interval is not None and _reaches(interval, floor):
            needed.append(images_needed(interval, floor, found.images, confidence))
    known = [number for number in needed if number is not None]
    return max(known) if known and len(known) == len(needed) else None


def _reaches(interval: Interval, limit: float) -> bool:
    return interval.low <= limit <= interval.high
