"""Judgements of a guard's cells on paired evidence, and the figures of a result beside them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, final

from compress_guard.engine.cells.cell_pass import Passed
from compress_guard.engine.cells.changes import Changes, changes
from compress_guard.engine.cells.needed import Weighed, needed_of
from compress_guard.engine.cells.resamples import KeptResamples
from compress_guard.engine.cells.slices import cell_confidence, judge_slices, judged_slices, with_slices
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.prediction.shards import digest
from compress_guard.records import AgainstBaseline, Cell, Evidence, Guard, Judgement, LossFigures, Precision
from compress_guard.registry import code_of
from compress_guard.store import Store
from compress_guard.tasks.contract import Task
from compress_guard.tasks.scorer import Scorer
from compress_guard.verdict import EarlyStop, Remembered, judge
from compress_guard.verdict.grouped.clustered import independent
from compress_guard.verdict.grouped.groups import Groups
from compress_guard.verdict.power import resolvable_drop, resolvable_from, unseen_drop


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Judgement of a cell, with the other figures of its evidence."""

    judgement: Judgement
    """Judgement of the drop from the clean images."""
    changes: Changes
    confidence: float
    """Confidence that the cell is judged at."""
    precision: Precision
    losses: LossFigures
    groups: int | None = None
    """Number of groups that the images belong to; None if they stand alone by the file."""
    against: AgainstBaseline = field(default_factory=AgainstBaseline)
    doubts: tuple[str, ...] = ()
    """Sentences on limits that could not be judged, or that nothing could miss."""
    between: Judgement | None = None
    """Judgement of the drop from the first decoder, which is the verdict of a cell that compares decoders."""

    @property
    def deciding(self) -> Judgement:
        """Judgement that the verdict rests on."""
        return self.between or self.judgement


