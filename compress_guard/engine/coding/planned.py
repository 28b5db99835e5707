"""A codec on the images of a guard: its coder, its plan and its proof, made once for all its operating points."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, final

from compress_guard.codecs.contract import Codec
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.proving import Proven, prove
from compress_guard.engine.coding.watch import CodecWatch
from compress_guard.engine.images.survey.record import Survey
from compress_guard.engine.progress import CountProgress
from compress_guard.errors import Unreachable
from compress_guard.records import CodecSpec, Guard, OperatingPoint, PlannedRate, RatePlan, format_rate

_WAIT_SECONDS: Final = 0.2
"""Time between two reports of progress while another thread makes the plan."""


@final
class PlannedCodec:
    """One codec on one set of images at all operating points of a guard. Two threads may use it."""

    def __init__(
        self, spec: CodecSpec, coder: Coder, guard: Guard, seed: int, source: PlannedCodec | None = None
    ) -> None:
        """Take the points of the guard's cells with this codec, its rate mode and its tolerance from `guard`.

        With `source` the plan and the proof are those of that codec, which writes the streams.
        """
        self.spec: Final = spec
        self.coder: Final = coder
        self._guard: Final = guard
        self._seed: Final = seed
        self.source: Final = source
        """The codec that writes the streams; None if it is this one."""
        self._plan: RatePlan | None = None
        self._proven: Proven | None = None
        self._making: Final = threading.Lock()

    @property
    def survey(self) -> Survey:
        """The images that are coded."""
        return self.coder.survey

    def plan(self, progress: CountProgress | None = None) -> RatePlan:
        """Return the setting of every image at every point; raises `CodecError`.

        The first call searches for them. A call from another thread waits until they are found.
        """
        if self.source is not None:
            made = self.source.plan(progress)
            self.coder.made_share = self.source.coder.made_share
            return made
        while not self._making.acquire(timeout=_WAIT_SECONDS):
            if progress is not None:
                progress(self.coder.encoded_images, 0)
        try:
            return self._made(progress)
        finally:
            self._making.release()

    def plan_ahead(self, stopped: Callable[[], bool]) -> None:
        """Make the plan before a cell asks for it; give up as soon as `stopped` returns True. Raises `CodecError`."""
        with self._making:
            self.coder.stopped = stopped
            try:
                self._made(None)
            finally:
                self.coder.stopped = lambda: False

    def read_by(self, codec: Codec) -> PlannedCodec:
        """Return the same plan and the same streams, read by this codec: see `DecodedBy`."""
        return PlannedCodec(self.spec, self.coder.read_by(codec), self._guard, self._seed, self)

    def at(self, point: OperatingPoint) -> PlannedRate:
        """Return the plan at an operating point; raises `CodecError`, or `Unreachable` for a rate below its floor."""
        planned = self.plan().at(point)
        if not planned.reachable:
            raise Unreachable(unreachable(self.spec.alias, planned, self._guard.rate))
        return planned

    def prove(self) -> tuple[Proven, int]:
        """Compare the codec's forward pass with real streams of a few images, once.

        Return the proof, and the number of images that this call coded for it: 0 if an earlier call did so.
        """
        if self.source is not None:
            return self.source.prove()
        if self._proven is not None:
            return self._proven, 0
        self._proven = prove(self.coder, self.plan(), self._seed)
        return self._proven, self.coder.proved_images

    def watch(self, planned: PlannedRate, first: int | None = None) -> CodecWatch:
        """Return the checks of the decoded images at one point, with a sample of the `first` images only, if given."""
        return CodecWatch(self.coder, self.plan(), planned, self._seed, first)

    def _made(self, progress: CountProgress | None) -> RatePlan:
        if self._plan is None:
            self.coder.progress = progress
            try:
                self._plan = self.coder.plan(self._guard, self.spec.alias, self._seed)
            finally:
                self.coder.progress = None
        return self._plan


def unreachable(alias: str, planned: PlannedRate, mode: str) -> str:
    """Return the sentence about a rate below the floor of a codec, in a rate mode (``dataset`` or ``image``)."""
    floor = "its floor" if planned.floor is None else f"{planned.floor:.3f} bpp"
    what = (
        "the mean goes down to" if mode == "dataset" else f"{planned.off_target} images are stuck, the highest floor is"
    )
    return (
        f"{alias} cannot reach {format_rate(planned.nominal_bpp)} bpp on these images: {what} {floor}; "
        "ask for a rate above that, larger images or another codec"
    )
