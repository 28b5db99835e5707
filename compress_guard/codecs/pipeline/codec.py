"""A pipeline as a `Codec`: lists of images in, streams of its last codec out, and the pictures that it delivers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from compress_guard.codecs import calls
from compress_guard.codecs.contract import Codec, Proof
from compress_guard.codecs.execution.pool import map_ordered
from compress_guard.codecs.pictures.geometry import Geometry
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pipeline.coding import PipelineInputs, naming, prepared
from compress_guard.codecs.pipeline.container import Parcel
from compress_guard.codecs.pipeline.prefix import Memory, PixelCount, Prepared
from compress_guard.codecs.pipeline.route import Route, reshaped, route_of
from compress_guard.codecs.pipeline.scaling import Resize
from compress_guard.errors import CodecError
from compress_guard.records import PIPELINE, Bits, PipelineStep, format_setting
from compress_guard.registry import read_steps, setting_fault

if TYPE_CHECKING:
    import torch

_NO_FILES: Final = (
    "the pipeline begins with the file of its source, and these images come without one; give image files, "
    "or leave out the step source"
)


def _uncounted(positions: Sequence[int]) -> None:
    """Take note of no encoder calls."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Steps, one after the other; the setting is the quality of the last codec, and the only one where it is given."""

    type: ClassVar[str] = PIPELINE

    steps: tuple[PipelineStep, ...]
    """Steps in any form that `read_steps` takes."""
    _route: Route = field(init=False, repr=False, compare=False)
    _memory: Memory | None = field(init=False, repr=False, compare=False)
    _encoded: PixelCount = field(init=False, repr=False, compare=False)
    """Pixels of the images that encoders were called with."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", read_steps(self.steps))
        self._take(route_of(self.steps))

    def _take(self, route: Route) -> None:
        object.__setattr__(self, "_route", route)
        # Without a choice of settings no image comes twice.
        object.__setattr__(self, "_memory", Memory() if route.last.quality is None else None)
        object.__setattr__(self, "_encoded", PixelCount())

    @property
    def parts(self) -> tuple[Codec, ...]:
        """Codecs of the steps, in their order."""
        return tuple(step.codec for step in self._route.codings)

    @property
    def fixed(self) -> bool:
        """True if no step leaves its quality open."""
        return self._route.last.quality is not None

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings of the last codec; its quality alone where that is given."""
        last = self._route.last
        return tuple(last.codec.ladder) if last.quality is None else (last.quality,)

    @property
    def version(self) -> str:
        """Versions of all libraries on the way, each behind the step that it is for."""
        parts = []
        for step in self._route.codings:
            # A GPU may write another stream than the CPU, and the next step codes what that decodes to.
            kind = step.codec.device.partition(":")[0]
            parts.append(f"{step.name}: {step.codec.version}" + ("" if kind == "cpu" else f" on {kind}"))
        if any(isinstance(step, Resize) for step in self._route.reshapes):
            import PIL

            parts.append(f"resize: Pillow {PIL.__version__}")
        return "; ".join(parts)

    @property
    def bits(self) -> Bits:
        """See `Codec.bits`; those of the last codec."""
        return self._route.last.codec.bits

    @property
    def device(self) -> str:
        """See `Codec.device`; that of the last codec."""
        return self._route.last.codec.device

    @property
    def remark(self) -> str | None:
        """The remarks of all steps."""
        remarks = ((step.title, step.codec.remark) for step in self._route.codings)
        return "; ".join(f"{title}: {remark}" for title, remark in remarks if remark is not None) or None

    @property
    def device_tolerance(self) -> int | None:
        """See `Codec.device_tolerance`; a filter with negative weights may spread a difference."""
        tolerance = self._route.last.codec.device_tolerance
        if tolerance and any(step.tolerance is None for step in self._route.after):
            return None
        return tolerance

    @property
    def generative(self) -> bool:
        """See `Codec.generative`; True if one of the steps is."""
        return any(part.generative for part in self.parts)

    @property
    def encoded_pixels(self) -> int:
        """See `CountedEncoders.encoded_pixels`."""
        return self._encoded.total

    @property
    def from_files(self) -> bool:
        """True if the pipeline begins with the files of its sources."""
        return self._route.from_files

    @property
    def step_names(self) -> tuple[str, ...]:
        """Names of the steps that `step_bytes` counts, in their order."""
        return self._route.labels

    def seen_from(self, folder: Path) -> Pipeline:
        """See `Codec.seen_from`."""
        return self._moved(lambda codec: codec.seen_from(folder))

    def on(self, device: str) -> Pipeline:
        """See `Codec.on`; each step works where it can."""
        return self._moved(lambda codec: codec.on(device))

    def read_by(self, reader: Codec) -> Pipeline:
        """See `Stepped.read_by`; the steps behind the last codec follow as ever."""
        return self._by(self._route.read_by(reader))

    def _moved(self, how: Callable[[Codec], Codec]) -> Pipeline:
        route = self._route.moved(how)
        if all(new.codec is old.codec for new, old in zip(route.codings, self._route.codings, strict=True)):
            return self
        return self._by(route)

    def _by(self, route: Route) -> Pipeline:
        twin = replace(self)
        twin._take(route)
        return twin

    def unavailable(self) -> str | None:
        """Return the reason of the first step that cannot run here."""
        reasons = (part.unavailable() for part in self.parts)
        return next((reason for reason in reasons if reason is not None), None)

    def setting_fault(self, setting: float) -> str | None:
        """Return None for a setting that the last codec takes, the given one alone if there is one."""
        last = self._route.last
        if last.quality is None:
            return setting_fault(last.codec, setting)
        return None if setting == last.quality else f"only {format_setting(last.quality)}"

    # Geometry

    def geometry(self, size: tuple[int, int]) -> Geometry:
        """Return the geometry of a source of this size (H, W)."""
        return self._route.geometry(size)

    def reshaped(self, images: Sequence[torch.Tensor], workers: int = 1) -> list[torch.Tensor]:
        """Return the images scaled and cropped as the pipeline does, on its device, without any coding."""
        device, steps = self.device, self._route.reshapes
        return map_ordered(lambda image: reshaped(image, steps).to(device), images, workers)

    @property
    def reshaping(self) -> str:
        """Text of the steps that scale and crop; empty where none does."""
        return ", ".join(map(repr, self._route.reshapes))

    # Coding

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """See `Codec.encode`; each step encodes and decodes."""
        if self.from_files:
            raise CodecError(_NO_FILES)
        return self._encode(PipelineInputs(images, [()] * len(images)), settings, workers)

    def encode_files(
        self, images: Sequence[torch.Tensor], files: Sequence[bytes], settings: Sequence[float], workers: int = 1
    ) -> list[bytes]:
        """See `FromFiles.encode_files`; without the step source the files make no difference."""
        lengths = [(len(file),) if self.from_files else () for file in files]
        return self._encode(PipelineInputs(images, lengths), settings, workers)

    @property
    def keeps(self) -> frozenset[str]:
        """Parts of a source's metadata that every step keeps. If none is left for the last stream, the bytes of
        earlier steps are counted without metadata too."""
        return self._route.keeps

    def encode_with(
        self, images: Sequence[torch.Tensor], metadata: Sequence[Metadata], settings: Sequence[float], workers: int = 1
    ) -> list[bytes]:
        """See `MetadataKeeper.encode_with`; the metadata go from step to step."""
        return self._encode(PipelineInputs(images, [()] * len(images), metadata), settings, workers)

    def _encode(self, inputs: PipelineInputs, settings: Sequence[float], workers: int) -> list[bytes]:
        """Encode; if that fails, encode image by image, so that the error names the one that cannot be coded."""
        try:
            return self._streams(inputs, settings, workers)
        except CodecError:
            count = len(inputs.images)
            for at, (image, lengths, setting) in enumerate(zip(inputs.images, inputs.lengths, settings, strict=True)):
                with _blaming(f"encode image {at + 1} of {count} ({image.shape[-1]}x{image.shape[-2]} pixels)"):
                    self._streams(PipelineInputs([image], [lengths], inputs.metadata[at : at + 1]), [setting], 1)
            raise

    def _streams(self, inputs: PipelineInputs, settings: Sequence[float], workers: int) -> list[bytes]:
        last = self._route.last
        for setting in settings:
            if last.quality not in (None, setting):
                raise CodecError(f"{setting!r} is not a setting of it, which takes only {last.quality!r}")
        pixels = [image.shape[-2] * image.shape[-1] for image in inputs.images]

        def count(positions: Sequence[int]) -> None:
            self._encoded.add(sum(pixels[at] for at in positions))

        ready = prepared(self._route, inputs, self._memory, workers, count)
        count(range(len(ready)))
        with naming(last):
            pictures, metadata = [each.image for each in ready], inputs.carried(self.keeps)
            streams = calls.encode(last.codec, pictures, settings, workers, metadata)
        return [self._packed(*each) for each in zip(inputs.images, ready, streams, strict=True)]

    def _packed(self, image: torch.Tensor, ready: Prepared, stream: bytes) -> bytes:
        lengths = (*ready.lengths, self._route.last.codec.cost(stream))
        return Parcel((image.shape[-2], image.shape[-1]), lengths, stream).packed()

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """Return the delivered pictures; raises `CodecError` for a broken stream."""
        return self._decode(streams, [None] * len(streams), workers)

    def decode_sized(
        self, streams: Sequence[bytes], sizes: Sequence[tuple[int, int]], workers: int = 1
    ) -> list[torch.Tensor]:
        """See `SizedDecoder.decode_sized`; sizes are those of the sources."""
        return self._decode(streams, sizes, workers)

    def _decode(
        self, streams: Sequence[bytes], sizes: Sequence[tuple[int, int] | None], workers: int
    ) -> list[torch.Tensor]:
        try:
            return self._decoded(list(map(_parcel, streams, sizes)), workers)
        except CodecError:
            for at, stream in enumerate(streams):
                with _blaming(f"decode stream {at + 1} of {len(streams)} ({len(stream)} bytes)"):
                    self._decoded([_parcel(stream, sizes[at])], 1)
            raise

    def _decoded(self, parcels: Sequence[Parcel], workers: int) -> list[torch.Tensor]:
        sizes = [self._route.before_last(parcel.size) for parcel in parcels]
        last, device = self._route.last, self.device
        with naming(last):
            images = calls.decode(last.codec, [parcel.stream for parcel in parcels], sizes, workers)
            for image, (height, width) in zip(images, sizes, strict=True):
                if tuple(image.shape[-2:]) != (height, width):
                    found = f"{image.shape[-1]}x{image.shape[-2]} pixels"
                    raise CodecError(f"its file decodes to {found}, expected {width}x{height}")
        return map_ordered(lambda image: reshaped(image, self._route.after).to(device), images, workers)

    def cost(self, stream: bytes) -> int:
        """Return the bytes of the last codec's stream, or its estimate."""
        return Parcel.unpacked(stream).lengths[-1]

    def step_bytes(self, stream: bytes) -> tuple[int, ...]:
        """Return the bytes that each coded step came to, in the order of `step_names`."""
        return Parcel.unpacked(stream).lengths

    def delivered_file(self, stream: bytes) -> bytes:
        """Return the stream of the last codec, as its library wrote it."""
        return Parcel.unpacked(stream).stream

    def proofs(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[Proof]:
        """Return the proofs of the last codec, for the pictures that it gets."""
        last = self._route.last
        inputs = PipelineInputs(images, [()] * len(images))
        ready = prepared(self._route, inputs, self._memory, workers, _uncounted)
        return calls.proofs(last.codec, [each.image for each in ready], settings, workers)


def _parcel(stream: bytes, size: tuple[int, int] | None) -> Parcel:
    """Take a stream apart; raises `CodecError`, also for a source of another size (H, W), if that is given."""
    parcel = Parcel.unpacked(stream)
    if size is not None and parcel.size != tuple(size):
        (height, width), (tall, wide) = parcel.size, size
        raise CodecError(f"its source has {width}x{height} pixels, expected {wide}x{tall}")
    return parcel


@contextmanager
def _blaming(what: str) -> Iterator[None]:
    try:
        yield
    except CodecError as problem:
        raise CodecError(f"{PIPELINE} could not {what}: {problem}") from problem
