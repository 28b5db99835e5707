"""The study of one guard in one process: its trainings, its evaluation, and the results of its cells."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, final

from compress_guard.engine.images.access import Access
from compress_guard.engine.images.placing import Placing
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.prediction.knowledge_check import Question, check_floor
from compress_guard.engine.prediction.steadiness import disbelief
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.progress import CountProgress, Progress
from compress_guard.engine.recovery.comparison import ORIGINAL, ArmComparison
from compress_guard.engine.recovery.draft import draft
from compress_guard.engine.recovery.evaluation import Evaluation, evaluation_limit
from compress_guard.engine.recovery.material import Material
from compress_guard.engine.recovery.targets import Targets
from compress_guard.engine.recovery.trainer import Trainer, finetunable
from compress_guard.engine.recovery.training_set import TrainingSet
from compress_guard.engine.recovery.trainings import Arm, Lesson, Trainings
from compress_guard.engine.settings import RunSettings, device_name
from compress_guard.engine.trouble import attempted
from compress_guard.errors import ModelError, RunError, error_text
from compress_guard.records import (
    CodecSpec,
    Guard,
    OperatingPoint,
    Recovery,
    RecoveryCell,
    RecoveryResult,
    Share,
    Verdict,
)
from compress_guard.store import WEIGHTS
from compress_guard.verdict import settle_recovery, waive
from compress_guard.verdict.recovery import judge_recovery


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredRecovery:
    """A recovery cell's result."""

    result: RecoveryResult
    problem: RunError | None = None
    """The error, if there was one, with its traceback."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyInputs:
    """The inputs of a study; the callables are called when a cell is first measured, and may raise `RunError`."""

    subject: Subject
    """The guard's model on its evaluation data."""
    model: Callable[[], Any]
    train: Callable[[], Any]
    """The training data."""
    folder: Path
    """Folder of the thresholds file."""
    access: Access
    """Access to the training data."""


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    evaluation: Evaluation
    trainings: Trainings
    training: TrainingSet


