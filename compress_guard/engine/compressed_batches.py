"""Compressed images for a user's own tests, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from compress_guard.codecs.decoding.streams import decoded_by
from compress_guard.engine.coding.available import available_codec
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.planned import PlannedCodec
from compress_guard.engine.images.placing import Placing
from compress_guard.engine.images.raw_targets import RawTargets
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.prediction.batches import Batch, ahead, coded_batch, positions_in_batches
from compress_guard.engine.progress import UNHEARD, Tell
from compress_guard.engine.settings import RunSettings, effective_limit
from compress_guard.records import Cell, Guard
from compress_guard.registry import TASKS


def compressed_batches(
    data: Any, guard: Guard, cell: Cell, settings: RunSettings, device: str, batch_size: int, tell: Tell = UNHEARD
) -> Iterator[Batch]:
    """Yield the images of `data`, coded by the guard's plan at the cell's codec and rate.

    Targets are copies of the data set's own. The codec proves itself as in the cell of a guard. An image that cannot be
    read or coded is left out if the guard's max_error_share allows it.

    Raises `DataError`, `CodecError`, `CodecUnavailable`, `Unreachable`.
    """
    codec = decoded_by(available_codec(cell.codec, device), cell.decoder, device)
    # Data that belongs to no guard of the file has no task; the form of its targets tells which one to assume.
    placing = Placing(TASKS.resolve(guard.task)() if guard.data else None, guard.orientation)
    limit = effective_limit(cell, settings)
    targets = RawTargets(TASKS.resolve(guard.task)() if guard.data else None)
    samples = Samples(SampleReader(data, targets.read, placing=placing), limit=limit, seed=settings.seed)
    surveyed = survey(samples)
    for remark in (targets.remark(), *surveyed.intake.doubts):
        if remark is not None:
            tell(f"WARNING: {guard.name}: {remark}")
    coder = Coder(codec, samples, surveyed, settings.store(), settings.workers)
    surveyed.check_failures({}, guard.max_error_share)
    planned_codec = PlannedCodec(cell.codec, coder, guard, settings.seed)
    surveyed.check_failures(coder.lost(planned_codec.plan().at(cell.point)), guard.max_error_share)
    planned = planned_codec.at(cell.point)
    planned_codec.prove()[0].check()
    watch = planned_codec.watch(planned)
    cuts = list(positions_in_batches(len(surveyed.usable), batch_size))
    makers = [partial(coded_batch, coder, planned, cut, device, watch.check) for cut in cuts]
    for cut, batch in zip(cuts, ahead(makers, lambda: samples.access.bound), strict=True):
        # Later batches may have been decoded already; their losses are reported with them.
        lost = {at: why for at, why in coder.lost(planned).items() if at < cut.stop}
        surveyed.check_failures(lost, guard.max_error_share)
        if (slower := samples.access.remark_once()) is not None:
            tell(f"{guard.name}: {slower}")
        if batch.images:
            yield batch
