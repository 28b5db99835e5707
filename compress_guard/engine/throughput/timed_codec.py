"""Codecs ready to be timed: images on the codec's device, settings that bring them to a rate, and their streams."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, final

from compress_guard.codecs import calls
from compress_guard.codecs.contract import Codec, MetadataKeeper, decode_to_sizes
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pixels import check_sizes
from compress_guard.engine.coding.available import available_codec
from compress_guard.engine.coding.coder import Coder
from compress_guard.engine.coding.likeness import COMPARED, Pair, mishap
from compress_guard.engine.coding.planned import PlannedCodec
from compress_guard.engine.images.placing import Placing
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.machine.clock import timed, torch_threads
from compress_guard.engine.progress import CountProgress
from compress_guard.errors import CodecError
from compress_guard.records import Cell, CodecSpec, Guard, OperatingPoint, PlannedRate, Rate, Work
from compress_guard.store import Store

if TYPE_CHECKING:
    import torch

TOLERANCE: Final = 0.05
"""Relative tolerance of the mean rate: a few per cent of rate do not change the speed."""
TRANSFERS: Final = 3
"""Number of timed transfers of the images, after one that does not count."""


@dataclass(frozen=True, slots=True, eq=False)
class Entrant:
    """A codec with the images or streams that it processes in one call."""

    alias: str
    codec: Codec
    images: list[torch.Tensor]
    """uint8 RGB (3, H, W), on the codec's device."""
    settings: list[float]
    streams: list[bytes]
    """Streams of these images at these settings."""
    bpp: float
    """Mean bits per pixel of the images."""
    work: Work
    threads: int
    metadata: list[Metadata] = field(default_factory=list)
    """ICC profile and EXIF of each image where the codec keeps them; else empty."""

    @property
    def megapixels(self) -> float:
        """Megapixels of all images together."""
        return sum(image.shape[-2] * image.shape[-1] for image in self.images) / 1e6

    def check(self) -> None:
        """Make one pass that is not timed; raises `CodecError` if images come back in other sizes, or wrong."""
        streams = self.streams
        if self.work != "decode":
            streams = calls.encode(self.codec, self.images, self.settings, metadata=self.metadata)
        if len(streams) != len(self.images) or not all(streams):
            whole = sum(map(bool, streams))
            raise CodecError(f"{self.alias} gave {whole} streams that are not empty for {len(self.images)} images")
        if self.work == "encode":
            return
        images = calls.decode(self.codec, streams, self._sizes)
        check_sizes(self.alias, self.images, images, calls.delivered_sizes(self.codec, self.images))
        sources = calls.reshaped(self.codec, self.images[:COMPARED])
        pairs = [Pair(*parts) for parts in zip(images, sources, self.settings, strict=False)]
        if (what := mishap(self.codec, self.bpp, pairs)) is not None:
            raise CodecError(f"{what}; the decoder is wrong, so its speed means nothing")

    def seconds(self) -> float:
        """Return the seconds of one pass; raises `CodecError`."""
        with torch_threads(self.threads):
            return timed(self._pass, self.codec.device)[0]

    def transfer_seconds(self) -> float | None:
        """Return the seconds for moving the images to the codec's device (encode), back (decode), or both.

        Return None for a codec on the CPU.
        """
        device = self.codec.device
        if device == "cpu":
            return None
        here = [image.cpu() for image in self.images]

        def move() -> None:
            if self.work != "decode":
                [image.to(device) for image in here]
            if self.work != "encode":
                [image.cpu() for image in self.images]

        return statistics.median([timed(move, device)[0] for _ in range(TRANSFERS + 1)][1:])

    def _pass(self) -> Any:
        if self.work == "encode":
            return self._encoded()
        return self._decoded(self.streams if self.work == "decode" else self._encoded())

    def _encoded(self) -> list[bytes]:
        if self.metadata and isinstance(self.codec, MetadataKeeper):
            return self.codec.encode_with(self.images, self.metadata, self.settings, self.threads)
        return self.codec.encode(self.images, self.settings, self.threads)

    def _decoded(self, streams: Sequence[bytes]) -> list[torch.Tensor]:
        return decode_to_sizes(self.codec, streams, self._sizes, self.threads)

    @property
    def _sizes(self) -> list[tuple[int, int]]:
        return [(image.shape[-2], image.shape[-1]) for image in self.images]