@final
class Study:
    """The recovery cells of one guard. Images, controls and the original are made once and shared."""

    def __init__(self, guard: Guard, recovery: Recovery, sources: StudyInputs, settings: RunSettings) -> None:
        self._guard: Final = guard
        self._recovery: Final = recovery
        self._sources: Final = sources
        self._settings: Final = settings
        self._prepared: _Prepared | None = None
        self._done = 0
        """Number of cells measured so far."""

    def measure(self, cell: RecoveryCell, node_id: str, progress: Progress, *, last: bool = False) -> MeasuredRecovery:
        """Train, test and judge one cell. Faults of the cell do not raise.

        After the `last` cell of the study in this process the guard's model is asked its first clean batch again.
        """
        started = time.perf_counter()
        before = self._prepared.trainings.made if self._prepared else 0
        asked = draft(self._guard, self._recovery, cell, node_id, self._settings)
        asked = replace(asked, device=device_name(self._sources.subject.device))
        result, problem = attempted(partial(self._measured, cell, asked, progress)), None
        if isinstance(result, RunError):
            problem = result
            result = self._settled(asked, problem.verdict, error_text(problem), ())
        judged = self._done
        self._done += problem is None
        if last and self._done:
            fault = attempted(partial(self._sources.subject.model.moved_answers, others=True))
            if fault is not None:
                problem = ModelError(
                    f"{error_text(fault) if isinstance(fault, RunError) else fault}; {disbelief(judged)}"
                )
                result = self._settled(asked, problem.verdict, error_text(problem), ())
        made = self._prepared.trainings.made - before if self._prepared else 0
        return MeasuredRecovery(replace(result, trained=made, seconds=time.perf_counter() - started), problem)

    def _measured(self, cell: RecoveryCell, result: RecoveryResult, progress: Progress) -> RecoveryResult:
        prepared = self._prepare(progress)
        evaluation, trainings = prepared.evaluation, prepared.trainings
        points = self._recovery.points_of(cell.codec) if isinstance(cell.point, str) else (cell.point,)
        evaluation.require([(cell.codec, point) for point in points], progress)
        controls = [Arm(seed) for seed in self._recovery.seeds]
        finetuned = [Arm(seed, cell.codec, cell.point) for seed in self._recovery.seeds]
        subject = self._sources.subject
        if not evaluation.has(ORIGINAL):
            listener = partial(progress, f"predicting {self._guard.name} clean")
            self._check_original(listener)
            clean = subject.clean_evidence(self._limit, listener)
            evaluation.add(ORIGINAL, self._sources.model, progress, clean)
            evaluation.score(ORIGINAL, None)  # an undefined metric is reported before anything is trained
        for arm in (*finetuned, *controls):  # failures come before the controls are trained
            evaluation.add(arm.name, partial(trainings.model, arm, progress), progress)
        training = prepared.training
        result = replace(
            result,
            train_images=len(training.subset.survey.usable),
            train_errors=training.errors,
            train_tested=training.tested,
        )
        names = [arm.name for arm in finetuned], [arm.name for arm in controls]
        compared = ArmComparison(evaluation, *names, self._settings.seed, self._guard.confidence)
        result = compared.applied(result)
        shares = [point.recovered for point in result.own()]
        verdict, reason = judge_recovery(shares, cell.min_recovered, [point.point.short for point in result.own()])
        return self._settled(result, verdict, reason, shares)

    def _check_original(self, progress: CountProgress) -> None:
        """Raise `ModelError` for a model that knows nothing, or whose clean score is below its guard's min_clean.

        Training can bring back only a drop that a codec caused.
        """
        guard = self._guard
        question = Question(guard.metric, guard.confidence, guard.min_clean, self._settings.seed, early=False)
        check_floor(self._sources.subject.clean(), self._limit, question, progress)

    @property
    def _limit(self) -> int | None:
        return evaluation_limit(self._recovery, self._settings.limit)

    def _points(self, codec: CodecSpec, point: OperatingPoint) -> tuple[OperatingPoint, ...]:
        """Return the points of a plan: the guard's own points share the plan of its cells, others a second one."""
        gated = self._guard.points(codec.alias)
        return gated if point in gated else tuple(one for one in self._recovery.points_of(codec) if one not in gated)

    def _prepare(self, progress: Progress) -> _Prepared:
        if self._prepared is None:
            guard, recovery, subject = self._guard, self._recovery, self._sources.subject
            trainer = Trainer.of(recovery.trainer, self._sources.folder)
            if recovery.learning_rate is not None and not trainer.takes("learning_rate"):
                raise ModelError(
                    f"trainer {trainer.name}: has no parameter learning_rate, which the file sets to "
                    f"{recovery.learning_rate:g}; add the parameter, or remove the key"
                )
            original = finetunable(self._sources.model(), guard.model)
            progress(f"reading images of {guard.name}", 0, 0)
            # Processes of one run share its folder, but not the files that they are writing.
            folder = Path(tempfile.mkdtemp(prefix="recovery-", dir=self._settings.run_folder))
            evaluated = subject.subset(self._limit)
            evaluated.survey.check_failures({}, guard.max_error_share)
            shown = Material(
                guard,
                evaluated,
                self._points,
                self._settings,
                subject.device,
                folder / "tested",
                guard.max_error_share,
            )
            training = self._training(evaluated)
            material = Material(
                guard,
                training.subset,
                lambda codec, _: recovery.points_of(codec),
                self._settings,
                subject.device,
                folder / "trained",
            )
            targets = Targets(guard.task, material.subset, folder / "targets.raw")
            lesson = Lesson(guard, recovery, trainer, original, material, targets, subject.device)
            evaluation = Evaluation(guard, subject.task, shown, subject.device, recovery.points)
            trainings = Trainings(lesson, self._settings.store_folder / WEIGHTS)
            self._prepared = _Prepared(evaluation, trainings, training)
        return self._prepared

    def _training(self, evaluated: Subset) -> TrainingSet:
        recovery, task = self._recovery, self._sources.subject.task
        data = self._sources.train()
        reader = SampleReader(data, task.target, None, self._sources.access, Placing(task, self._guard.orientation))
        samples = Samples(reader, limit=recovery.images, seed=self._settings.seed)
        return TrainingSet.of(recovery.train, samples, task, evaluated.survey, self._settings.run_folder)

    def _settled(
        self, result: RecoveryResult, verdict: Verdict, reason: str, shares: list[Share] | tuple[()]
    ) -> RecoveryResult:
        settlement = settle_recovery(
            verdict, reason, shares, result.min_recovered, self._guard.policy, self._settings.strict
        )
        waiver = self._guard.waiver(result.id.rpartition("::")[2])
        settlement, waived = waive(settlement, verdict, waiver, self._settings.today)
        return replace(
            result,
            verdict=verdict,
            outcome=settlement.outcome,
            settled_by=settlement.settled_by,
            waived=waived,
            reason=f"{reason}; {settlement.note}" if settlement.note else reason,
        )
