"""One guard in one process: its model and data, its rate plans, its clean evidence, and its cells one by one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, final

from compress_guard.codecs.contract import Codec
from compress_guard.engine.access import REMARK
from compress_guard.engine.changes import Changes
from compress_guard.engine.codec_choice import available_codec
from compress_guard.engine.coding import Coder
from compress_guard.engine.control import Control, control
from compress_guard.engine.draft import Draft
from compress_guard.engine.expectation import Tell, expectations, untold
from compress_guard.engine.health import Proven, Watch, prove
from compress_guard.engine.insight import Question, insight
from compress_guard.engine.judging import Judging
from compress_guard.engine.prediction import Progress
from compress_guard.engine.recall import Verdict
from compress_guard.engine.samples import Survey
from compress_guard.engine.settings import RunSettings, effective_limit
from compress_guard.engine.steadiness import disbelief
from compress_guard.engine.subject import CountProgress, Subject, Subset
from compress_guard.engine.trial import Trial
from compress_guard.engine.trouble import attempted
from compress_guard.engine.versions import moved_from
from compress_guard.errors import DataError, ModelError, OptionError, RunError, said
from compress_guard.records import (
    Cell,
    CellResult,
    CodecSpec,
    Evidence,
    Guard,
    Judgement,
    PlannedRate,
    RatePlan,
    format_bpp,
)


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A cell's result with what it rests on."""

    result: CellResult
    evidence: Evidence | None = None
    clean_evidence: Evidence | None = None
    changes: Changes | None = None
    problem: RunError | None = None
    """What went wrong, for whoever wants the traceback."""


@dataclass(slots=True, eq=False)
class _Coding:
    """A codec at work on the images of a limit, with what is made once for all its cells."""

    coder: Coder
    survey: Survey
    """Of the images that it codes."""
    plan: RatePlan | None = None
    """For all rates that the file asks of this codec, whatever cells were selected."""
    proven: Proven | None = None
    verified: bool = False
    """Whether the first batch of each of its cells was looked at again, as far as earlier runs left any."""
    moved: bool = False
    """Whether its decoder gave other pixels than in the run that left them."""
    making: threading.Lock = field(default_factory=threading.Lock)
    """Held while the plan is made, ahead of its first cell or by it."""


_TOLD_SECONDS: Final = 0.2
"""How often a wait for a plan is told of."""


def _silent(what: str, done: int, total: int) -> None:
    """Progress for nobody."""


