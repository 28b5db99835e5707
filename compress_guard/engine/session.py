"""One run of a thresholds file in one process: benches for its guards, made when their first cell asks."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, final

from compress_guard.engine.cells.guard_bench import Bench
from compress_guard.engine.cells.measured import Measured
from compress_guard.engine.cells.result_draft import Draft
from compress_guard.engine.compressed_batches import CodedData
from compress_guard.engine.evidence_files import keep_evidence
from compress_guard.engine.images.access import Access
from compress_guard.engine.images.factories import call, check_data, check_model
from compress_guard.engine.images.slicers import slicers
from compress_guard.engine.images.subsets import ReadingOptions, Subset
from compress_guard.engine.machine.threads import single_blas_thread
from compress_guard.engine.models.fingerprint import certainty
from compress_guard.engine.plan_ahead import Scout, Stopped
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.progress import UNHEARD, Progress, Tell
from compress_guard.engine.recovery.study import MeasuredRecovery, Study, StudyInputs
from compress_guard.engine.settings import RunSettings, cores, resolve_device
from compress_guard.engine.trouble import attempted
from compress_guard.errors import DataError, ModelError, RunError
from compress_guard.records import Cell, Guard, RecoveryCell, Thresholds

FIXTURE: Final = "fixture:"

FixtureLookup = Callable[[str, type[RunError]], Any]
"""Resolves a fixture's name, raising the given error where it cannot."""


def without_fixtures(name: str, error: type[RunError]) -> Any:
    """Raise the error of a fixture in a run outside pytest."""
    raise error(f"fixture:{name} needs pytest; run `pytest --compress-guard` or name a factory package.module:callable")