@final
class Judging:
    """Judges the cells of one guard."""

    def __init__(self, guard: Guard, task: Task, seed: int, store: Store | None = None) -> None:
        """Set what cells are judged by; `store` keeps resampled scores."""
        self._guard: Final = guard
        self._task: Final = task
        self._seed: Final = seed
        self._store: Final = store
        self._metric: Final = guard.metric + code_of(type(task))
        """The metric and the code of others that scores it, by which resampled scores are kept."""
        self._clean_scorers: Final[dict[tuple[tuple[str, ...], bytes], Remembered]] = {}

    def score(self, evidence: Evidence) -> Scorer:
        """Return the scorer of the guard's metric."""
        scorer: Scorer = self._task.scorer(self._guard.metric, evidence.items)
        return scorer

    def confidence(self, cell: Cell, survey: Survey) -> float:
        """Return the confidence of the cell's own interval: slices with limits take their part of the error."""
        return cell_confidence(self._guard, judged_slices(cell, survey.slices_by_id))

    def confidences(self, cell: Cell, survey: Survey, early: bool) -> tuple[float, float]:
        """Return the least and the highest confidence that the interval of all of a cell's images may have.

        They differ if there may be looks before the last image (`early`), which take a part of the error.
        """
        stop = self.early_stop(cell, survey) if early else None
        held = self.confidence(cell, survey)
        return held, held if stop is None else stop.last_confidence

    def early_stop(self, cell: Cell, survey: Survey) -> EarlyStop | None:
        """Return the looks at a cell before its last image; None if it has no limit, slices with limits, or a limit
        against a baseline.

        Slices have fewer images than the cell, and would lose some where the cell as a whole is certain early. So would
        the comparison with a baseline.
        """
        cell = cell.against or cell
        if not cell.judged or cell.max_regression is not None or judged_slices(cell, survey.slices_by_id):
            return None
        groups = survey.grouped
        return EarlyStop(
            len(survey.usable) if groups is None else groups.count,
            metric=self._guard.metric,
            max_drop=cell.max_drop,
            min_score=cell.min_score,
            confidence=self._guard.confidence,
            seed=self._seed,
            min_clean=cell.clean_floor,
            largest=1 if groups is None else int(groups.sizes.max()),
        )

    def expected(self, images: int, confidence: float, groups: Groups | None = None) -> float | None:
        """Return the drop in points that these images are expected to resolve; None without images or flags.

        Images of a group count as if they were all alike, until they are measured.
        """
        # No evidence is needed to know whether a metric has flags.
        if self._task.scorer(self._guard.metric, ()).flags is None or not images:
            return None
        return resolvable_drop(images if groups is None else independent(groups.counted, confidence), confidence)

    def judge(
        self, cell: Cell, survey: Survey, passed: Passed, stop: EarlyStop | None, expected: float | None
    ) -> Judged:
        """Judge a cell's evidence; `expected` is the resolvable drop of a cell whose drop has no interval."""
        confidence = self.confidence(cell, survey)
        if cell.against is not None and passed.first is not None:
            return self._between(cell.against, survey, passed, passed.first, stop)
        groups = survey.groups_of(passed.evidence.ids)
        judgement = passed.judgement or self._judge(cell, passed, confidence, stop, groups)
        slices = judge_slices(
            self._guard,
            cell,
            self._task,
            survey.slices_by_id,
            passed.clean,
            passed.evidence,
            self._seed,
            survey.groups_by_id,
        )
        effect = changes(self._task, self._guard.metric, passed.clean, passed.evidence)
        held = judgement.confidence or confidence
        sides = self.score(passed.clean), self.score(passed.evidence)
        weighed = Weighed.of(*sides, effect.images, groups)
        needed = needed_of(judgement, cell, weighed, held)
        precision = Precision(
            interval_confidence=judgement.confidence,
            stopped_early=passed.judgement is not None,
            resolvable_drop=expected,
            images_needed=needed,
            design_effect=weighed.effect,
            groups_needed=None if needed is None or not survey.groups else weighed.groups_for(needed),
        )
        if judgement.drop is not None:
            precision = replace(
                precision,
                resolvable_drop=resolvable_from(judgement.drop, held),
                unseen_drop=None if judgement.score is None else unseen_drop(judgement.drop, judgement.score, held),
            )
        used = groups.count if groups is not None else effect.images
        whole = with_slices(judgement, slices)
        return Judged(whole, effect, confidence, precision, effect.figures(slices), used if survey.groups else None)

    def _between(self, asked: Cell, survey: Survey, passed: Passed, first: Evidence, stop: EarlyStop | None) -> Judged:
        """Judge the drop from the first decoder by the limit of `asked`, and measure the one from the clean images."""
        measured = replace(asked, max_drop=None, slice_limits=())
        plain = self.judge(measured, survey, replace(passed, judgement=None, first=None), None, None)
        judged = self.judge(asked, survey, replace(passed, clean=first, first=None), stop, None)
        return replace(plain, precision=judged.precision, confidence=judged.confidence, between=judged.judgement)

    def _judge(
        self, cell: Cell, passed: Passed, confidence: float, stop: EarlyStop | None, groups: Groups | None
    ) -> Judgement:
        clean, compressed = self._clean_scorer(passed.clean), self.remembered(passed.evidence)
        images = len(passed.evidence.ids)
        if stop is not None:
            return stop.last(clean, compressed, images, groups)
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
            groups=groups,
        )

    def _clean_scorer(self, clean: Evidence) -> Remembered:
        # Cells share their clean images unless some failed to code: bootstrap those once. The key has their content
        # too, since they are predicted again after a model has moved.
        key = clean.ids, digest(clean.items)
        if key not in self._clean_scorers:
            self._clean_scorers[key] = self.remembered(clean)
        return self._clean_scorers[key]

    def remembered(self, evidence: Evidence) -> Remembered:
        """Return the scorer of the guard's metric, which keeps its resampled scores."""
        kept = None if self._store is None else KeptResamples(self._store, self._metric, evidence)
        return Remembered(self.score(evidence), kept)