@dataclass(frozen=True, slots=True)
class TimingSettings:
    """Settings of the command line that all cells share."""

    images: int
    workers: int
    seed: int


PointsOf = Callable[[CodecSpec], tuple[OperatingPoint, ...]]
"""Returns all points of the file at which a codec is timed, for itself or as the reference: its plan covers them."""


@dataclass(frozen=True, slots=True, eq=False)
class AtPoint:
    """A planned codec at one of its operating points."""

    planned: PlannedCodec
    point: OperatingPoint

    def settings(self) -> PlannedRate:
        """Return the setting of each image; raises `Unreachable`, `CodecError`."""
        return self.planned.at(self.point)

    def rate(self) -> Rate:
        """Return the rate that a codec must be brought to that is compared with this one: its target or its mean."""
        return self.point if isinstance(self.point, Rate) else Rate(self.settings().nominal_bpp)


@final
class Field:
    """The images of a throughput section's cells, and its codecs on them, each made when first needed."""

    def __init__(self, guard: Guard, data: Any, points: PointsOf, store: Store, run: TimingSettings) -> None:
        """Read the images; raises `DataError`."""
        self._guard: Final = guard
        self._points: Final = points
        self._store: Final = store
        self._run: Final = run
        # Targets do not matter to a codec, so none is read.
        placing = Placing(wanted=guard.orientation or "upright")
        self._samples: Final = Samples(
            SampleReader(data, lambda raw, size: None, placing=placing), limit=run.images, seed=run.seed
        )
        self._survey: Final = survey(self._samples)
        self._codecs: Final[dict[tuple[CodecSpec, str, Rate | None], PlannedCodec]] = {}
        self._check({})

    def codec(self, spec: CodecSpec, device: str, progress: CountProgress, rate: Rate | None = None) -> PlannedCodec:
        """Return a codec on a device, planned at all its points, or at this rate, which no other cell shares.

        Raises `CodecUnavailable`, `CodecError`, `OptionError`.
        """
        key = (spec, device, rate)
        if key not in self._codecs:
            coder = Coder(available_codec(spec, device), self._samples, self._survey, self._store, self._run.workers)
            points = self._points(spec) if rate is None else (rate,)
            cells = tuple(_cell(self._guard.name, spec, point) for point in points)
            wanted = replace(self._guard, cells=cells, rate="dataset", rate_tolerance=TOLERANCE)
            codec = PlannedCodec(spec, coder, wanted, self._run.seed)
            codec.plan(progress)
            self._codecs[key] = codec
        self._check(self._codecs[key].coder.failures)
        return self._codecs[key]

    def entrant(self, timed: AtPoint, work: Work, other: AtPoint | None = None) -> Entrant:
        """Return a codec ready to be timed at a point, with the images that it and the other codec can code.

        Raises `Unreachable`, `CodecError`.
        """
        planned, rate = timed.planned, timed.settings()
        every = [rate] if other is None else [rate, other.settings()]
        used = [
            at
            for at in range(len(self._survey.infos))
            if all(planned_rate.settings[at] is not None for planned_rate in every)
        ]
        requests = [(at, setting) for at in used if (setting := rate.settings[at]) is not None]
        streams = [stream for stream in planned.coder.streams(requests) if stream is not None]
        if not streams or len(streams) < len(used):
            failed = next(iter(planned.coder.failures.values()), "no image is left that both codecs can code")
            raise CodecError(f"{planned.spec.alias} could not code the images again: {failed}")
        codec = planned.coder.codec
        return Entrant(
            planned.spec.alias,
            codec,
            calls.own_copies(codec, [self._samples[self._survey.usable[at]].image.to(codec.device) for at in used]),
            [setting for _, setting in requests],
            streams,
            statistics.fmean(bits for at in used if (bits := rate.bpp[at]) is not None),
            work,
            self._run.workers,
            planned.coder.metadata(requests),
        )

    def _check(self, lost: Mapping[int, str]) -> None:
        """Raise `DataError` or `CodecError` for an image that failed, if the guard allows none to fail.

        If some may fail, the others are timed: one of eight images says nothing about a share like 0.01.
        """
        self._survey.check_failures(lost, 0.0 if self._guard.max_error_share == 0 else 1.0)


def _cell(guard: str, spec: CodecSpec, point: OperatingPoint) -> Cell:
    return Cell(guard, spec, point, None, None, None, 0)
