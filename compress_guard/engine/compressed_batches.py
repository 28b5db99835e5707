"""Compressed images for a user's own tests, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, final

from compress_guard.codecs.contract import Codec
from compress_guard.codecs.decoding.streams import decoded_by
from compress_guard.engine.coding.available import available_codec
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.planned import PlannedCodec
from compress_guard.engine.images.placing import Placing
from compress_guard.engine.images.raw_targets import RawTargets
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.readings import copied
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.second_reading import read_again
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.prediction.batches import Batch, ahead, coded_batch, positions_in_batches
from compress_guard.engine.progress import UNHEARD, Tell
from compress_guard.engine.settings import RunSettings, effective_limit
from compress_guard.errors import DataError
from compress_guard.records import Cell, Guard
from compress_guard.registry import TASKS


def compressed_batches(
    data: Any, guard: Guard, cell: Cell, settings: RunSettings, device: str, batch_size: int, tell: Tell = UNHEARD
) -> Iterator[Batch]:
    """Yield the batches of one cell: see `CodedData.batches`."""
    return CodedData(settings, device).batches(data, guard, cell, batch_size, tell)


@dataclass(frozen=True, slots=True, eq=False)
class _Surveyed:
    """A data set that was read for a test, and the remarks on it."""

    data: Any
    way: tuple[object, ...]
    """Circumstances of the reading other than the data."""
    samples: Samples
    survey: Survey
    doubts: tuple[str, ...]

    def serves(self, data: Any, way: tuple[object, ...]) -> bool:
        """Return True for the same data read in the same way, if a few images that are read again are unchanged."""
        if self.data is not data or self.way != way or self.survey.failures:
            return False
        try:
            self.samples.access.length(data)
            read_again(self.samples, self.survey.usable)
        except DataError:
            return False
        return True


@final
class CodedData:
    """Images of a user's own tests, read and planned once for neighbouring tests of one data set.

    Only the last data set and its last codec are kept, so that memory does not grow with the number of tests.
    """

    def __init__(self, settings: RunSettings, device: str) -> None:
        self._settings: Final = settings
        self._device: Final = device
        self._surveyed: _Surveyed | None = None
        self._planned: tuple[Guard, Cell, PlannedCodec] | None = None
        """The last codec, with the guard and a cell that it was planned for."""

    def batches(self, data: Any, guard: Guard, cell: Cell, batch_size: int, tell: Tell = UNHEARD) -> Iterator[Batch]:
        """Yield the images of `data`, coded by the guard's plan at the cell's codec and rate.

        Targets are copies of the data set's own. The codec proves itself as in the cell of a guard. An image that
        cannot be read or coded is left out if the guard's max_error_share allows it.

        Raises `DataError`, `CodecError`, `CodecUnavailable`, `Unreachable`.
        """
        codec = decoded_by(available_codec(cell.codec, self._device), cell.decoder, self._device)
        known = self._read(data, guard, cell)
        samples, surveyed = known.samples, known.survey
        for remark in known.doubts:
            tell(f"WARNING: {guard.name}: {remark}")
        planned_codec = self._codec(guard, cell, codec, known)
        coder = planned_codec.coder
        surveyed.check_failures({}, guard.max_error_share)
        surveyed.check_failures(coder.lost(planned_codec.plan().at(cell.point)), guard.max_error_share)
        planned = planned_codec.at(cell.point)
        planned_codec.prove()[0].check()
        watch = planned_codec.watch(planned)
        cuts = list(positions_in_batches(len(surveyed.usable), batch_size))
        makers = [partial(coded_batch, coder, planned, cut, self._device, watch.check) for cut in cuts]
        for cut, batch in zip(cuts, ahead(makers, lambda: samples.access.bound), strict=True):
            # Later batches may have been decoded already; their losses are reported with them.
            lost = {at: why for at, why in coder.lost(planned).items() if at < cut.stop}
            surveyed.check_failures(lost, guard.max_error_share)
            if (slower := samples.access.remark_once()) is not None:
                tell(f"{guard.name}: {slower}")
            if batch.images:
                # The next test must not get what this one does to its targets.
                yield replace(batch, targets=[copied(target) for target in batch.targets])

    def _read(self, data: Any, guard: Guard, cell: Cell) -> _Surveyed:
        """Return the data set as an earlier test read it, or read it; raises `DataError`."""
        limit = effective_limit(cell, self._settings)
        # Data that belongs to no guard of the file has no task; the form of its targets tells which one to assume.
        task = guard.task if guard.data else None
        way = task, guard.orientation, limit
        if self._surveyed is None or not self._surveyed.serves(data, way):
            self._surveyed = self._planned = None  # before another data set takes memory
            targets = RawTargets(None if task is None else TASKS.resolve(task)())
            placing = Placing(None if task is None else TASKS.resolve(task)(), guard.orientation)
            reader = SampleReader(data, targets.read, placing=placing)
            samples = Samples(reader, limit=limit, seed=self._settings.seed)
            surveyed = survey(samples)
            doubts = tuple(doubt for doubt in (targets.remark(), *surveyed.intake.doubts) if doubt is not None)
            self._surveyed = _Surveyed(data, way, samples, surveyed, doubts)
        return self._surveyed

    def _codec(self, guard: Guard, cell: Cell, codec: Codec, known: _Surveyed) -> PlannedCodec:
        """Return the codec of an earlier test if all images went through it, or a new one."""
        if self._planned is not None:
            its_guard, its_cell, planned = self._planned
            same = its_guard == guard and (its_cell.codec, its_cell.decoder) == (cell.codec, cell.decoder)
            if same and planned.coder.survey is known.survey and not planned.coder.any_lost:
                return planned
        coder = Coder(codec, known.samples, known.survey, self._settings.store(), self._settings.workers)
        planned = PlannedCodec(cell.codec, coder, guard, self._settings.seed)
        self._planned = guard, cell, planned
        return planned