@final
class Bench:
    """Measures the cells of one guard on its subject."""

    def __init__(self, guard: Guard, subject: Subject, settings: RunSettings) -> None:
        self.guard: Final = guard
        self._subject: Final = subject
        self._settings: Final = settings
        self._store: Final = settings.store()
        self._judging: Final = Judging(guard, subject.task, settings.seed, self._store)
        self._making: Final = threading.Lock()
        self._codings: Final[dict[tuple[CodecSpec, int | None], _Coding]] = {}
        self._expected: Final[set[int | None]] = set()
        self._judged = 0
        """Cells that were given a verdict on the model so far."""

    def measure(
        self, cell: Cell, node_id: str, progress: Progress = _silent, tell: Tell = untold, *, last: bool = False
    ) -> Measured:
        """Measure one cell and judge it. Never raises for what the cell itself can go wrong with.

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
        # Data that gives something else at each reading is no better on its own thread.
        bound = self._subject.access.bound and not isinstance(measured.problem, DataError)
        if bound and (remark := self._subject.access.remark_once()) is not None:
            tell(f"{self.guard.name}: {remark}")
        coding = self._codings.get(self._key(cell))
        result = replace(
            measured.result,
            codec_remark=coding.coder.codec.remark if coding else None,
            predictions=self._subject.predictions - predicted,
            remembered=self._subject.remembered - remembered if self._subject.certain else None,
            model_moved=self._subject.moved,
            data_remark=REMARK if bound else None,
            seconds=time.perf_counter() - started,
        )
        return replace(measured, result=result)

    def _doubted(self, measured: Measured, draft: Draft) -> Measured:
        """Return the guard's last cell here, an error where the model's answers have moved since the first ones."""
        judged = self._judged + (measured.result.drop is not None)
        fault = attempted(self._subject.moved_answers) if judged else None
        if fault is None:
            return measured
        if isinstance(fault, RunError):
            fault = f"asked its first clean batch again at the end of the guard: {said(fault)}"
        moved = ModelError(f"{fault}; {disbelief(self._judged)}")
        if measured.problem is not None:
            moved = ModelError(f"{measured.result.reason}; {moved}")
        draft.withdraw()
        return Measured(draft.given_up(moved), problem=moved)

    def _measure(self, cell: Cell, draft: Draft, progress: Progress, tell: Tell) -> Measured:
        limit = effective_limit(cell, self._settings)
        coding, subset = self._coding(cell, draft, limit)
        coder, survey = coding.coder, subset.survey
        self._expect(cell, limit, survey, draft, tell)
        plan = self._plan(cell, coding, progress)
        planned = plan.at(cell.bpp)
        draft.note_rate(survey, coder, planned)
        draft.check_failures(survey, coder.failures)
        if not planned.reachable:
            why = unreachable(cell, planned, self.guard.rate)
            return Measured(draft.settled(Judgement.without_evidence("unreachable", why)))
        self._prove(coding, plan, subset, draft)
        self._verify(cell, coding, plan, subset)
        draft.note(decoder_moved=coding.moved)
        self._control(limit, subset, draft, progress)
        self._look(cell, limit, draft, progress)
        trial = self._trial(cell, coding, subset, plan)
        before = coder.encoded_pixels
        stop = self._judging.early_stop(cell, survey) if self._early else None
        passed = trial.whole(progress) if stop is None else trial.until_certain(stop, self._judging.score, progress)
        # Where the store cannot keep streams they are made once more.
        again = (coder.encoded_pixels - before) / sum(info.pixels for info in survey.infos)
        used = set(passed.evidence.ids)
        lost = {at for at, info in enumerate(survey.infos[: passed.reached]) if info.id not in used}
        draft.note_rate(survey, coder, planned.without(lost))
        draft.note(encodes=(draft.result.encodes or 0.0) + again, **passed.seen.fields())
        # Batches further on may have been decoded by now: what they lost is not this result's.
        failed = {at: why for at, why in coder.lost(planned).items() if at < passed.reached or at in coder.failures}
        draft.check_failures(survey, failed)
        trial.watch.check_median(passed.seen)
        judged = self._judging.judge(cell, survey, passed, stop)
        draft.note(**judged.fields)
        if self.guard.decoder_swap:
            draft.note(**trial.swapped(passed, self._judging.score, progress))
        result = draft.judged(cell, judged.judgement, len(used))
        return Measured(result, passed.evidence, passed.clean, judged.changes)

    @property
    def _early(self) -> bool:
        """Whether cells may stop early: only images in random order can stand for those that were never seen."""
        return self._settings.early_stop and self._subject.shuffled

    def _key(self, cell: Cell) -> tuple[CodecSpec, int | None]:
        return cell.codec, effective_limit(cell, self._settings)

    def _coding(self, cell: Cell, draft: Draft, limit: int | None) -> tuple[_Coding, Subset]:
        codec = available_codec(cell.codec, self._subject.device)
        subset = self._subject.subset(limit)
        coding = self._coding_of(cell, codec, subset)
        draft.note_codec(coding.coder, moved_from(self._store, cell.codec, codec))
        draft.note(images=subset.survey.images, **subset.survey.intake.fields())
        draft.check_failures(subset.survey, {})
        return coding, subset

    def _coding_of(self, cell: Cell, codec: Codec, subset: Subset) -> _Coding:
        with self._making:
            key = self._key(cell)
            # The images may have been read anew, on the data set's own thread.
            if key not in self._codings or self._codings[key].survey is not subset.survey:
                coder = Coder(codec, subset.samples, subset.survey, self._store, self._settings.workers)
                self._codings[key] = _Coding(coder, subset.survey)
            return self._codings[key]

    def _expect(self, cell: Cell, limit: int | None, survey: Survey, draft: Draft, tell: Tell) -> None:
        """What so many images can tell, said before the first of them is coded."""
        held = {
            one: self._judging.confidences(one, survey, self._early)
            for one in self.guard.cells
            if effective_limit(one, self._settings) == limit
        }
        _, most = held.get(cell, (self.guard.confidence, self.guard.confidence))
        expected = self._judging.expected(len(survey.usable), most)
        draft.note(resolvable_drop=expected)
        if limit not in self._expected:
            self._expected.add(limit)
            for line in expectations(self.guard.name, held, survey, expected):
                tell(line)

    def _plan(self, cell: Cell, coding: _Coding, progress: Progress) -> RatePlan:
        told = partial(progress, f"coding {self.guard.name} with {cell.codec.alias}")
        while not coding.making.acquire(timeout=_TOLD_SECONDS):
            told(coding.coder.encoded_images, 0)  # somebody makes the plan ahead
        try:
            return self._planned(cell, coding, told)
        finally:
            coding.making.release()

    def _planned(self, cell: Cell, coding: _Coding, told: CountProgress | None = None) -> RatePlan:
        if coding.plan is None:
            coding.coder.progress = told
            coding.plan = coding.coder.plan(self.guard, cell.codec.alias, self._settings.seed)
            coding.coder.progress = None
        return coding.plan

    def plan_ahead(self, cell: Cell, stopped: Callable[[], bool]) -> None:
        """Make the plan of a cell's codec before the cell is measured, on another thread than the cells before it.

        Nothing else of the cell is done. Raises what the cell would be judged an error for.
        """
        if self._subject.access.bound:
            return
        codec = available_codec(cell.codec, self._subject.device)
        subset = self._subject.subset(effective_limit(cell, self._settings))
        subset.survey.check_failures({}, self.guard.max_error_share)
        coding = self._coding_of(cell, codec, subset)
        with coding.making:
            coding.coder.stopped = stopped
            try:
                self._planned(cell, coding)
            finally:
                coding.coder.stopped = lambda: False

    def _prove(self, coding: _Coding, plan: RatePlan, subset: Subset, draft: Draft) -> None:
        draft.note(check_encodes=0)
        if coding.proven is None:
            coding.proven = prove(coding.coder, subset.survey, plan, self._settings.seed)
            draft.note(check_encodes=coding.coder.proved_images)
        draft.note(**coding.proven.fields())
        coding.proven.check()

    def _verify(self, cell: Cell, coding: _Coding, plan: RatePlan, subset: Subset) -> None:
        """Look again at the first batch of every cell of this codec before evidence of earlier runs is used for one.

        All of them before the first is judged, selected or not: what a change does at one rate alone is known to the
        others, in whatever order they come.
        """
        if coding.verified:
            return
        coding.verified = True
        for other in self.guard.cells:
            if self._key(other) == self._key(cell) and plan.at(other.bpp).reachable:
                # What is wrong there is told where that cell is predicted.
                verdict = attempted(self._trial(other, coding, subset, plan).verify)
                coding.moved |= verdict is Verdict.DECODER

    def _control(self, limit: int | None, subset: Subset, draft: Draft, progress: Progress) -> None:
        """The lossless control, made once for the subject; raises `ModelError` for a model that fails it."""
        told = partial(progress, f"predicting {self.guard.name} clean")

        def made() -> Control:
            # A run that stops early has not predicted more than the first batch by then.
            first = 1 if self._early else None
            after = partial(progress, f"predicting {self.guard.name} after a lossless codec")
            while True:
                generation = self._subject.generation
                clean = self._subject.clean_evidence(limit, told, first)
                made = control(self._subject, subset, clean, after)
                if self._subject.generation == generation:  # else that was clean evidence of another model
                    return made

        found = self._subject.once(f"control of {self._subject.binding(limit)}", made)
        draft.note(**found.fields(), **self._subject.source_fields(limit))
        found.check()

    def _look(self, cell: Cell, limit: int | None, draft: Draft, progress: Progress) -> None:
        """Look at the clean predictions; raises `ModelError` for a model that knows nothing."""
        guard = self.guard
        question = Question(guard.metric, guard.confidence, cell.min_clean, self._settings.seed, self._early)
        found = insight(self._subject, limit, question, partial(progress, f"predicting {guard.name} clean"))
        draft.note(clean_score=found.clean_score, clean_remark=found.remark)
        draft.doubt(found.doubts)
        found.check()

    def _trial(self, cell: Cell, coding: _Coding, subset: Subset, plan: RatePlan) -> Trial:
        planned = plan.at(cell.bpp)
        # Of a run that stops early only the first batch is sure to come.
        first = len(next(iter(self._subject.batches(subset)))) if self._early else None
        return Trial(
            self._subject,
            subset,
            effective_limit(cell, self._settings),
            coding.coder,
            planned,
            Watch(coding.coder, subset.survey, plan, planned, self._settings.seed, first),
            (self.guard.name, cell.name),
            self.guard.max_error_share,
            self.guard.decoder_swap,
        )


def unreachable(cell: Cell, planned: PlannedRate, mode: str) -> str:
    """What to say of a rate below the floor of the codec."""
    floor = "its floor" if planned.floor is None else f"{planned.floor:.3f} bpp"
    what = (
        "the mean goes down to" if mode == "dataset" else f"{planned.off_target} images are stuck, the highest floor is"
    )
    return (
        f"{cell.codec.alias} cannot reach {format_bpp(cell.bpp)[:-3]} bpp on these images: {what} {floor}; "
        "ask for a rate above that, larger images or another codec"
    )
