"""Trials of the cells of a guard, and what these cells share: evidence by the first decoder, a look at the decoder."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, final

from compress_guard.engine.cells.cell_pass import Trial
from compress_guard.engine.cells.guard_codecs import GuardCodecs
from compress_guard.engine.coding.planned import PlannedCodec
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.prediction.clean.side import CleanSide
from compress_guard.engine.prediction.earlier_evidence import Verdict
from compress_guard.engine.prediction.shards import Predicted
from compress_guard.engine.prediction.subject import Subject
from compress_guard.engine.settings import RunSettings, effective_limit
from compress_guard.engine.trouble import attempted
from compress_guard.records import Cell, CodecSpec, Guard, OperatingPoint


@dataclass(slots=True, eq=False)
class _Looked:
    """State of the second look at the first batch of each cell of a codec."""

    done: bool = False
    moved: bool = False
    """True if the decoder gave other pixels than in the run that left evidence."""


@final
class Trials:
    """Maker of the trials of a guard's cells."""

    def __init__(self, guard: Guard, subject: Subject, codecs: GuardCodecs, settings: RunSettings) -> None:
        self._guard: Final = guard
        self._subject: Final = subject
        self._codecs: Final = codecs
        self._settings: Final = settings
        self._looked: Final = defaultdict[PlannedCodec, _Looked](_Looked)
        self._firsts: Final[dict[tuple[PlannedCodec, OperatingPoint, int], list[Predicted]]] = {}
        """Evidence of batches by the first decoder, for the cells that compare another one with it."""

    @property
    def early(self) -> bool:
        """True if cells may stop early: only images in random order can stand for the ones that were not seen."""
        return self._settings.early_stop and self._subject.reading.shuffled

    def of(self, cell: Cell, codec: PlannedCodec, subset: Subset, clean: CleanSide) -> Trial:
        """Return the images of a cell, ready to be predicted."""
        planned = codec.plan().at(cell.point)
        # A run that stops early is only sure to predict the first batch.
        certain = len(next(iter(self._subject.batches(subset)))) if self.early else None
        return Trial(
            self._subject,
            subset,
            effective_limit(cell, self._settings),
            clean,
            codec.coder,
            planned,
            codec.watch(planned, certain),
            (self._guard.name, cell.name),
            self._guard.max_error_share,
            cell.decoder or "",
            swaps=self._guard.decoder_swap and cell.against is None,
            first=None if cell.against is None else self._first(cell.against, subset, clean),
        )

    def share(self, cell: Cell, codec: PlannedCodec, trial: Trial) -> None:
        """Keep the evidence of a trial by the first decoder, if cells compare another decoder with it."""
        if cell.against is None and self._compares:
            self._firsts[codec, cell.point, self._subject.generation] = trial.kept

    def decoder_moved(self, cell: Cell, codec: PlannedCodec, subset: Subset, clean: CleanSide) -> bool:
        """Return whether the decoder gives other pixels than in the run that left evidence.

        The first batch of every cell of this codec, selected or not, is looked at again before evidence of earlier runs
        is used for any of them. So a change at one rate is known to all cells, in whatever order they come.
        """
        looked = self._looked[codec]
        if not looked.done:
            looked.done = True
            for other in self._guard.cells:
                if self._way(other) == self._way(cell) and codec.plan().at(other.point).reachable:
                    # An error there is reported when that cell is predicted.
                    trial = self.of(other, codec, subset, clean)
                    looked.moved |= attempted(trial.verify) is Verdict.DECODER
            looked.moved |= attempted(partial(clean.verify, effective_limit(cell, self._settings))) is Verdict.DECODER
        return looked.moved

    def _first(self, cell: Cell, subset: Subset, clean: CleanSide) -> Trial:
        """Return the images of a cell by its first decoder, with what was predicted of them so far."""
        codec = self._codecs.planned(cell, self._codecs.available(cell), subset)
        kept = self._firsts.setdefault((codec, cell.point, self._subject.generation), [])
        return replace(self.of(cell, codec, subset, clean), kept=kept, swaps=False)

    @property
    def _compares(self) -> bool:
        """True if cells of the guard compare decoders."""
        return any(cell.first_decoder is not None for cell in self._guard.cells)

    def _way(self, cell: Cell) -> tuple[CodecSpec, int | None, str | None, str | None]:
        return cell.codec, effective_limit(cell, self._settings), cell.decoder, cell.first_decoder
