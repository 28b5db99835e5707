"""One guard in one process: its model and data, its rate plans, its clean evidence, and its cells one by one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, final

from compress_guard.codecs.decoding.streams import writer
from compress_guard.engine.cells.attribution.class_scores import with_classes
from compress_guard.engine.cells.attribution.named_images import with_names
from compress_guard.engine.cells.baseline_limits import BaselineLimits
from compress_guard.engine.cells.cell_pass import Passed, Trial
from compress_guard.engine.cells.crops import check_reference, emptied
from compress_guard.engine.cells.guard_codecs import GuardCodecs
from compress_guard.engine.cells.judging import Judged, Judging
from compress_guard.engine.cells.measured import Measured
from compress_guard.engine.cells.resolution import expectations, warnings_of
from compress_guard.engine.cells.result_draft import Draft
from compress_guard.engine.cells.trials import Trials
from compress_guard.engine.coding.planned import PlannedCodec, unreachable
from compress_guard.engine.coding.steps import step_rates
from compress_guard.engine.images.access import REMARK
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.pictures.kept import keep_images
from compress_guard.engine.pictures.worst import MOST_IMAGES, worst_images
from compress_guard.engine.prediction.clean.side import CleanSide
from compress_guard.engine.prediction.knowledge_check import Question, insight
from compress_guard.engine.prediction.lossless_control import Control, control
from compress_guard.engine.prediction.steadiness import disbelief
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.prediction.versions import moved_from
from compress_guard.engine.progress import SILENT, UNHEARD, Progress, Tell
from compress_guard.engine.releases.given_baseline import GivenBaseline
from compress_guard.engine.settings import RunSettings, effective_limit
from compress_guard.engine.trouble import attempted
from compress_guard.errors import DataError, ModelError, OptionError, RunError, error_text
from compress_guard.records import Cell, CellResult, EstimateCheck, Guard, Judgement, LossFigures


@final
class Bench:
    """Measures the cells of one guard on its subject."""

    def __init__(
        self, guard: Guard, subject: Subject, settings: RunSettings, baseline: GivenBaseline | None = None
    ) -> None:
        """Take a guard and its subject; `baseline` stands for that of the run in a call that gives its own."""
        self.guard: Final = guard
        self._subject: Final = subject
        self._settings: Final = settings
        self._store: Final = settings.store()
        self._judging: Final = Judging(guard, subject.task, settings.seed, self._store)
        self._baseline: Final = BaselineLimits(guard.metric, self._judging, settings, baseline)
        self._codecs: Final = GuardCodecs(guard, settings, self._store, subject.device)
        self._trials: Final = Trials(guard, subject, self._codecs, settings)
        self._expected: Final[set[int | None]] = set()
        self._judged = 0
        """Number of cells with a verdict on the model so far."""

    def measure(
        self, cell: Cell, node_id: str, progress: Progress = SILENT, tell: Tell = UNHEARD, *, last: bool = False
    ) -> Measured:
        """Measure one cell and judge it. An error of the cell becomes its result and is not raised.

        After the `last` cell of the guard in this process the model is asked its first clean batch again. Raises
        `OptionError` for a codec whose options make no sense.
        """
        started = time.perf_counter()
        predicted, remembered = self._subject.predictions, self._subject.remembered
        draft = Draft.of(self.guard, cell, node_id, self._settings, self._subject.device)
        measured = attempted(partial(self._measure, cell, draft, progress, tell), OptionError)
        if isinstance(measured, RunError):
            measured = Measured(draft.given_up(measured), problem=measured)
        if last:
            measured = self._doubted(measured, draft)
        self._judged += measured.result.drop is not None
        # Data that changes at each reading is no better on its own thread.
        bound = self._subject.reading.access.bound and not isinstance(measured.problem, DataError)
        if bound and (remark := self._subject.reading.access.remark_once()) is not None:
            tell(f"{self.guard.name}: {remark}")
        known = measured.result
        result = replace(
            known,
            codec_used=replace(known.codec_used, codec_remark=self._codecs.remark(cell)),
            intake=replace(known.intake, data_remark=REMARK if bound else None),
            earlier=replace(
                known.earlier,
                remembered=self._subject.remembered - remembered if self._subject.certain else None,
                model_moved=self._subject.moved,
            ),
            work=replace(
                known.work,
                predictions=self._subject.predictions - predicted,
                seconds=time.perf_counter() - started,
            ),
        )
        return replace(measured, result=result)

    def _doubted(self, measured: Measured, draft: Draft) -> Measured:
        """Return the guard's last cell here, an error where the model's answers have moved since the first ones."""
        judged = self._judged + (measured.result.drop is not None)
        fault = attempted(self._subject.model.moved_answers) if judged else None
        if fault is None:
            return measured
        if isinstance(fault, RunError):
            fault = f"asked its first clean batch again at the end of the guard: {error_text(fault)}"
        moved = ModelError(f"{fault}; {disbelief(self._judged)}")
        if measured.problem is not None:
            moved = ModelError(f"{measured.result.reason}; {moved}")
        draft.withdraw()
        return Measured(draft.given_up(moved), problem=moved)

    def _measure(self, cell: Cell, draft: Draft, progress: Progress, tell: Tell) -> Measured:
        limit = effective_limit(cell, self._settings)
        codec, subset = self._codec(cell, draft, limit)
        coder, survey = codec.coder, subset.survey
        clean = self._clean(cell, codec, limit, draft)
        self._expect(cell, limit, survey, draft, tell)
        planned = codec.plan(partial(progress, f"coding {self.guard.name} with {cell.codec.alias}")).at(cell.point)
        planned = self._codecs.counted(cell, codec, planned)
        draft.note_rate(survey, coder, planned)
        draft.check_failures(survey, coder.failures)
        if not planned.reachable:
            why = unreachable(cell.codec.alias, planned, self.guard.rate)
            return Measured(draft.settled(Judgement.without_evidence("unreachable", why)))
        self._prove(codec, draft)
        draft.note_decoder(moved=self._trials.decoder_moved(cell, codec, subset, clean))
        self._control(limit, clean, draft, progress)
        self._look(cell, limit, clean, draft, progress)
        trial = self._trials.of(cell, codec, subset, clean)
        self._trials.share(cell, codec, trial)
        before = trial.encoded_pixels
        stop = self._judging.early_stop(cell, survey) if self._trials.early else None
        passed = trial.whole(progress) if stop is None else trial.until_certain(stop, self._judging.score, progress)
        used = set(passed.evidence.ids)
        lost = {at for at, info in enumerate(survey.infos[: passed.reached]) if info.id not in used}
        draft.note_rate(survey, coder, planned.without(lost))
        draft.note_steps(step_rates(coder, planned.without(lost)))
        # A store that cannot keep streams has them made again.
        again = (trial.encoded_pixels - before) / sum(info.pixels for info in survey.infos)
        draft.note_decoded(passed.seen, again)
        # Later batches may be decoded already; images that they lost are not part of this result.
        failed = {at: why for at, why in trial.lost().items() if at < passed.reached or at in coder.failures}
        draft.check_failures(survey, failed)
        trial.watch.check_median(passed.seen)
        judged = self._judging.judge(cell, survey, passed, stop, draft.result.resolvable_drop)
        judged = self._baseline.judged(cell, draft.result, survey, passed, judged)
        draft.note_judged(self._named(judged, limit, passed))
        if trial.swaps:
            draft.result = replace(draft.result, swap=trial.swapped(passed, self._judging.score, progress))
        result = draft.judged(cell, judged, len(used))
        self._picture(result, trial)
        names = survey.groups_by_id
        groups = tuple(names[image] for image in passed.evidence.ids) if names else ()
        sources = survey.sources_of(passed.evidence.ids)
        return Measured(result, passed.evidence, passed.clean, judged.changes, sources, groups=groups)

    def _named(self, judged: Judged, limit: int | None, passed: Passed) -> Judged:
        """Return the judgement with the worst images by name, as far as the data tells, and the scores of classes."""

        def named() -> LossFigures:
            losses = with_names(judged.losses, judged.changes, self._subject.names(limit), passed.clean)
            return with_classes(losses, self._judging.score, passed, self._subject.names(limit))

        losses = attempted(named)
        return judged if isinstance(losses, RunError) else replace(judged, losses=losses)

    def _picture(self, result: CellResult, trial: Trial) -> None:
        """Keep pictures of the images that cost the score most, if the run asks for them; no verdict depends on it."""
        if (folder := self._settings.pictures) is None:
            return
        most = MOST_IMAGES if result.outcome == "failed" or result.verdict == "inconclusive" else 1
        sides = (trial.clean, trial.limit, trial.coder, trial.planned)
        images = attempted(partial(worst_images, *sides, result.named_worst[:most])) if result.worst else ()
        keep_images(folder, result.id, result.drop, () if isinstance(images, RunError) else images)

    def _codec(self, cell: Cell, draft: Draft, limit: int | None) -> tuple[PlannedCodec, Subset]:
        available = self._codecs.available(cell)
        if cell.against is not None:
            self._codecs.available(cell.against)  # nothing is coded for a comparison that cannot be made
        subset = self._subject.subset(limit)
        codec = self._codecs.planned(cell, available, subset)
        draft.note_codec(codec.coder, moved_from(self._store, cell.codec, writer(available)))
        draft.note_images(subset.survey)
        draft.check_failures(subset.survey, {})
        return codec, subset

    def _clean(self, cell: Cell, codec: PlannedCodec, limit: int | None, draft: Draft) -> CleanSide:
        """Return the clean side of a cell; raises `DataError` where the codec's crop leaves nothing to compare."""
        clean = self._subject.clean(codec.coder.writer if self.guard.reference == "input" else None)
        cropped, impossible = check_reference(self.guard, cell.codec, codec.coder)
        draft.check_failures(codec.survey, impossible)
        if cropped:
            draft.note_crop(emptied(clean, limit, cell.codec, codec.coder))
        return clean

    def _expect(self, cell: Cell, limit: int | None, survey: Survey, draft: Draft, tell: Tell) -> None:
        """Say, before the first image is coded, what this number of images can decide."""
        held = {
            other: self._judging.confidences(other, survey, self._trials.early)
            for other in self.guard.cells
            if effective_limit(other, self._settings) == limit
        }
        _, most = held.get(cell, (self.guard.confidence, self.guard.confidence))
        expected = self._judging.expected(len(survey.usable), most, survey.grouped)
        draft.note_expected(expected)
        if limit not in self._expected:
            self._expected.add(limit)
            said = expectations(self.guard.name, held, survey, expected)
            for line in (*said, *warnings_of(self.guard.name, survey)):
                tell(line)

    def plan_ahead(self, cell: Cell, stopped: Callable[[], bool]) -> None:
        """Make the plan of a cell's codec before the cell is measured, on another thread than the cells before it.

        Nothing else of the cell is done. Raises the errors that would be the cell's result.
        """
        if self._subject.reading.access.bound:
            return
        codec = writer(self._codecs.available(cell))
        subset = self._subject.subset(effective_limit(cell, self._settings))
        subset.survey.check_failures({}, self.guard.max_error_share)
        self._codecs.planned(cell, codec, subset).plan_ahead(stopped)

    @staticmethod
    def _prove(codec: PlannedCodec, draft: Draft) -> None:
        draft.note_check(EstimateCheck(), 0)
        proven, images = codec.prove()
        draft.note_check(proven.figures(), images)
        proven.check()

    def _control(self, limit: int | None, side: CleanSide, draft: Draft, progress: Progress) -> None:
        """Make the lossless control, once for a clean side; raises `ModelError` for a model that fails it."""
        tell = partial(progress, f"predicting {self.guard.name} clean")

        def made() -> Control:
            # A run that stops early has not predicted more than the first batch by then.
            first = 1 if self._trials.early else None
            after = partial(progress, f"predicting {self.guard.name} after a lossless codec")
            while True:
                generation = self._subject.generation
                clean = side.evidence(limit, tell, first)
                made = control(self._subject, side.view(limit), clean, after)
                if self._subject.generation == generation:  # else that was clean evidence of another model
                    return made

        passed = self._subject.once(side.named("control", limit), made)
        draft.result = replace(draft.result, control=passed.figures(), sources=self._subject.source_figures(limit))
        passed.check()

    def _look(self, cell: Cell, limit: int | None, clean: CleanSide, draft: Draft, progress: Progress) -> None:
        """Look at the clean predictions; raises `ModelError` for a model that knows nothing."""
        guard = self.guard
        question = Question(guard.metric, guard.confidence, cell.min_clean, self._settings.seed, self._trials.early)
        known = insight(clean, limit, question, partial(progress, f"predicting {guard.name} clean"))
        draft.note_clean(known)
        known.check()
