"""Checks of a guard's clean predictions before any image is coded: does the model know anything?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Final

import numpy as np

from compress_guard.engine.prediction.clean.side import CleanSide
from compress_guard.engine.prediction.source_frame import framed_size, framed_target
from compress_guard.engine.progress import CountProgress
from compress_guard.errors import ModelError
from compress_guard.records import UNTOLD, Evidence
from compress_guard.tasks.skill import Skill
from compress_guard.verdict import knowledge as known
from compress_guard.verdict import sentence
from compress_guard.verdict.grouped.groups import Sampled
from compress_guard.verdict.judgement import score_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from compress_guard.tasks.scorer import Scorer

ONE_CLASS: Final = known.FEWEST_TELLING
"""Number of images that cannot all have one class by chance."""
_GROWTH: Final = 4
"""Factor by which a run that stops early increases its clean images until the result is certain."""


@dataclass(frozen=True, slots=True)
class Question:
    """The question that a guard has for its clean predictions."""

    metric: str
    confidence: float
    min_clean: float | None
    """None: a model that knows nothing is refused."""
    seed: int
    early: bool
    """True if a part of the images suffices once the result is certain."""


@dataclass(frozen=True, slots=True)
class Insight:
    """The conclusions from clean images about a model and about their truth."""

    clean_score: float | None
    """Points over the images that were looked at; None if it is undefined."""
    fault: str | None = None
    """Reason why no drop of this model means anything."""
    remark: str | None = None
    """Reason why the model's knowledge is uncertain: too few images, or an interval that reaches too low."""
    doubts: tuple[str, ...] = ()
    """Sentences that say why any limit of this guard means little."""

    def check(self) -> None:
        """Raise `ModelError` for a fault."""
        if self.fault is not None:
            raise ModelError(self.fault)


def insight(side: CleanSide, limit: int | None, question: Question, progress: CountProgress) -> Insight:
    """Return the insight from the clean predictions of a limit, made once for all guards with the same question.

    Raises what the data and the model raise.
    """
    return side.subject.once(
        f"{side.named('insight', limit)} for {question}", lambda: _look(side, limit, question, progress)
    )


def check_floor(side: CleanSide, limit: int | None, question: Question, progress: CountProgress) -> None:
    """Raise `ModelError` for a model that knows nothing, or whose whole clean interval is below its `min_clean`.

    It is for recovery studies, which have no verdict on the clean score.
    """
    insight(side, limit, question, progress).check()
    if not question.min_clean:
        return
    evidence = side.evidence(limit, progress)
    scorer, images = side.subject.task.scorer(question.metric, evidence.items), len(evidence.ids)
    score = _score(scorer, images)
    if score is None:
        return
    sampled = Sampled(images, question.seed, side.subject.subset(limit).survey.groups_of(evidence.ids))
    clean = score_interval(scorer, score, sampled, question.confidence)
    if clean.high < question.min_clean:
        finding = sentence.of_clean(clean, question.confidence, question.min_clean)
        raise ModelError(f"{question.metric}: {finding}; mend the model before its drop is studied, or lower min_clean")