@final
class Session:
    """Measures cells of a thresholds file; models and data sets are loaded once per process and shared by guards."""

    def __init__(self, thresholds: Thresholds, settings: RunSettings, *, worker: int = 0) -> None:
        self.settings: Final = settings
        self._folder: Final = Path(thresholds.path).resolve().parent
        self._guards: Final = {guard.name: guard for guard in thresholds.guards}
        self._worker: Final = worker
        self._subjects: Final[dict[tuple[object, ...], Subject]] = {}
        self._benches: Final[dict[str, Bench]] = {}
        self._studies: Final[dict[str, Study]] = {}
        self._loaded: Final[dict[str, Any]] = {}
        self._failed: Final[dict[str, RunError]] = {}
        self._accesses: Final[dict[str, Access]] = {}
        self._making: Final = threading.RLock()
        self._scout: Scout | None = None
        self._open: Final = contextlib.ExitStack()
        self._open.enter_context(single_blas_thread())

    @functools.cached_property
    def device(self) -> str:
        return resolve_device(self.settings.device, self._worker)

    @functools.cached_property
    def coded_data(self) -> CodedData:
        """The images of people's own tests, coded."""
        return CodedData(self.settings, self.device)

    def measure(
        self,
        cell: Cell,
        node_id: str,
        fixtures: FixtureLookup,
        progress: Progress,
        tell: Tell = UNHEARD,
        *,
        last: bool = False,
    ) -> Measured:
        """Measure and judge one cell, and leave its evidence in the run folder for the results file.

        `last` says that no further cell of its guard comes in this process. Any error becomes the verdict of this cell.
        Raises KeyboardInterrupt after Ctrl-C, and what a fixture has decided for the test (see `trouble.decided`).
        """

        def measured() -> Measured:
            self._look_ahead(cell)
            made = self.bench(cell.guard, fixtures).measure(cell, node_id, progress, tell, last=last)
            if self.settings.keep_evidence or cell.traffic is not None:
                keep_evidence(self.settings.run_folder, made)
            return made

        made = attempted(measured)
        if not isinstance(made, RunError):
            return made
        return Measured(self._without_bench(cell, node_id).given_up(made), problem=made)

    def _without_bench(self, cell: Cell, node_id: str) -> Draft:
        """Return the draft of a cell without a bench, perhaps without a device."""
        guard, device = self._guards[cell.guard], attempted(lambda: self.device)
        if isinstance(device, str):
            return Draft.of(guard, cell, node_id, self.settings, device)
        draft = Draft.of(guard, cell, node_id, self.settings, "cpu")
        draft.result = replace(draft.result, device=self.settings.device)
        return draft

    def retry(self, guard_name: str) -> None:
        """Let the factories of a guard that failed be called again, for a cell that is measured again."""
        guard = self._guards[guard_name]
        for name in (guard.model, guard.data, guard.recovery.train if guard.recovery is not None else ""):
            self._failed.pop(name, None)

    def measure_recovery(
        self, cell: RecoveryCell, node_id: str, fixtures: FixtureLookup, progress: Progress, *, last: bool = False
    ) -> MeasuredRecovery:
        """Finetune the model of a guard for one recovery cell, test the finetuned model, and judge the result.

        `last` says that no further recovery cell of its guard comes in this process.
        """
        return self.study(cell.guard, fixtures).measure(cell, node_id, progress, last=last)

    def study(self, guard_name: str, fixtures: FixtureLookup) -> Study:
        """Return the study of a guard; raises ValueError for a guard without one."""
        with self._making:
            if guard_name not in self._studies:
                guard = self._guards[guard_name]
                if guard.recovery is None:
                    raise ValueError(f"guard {guard_name} has no recovery section")
                train = guard.recovery.train
                sources = StudyInputs(
                    self._subject(guard, fixtures),
                    functools.partial(self._model, guard, fixtures),
                    functools.partial(self.data, train, fixtures),
                    self._folder,
                    self._access(train),
                )
                self._studies[guard_name] = Study(guard, guard.recovery, sources, self.settings)
            return self._studies[guard_name]

    def expect(self, cells: Sequence[Cell]) -> None:
        """Note the cells of the run, in its order: their plans are made while the model works on earlier cells."""
        if cores() > 1:
            self._scout = Scout(cells, self._plan_ahead)

    def close(self) -> None:
        """Stop planning ahead, and leave the process as it was."""
        if self._scout is not None:
            self._scout.close()
        self._open.close()

    def _look_ahead(self, cell: Cell) -> None:
        if self._scout is None:
            return
        for coming in self._scout.coming(cell):
            guard = self._guards[coming.guard]
            if guard.name not in self._benches:
                if any(name.startswith(FIXTURE) for name in (guard.model, guard.data)):
                    continue  # only a test of its own can resolve them
                # Not on the scout's thread, which people's factories may not expect; the cell reports their errors.
                with contextlib.suppress(RunError):
                    self.data(guard.data, without_fixtures)
            if guard.data in self._loaded:
                self._scout.send(coming)

    def _plan_ahead(self, cell: Cell, stopped: Stopped) -> None:
        self.bench(cell.guard, without_fixtures).plan_ahead(cell, stopped)

    def bench(self, guard_name: str, fixtures: FixtureLookup) -> Bench:
        """Return the bench of a guard."""
        with self._making:
            if guard_name not in self._benches:
                guard = self._guards[guard_name]
                self._benches[guard_name] = Bench(guard, self._subject(guard, fixtures), self.settings)
            return self._benches[guard_name]

    def subset(self, guard_name: str, fixtures: FixtureLookup, limit: int | None) -> Subset:
        """Return the images of a guard, no more than this limit; raises `DataError`."""
        with self._making:
            return self._subject(self._guards[guard_name], fixtures).subset(limit)

    def _subject(self, guard: Guard, fixtures: FixtureLookup) -> Subject:
        """Return a guard's subject, shared by guards with the same model, data, task, slices and the like."""
        named = (guard.task, guard.model, guard.data)
        key = (*named, guard.slicings, guard.groups, guard.fingerprint, guard.orientation)
        if key not in self._subjects:
            self._subjects[key] = Subject(
                guard.task,
                functools.partial(self._model, guard, fixtures),
                functools.partial(self.data, guard.data, fixtures),
                ReadingOptions(
                    self.settings.seed,
                    self.settings.early_stop,
                    functools.partial(slicers, guard, self._folder),
                    self._access(guard.data),
                    guard.orientation,
                    (self.settings.run_folder, " ".join((*named, guard.orientation or "as it shows"))),
                    guard.groups,
                    self._folder,
                ),
                device=self.device,
                certainty=certainty(guard, self._folder, self.settings),
            )
        return self._subjects[key]

    def _model(self, guard: Guard, fixtures: FixtureLookup) -> Any:
        return check_model(self._load(guard.model, fixtures, ModelError), guard.model, guard.task)

    def data(self, name: str, fixtures: FixtureLookup) -> Any:
        """Return the data set that a factory or fixture of this name gives; raises `DataError`."""
        return check_data(self._load(name, fixtures, DataError), name)

    def _access(self, data: str) -> Access:
        """Return the way to the data set of this name, shared by all its readers."""
        return self._accesses.setdefault(data, Access(data))

    def _load(self, name: str, fixtures: FixtureLookup, error: type[RunError]) -> Any:
        if name in self._failed:
            raise self._failed[name]
        if name not in self._loaded:
            try:
                if name.startswith(FIXTURE):
                    self._loaded[name] = fixtures(name.removeprefix(FIXTURE), error)
                else:
                    self._loaded[name] = call(name, self._folder, self.device, error)
            except RunError as problem:
                self._failed[name] = problem
                raise
        return self._loaded[name]
