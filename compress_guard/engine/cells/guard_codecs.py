"""The codecs of a guard on its images: each is planned once, and read by each decoder that the guard's cells name."""

from __future__ import annotations

import threading
from typing import Final, final

from compress_guard.codecs.contract import Codec
from compress_guard.codecs.decoding.streams import decoded_by, writer
from compress_guard.engine.coding.available import available_codec
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.planned import PlannedCodec
from compress_guard.engine.images.subsets import Subset
from compress_guard.engine.settings import RunSettings, effective_limit
from compress_guard.records import Cell, CodecSpec, Guard, OperatingPoint, PlannedRate
from compress_guard.store import Store


@final
class GuardCodecs:
    """Codecs with their plans, by codec and limit, and by decoder. Two threads may use it."""

    def __init__(self, guard: Guard, settings: RunSettings, store: Store, device: str) -> None:
        self._guard: Final = guard
        self._settings: Final = settings
        self._store: Final = store
        self._device: Final = device
        self._making: Final = threading.Lock()
        self._writers: Final[dict[tuple[CodecSpec, int | None], PlannedCodec]] = {}
        self._readers: Final[dict[tuple[CodecSpec, int | None, str | None], PlannedCodec]] = {}
        self._counted: Final[dict[tuple[PlannedCodec, OperatingPoint], str]] = {}
        """Name of the first cell that counted the encoder calls of a point."""

    def available(self, cell: Cell) -> Codec:
        """Return the codec of a cell with its decoder; raises what `available_codec` and `decoded_by` raise."""
        return decoded_by(available_codec(cell.codec, self._device), cell.decoder, self._device)

    def planned(self, cell: Cell, codec: Codec, subset: Subset) -> PlannedCodec:
        """Return the codec of a cell, as `available` returned it, on these images."""
        with self._making:
            key = cell.codec, effective_limit(cell, self._settings)
            # The images may have been read anew, on the data set's own thread.
            if key not in self._writers or self._writers[key].survey is not subset.survey:
                coder = Coder(writer(codec), subset.samples, subset.survey, self._store, self._settings.workers)
                self._writers[key] = PlannedCodec(cell.codec, coder, self._guard, self._settings.seed)
            source = self._writers[key]
            if writer(codec) is codec:
                return source
            known = self._readers.get((*key, cell.decoder))
            if known is None or known.source is not source:
                known = self._readers[*key, cell.decoder] = source.read_by(codec)
            return known

    def remark(self, cell: Cell) -> str | None:
        """Return the remark of a cell's codec; None without one, and before the codec is planned."""
        key = cell.codec, effective_limit(cell, self._settings)
        known = self._readers.get((*key, cell.decoder)) or self._writers.get(key)
        return None if known is None else known.coder.codec.remark

    def counted(self, cell: Cell, codec: PlannedCodec, planned: PlannedRate) -> PlannedRate:
        """Return the plan of a cell's point, without encoder calls if another cell has counted them."""
        first = self._counted.setdefault((codec.source or codec, cell.point), cell.name)
        return planned if first == cell.name else planned.shared()