def _look(side: CleanSide, limit: int | None, question: Question, progress: CountProgress) -> Insight:
    total = len(side.subject.subset(limit).survey.usable)
    looked = _Look(side, limit, question)
    images = 1  # the first batch, which has the size that the model requires
    while question.early and images < total:
        evidence = side.evidence(limit, progress, images)
        if looked.settles(evidence, total):
            return looked.insight(evidence, total)
        images = len(evidence.ids) * _GROWTH
    return looked.insight(side.evidence(limit, progress, total if question.early else None), total)


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at the clean predictions of a subject."""

    side: CleanSide
    limit: int | None
    question: Question

    def settles(self, evidence: Evidence, total: int) -> bool:
        """Return True if a part of the images gives the same result as all of them."""
        skill = self._skill(evidence)
        if not skill.telling:
            return False
        if self.question.min_clean is not None or total < known.FEWEST:
            return True
        if skill.telling < known.FEWEST_TELLING:
            return False
        shown = self._knowledge(skill, evidence, sure=True)
        return shown is not None and shown.some

    def insight(self, evidence: Evidence, total: int) -> Insight:
        """Return the insight from evidence that is complete, or certain."""
        skill, images = self._skill(evidence), len(evidence.ids)
        score = _score(self.side.subject.task.scorer(self.question.metric, evidence.items), images)
        one_class = len(skill.truth) == 1 and not skill.telling and images >= ONE_CLASS
        doubts = tuple(self._doubts(skill, evidence, one_class=one_class))
        if self.question.min_clean is not None or one_class or not len(skill.truth):
            return Insight(score, doubts=doubts)
        few = known.too_few(skill, total)
        if few is not None or images < total:
            return Insight(score, remark=few, doubts=doubts)
        shown = self._knowledge(skill, evidence, sure=True)
        if shown is None or shown.some:
            return Insight(score, doubts=doubts)
        if shown.none:
            return Insight(score, self._fault(skill, shown, score, images), doubts=doubts)
        return Insight(score, remark=self._remark(shown, score, images), doubts=doubts)

    def _skill(self, evidence: Evidence) -> Skill:
        return self.side.subject.task.skill(evidence.items)

    def _knowledge(self, skill: Skill, evidence: Evidence, *, sure: bool) -> known.Knowledge | None:
        return known.knowledge(skill, len(evidence.ids), self.question.seed, self.question.confidence, sure=sure)

    def _doubts(self, skill: Skill, evidence: Evidence, *, one_class: bool) -> Iterator[str]:
        if one_class and self.question.min_clean != 0:
            yield (
                f"all {len(evidence.ids)} images have class {int(skill.truth[0])} and no other in their truth, so that "
                "one constant answer is right everywhere and no limit means much; check the targets"
                f"{f' ({skill.hint})' if skill.hint else ''}, or give min_clean: 0 if this is meant"
            )
        why = self.side.subject.task.saturated(
            self.question.metric, evidence.items, lambda: self.side.answers(self.limit)[1]
        )
        if why is not None:
            yield f"{why}, so that no limit can be missed; use another metric"

    def _remark(self, shown: known.Knowledge, score: float | None, images: int) -> str:
        points = "undefined" if score is None else sentence.number(score)
        return (
            f"the clean answers ({self.question.metric} {points} on {images} images) {UNTOLD} "
            f"({shown.sentence(self.question.confidence)}); set min_clean"
        )

    def _fault(self, skill: Skill, shown: known.Knowledge, score: float | None, images: int) -> str:
        batch, predictions = self.side.answers(self.limit)
        task, frames = self.side.subject.task, batch.frames
        targets = [framed_target(task, *each) for each in zip(batch.targets, frames, strict=True)]
        remarks = task.remarks(predictions, targets, list(map(framed_size, frames)))
        points = "undefined" if score is None else sentence.number(score)
        answered = f"answered {_labels(skill.answered)}" if len(skill.answered) else "found nothing"
        sides = f"the model {answered}, the truth has {_labels(skill.truth).removeprefix('labels ')}"
        return (
            f"clean {self.question.metric} {points} on {images} images; {'; '.join((sides, *remarks))}: the model "
            f"knows nothing that a codec could take from it ({shown.sentence(self.question.confidence)}); check "
            f"{skill.checks}, or give min_clean: 0 if this is meant"
        )


def _score(scorer: Scorer, images: int) -> float | None:
    """Return the score in points; None if it is undefined."""
    score = float(scorer(np.ones((1, images)))[0])
    return None if isnan(score) else score


def _labels(labels: NDArray[np.int64]) -> str:
    """Return the range of labels for a message: ``labels 0 to 79``, ``label 3 alone``."""
    first, last = int(labels[0]), int(labels[-1])
    return f"label {first} alone" if first == last else f"labels {first} to {last}"
