"""The bundled codec as a `Codec`: lists of images in, streams out."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple, Self, TypeVar

from compress_guard.codecs.contract import Proof
from compress_guard.codecs.execution.batching import Device, Placed, in_batches
from compress_guard.codecs.execution.insulation import insulated
from compress_guard.codecs.execution.pool import map_parts
from compress_guard.codecs.neural.model import RUNGS, WEIGHTS, Coded, Model, model
from compress_guard.codecs.neural.stream import FORMAT, LONGEST_SIDE, Header, estimate
from compress_guard.codecs.options import require_choice
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.records import Bits

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

_LADDER: Final = tuple(float(setting) for setting in range(1, RUNGS + 1))
_KNOWN: Final = frozenset(_LADDER)
_LIBRARIES: Final = ("constriction", "safetensors")
INSTALL: Final = "pip install 'compress-guard[neural]'"
SUMS: Final = WEIGHTS.with_name("SHA256SUMS")
_BATCH_PIXELS: Final = {"cpu": 2**20, "cuda": 2**24}
"""Most pixels in one pass of the network: enough to keep a device busy, few enough for its memory."""


@dataclass(frozen=True, slots=True)
class Neural(Placed):
    """A learned codec, one network for all rates; the setting is a sixteenth of an octave of quantisation step."""

    type: ClassVar[str] = "neural"

    bits: Bits = "coded"
    """``coded``: real streams. ``estimated``: bits by the probabilities of the symbols, which are not coded."""
    _place: Device = field(default_factory=Device, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        require_choice("bits", self.bits, ("coded", "estimated"))

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings 1 to 145, 3 to 5 % of rate apart."""
        return _LADDER

    @property
    def version(self) -> str:
        """See `Codec.version`."""
        # The library's version is no part of it: its models are integers here, which fix every stream.
        self._require_available()
        return f"neural {FORMAT}, weights {_sha256(WEIGHTS)[:8]}"

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        for library in _LIBRARIES:
            if importlib.util.find_spec(library) is None:
                return f"{library} is not installed; {INSTALL}"
        remedy = "pip install --force-reinstall --no-deps compress-guard"
        if not WEIGHTS.is_file():
            return f"its weights are missing ({WEIGHTS}); {remedy}"
        if (found := _sha256(WEIGHTS)) != (expected := _expected()):
            return f"its weights are damaged ({WEIGHTS}: sha256 {found[:8]}..., expected {expected[:8]}...); {remedy}"
        return None

    @property
    def device_tolerance(self) -> int | None:
        """See `Codec.device_tolerance`: nothing may differ."""
        return 0

    def on(self, device: str) -> Self:
        """See `Codec.on`; float64 is needed, which other accelerators than CUDA lack."""
        # No super(): dataclass(slots=True) makes a new class, and Python 3.11 looks for the old one.
        return Placed.on(self, device) if device.partition(":")[0] in _BATCH_PIXELS else self

    def cost(self, stream: bytes) -> int:
        """See `Codec.cost`."""
        return estimate(stream) if self.bits == "estimated" else len(stream)

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """See `Codec.encode`."""
        self._require_available()
        from compress_guard.codecs.neural import symbols

        jobs = self._jobs(images, settings)

        def run(batch: list[ImageAtRung]) -> list[bytes]:
            network = model(self.device)
            payloads = symbols.payloads(network, batch[0].size, _coded(network, batch), self.bits)
            return [job.header.sealed(payload, self.bits) for job, payload in zip(batch, payloads, strict=True)]

        return self._shared_out(lambda part: self._batched(part, [job.size for job in part], run), jobs, workers)

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        self._require_available()
        from compress_guard.codecs.neural import symbols

        opened = []
        for index, stream in enumerate(streams):
            try:
                header, payload = Header.opened(stream, RUNGS, self.bits)
                symbols.require_plausible(model(self.device), header, payload, self.bits)
            except CodecError as problem:
                what = f"neural could not decode stream {index + 1} of {len(streams)} ({len(stream)} bytes)"
                raise CodecError(f"{what}: {problem}") from None
            opened.append((header, payload))

        def run(batch: list[tuple[Header, bytes]]) -> list[torch.Tensor]:
            try:
                headers, payloads = zip(*batch, strict=True)
                return symbols.images_of(model(self.device), headers, payloads, self.bits)
            except CodecError as problem:
                size = f"{batch[0][0].width}x{batch[0][0].height}"
                raise CodecError(f"neural could not decode a stream of {size} pixels: {problem}") from problem

        def decoded(part: Sequence[tuple[Header, bytes]]) -> list[torch.Tensor]:
            return self._batched(part, [(header.height, header.width) for header, _ in part], run)

        return self._shared_out(decoded, opened, workers)

    def proofs(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[Proof]:
        """See `Codec.proofs`."""
        self._require_available()
        from compress_guard.codecs.neural import symbols

        jobs = self._jobs(images, settings)

        def run(batch: list[ImageAtRung]) -> list[Proof]:
            network = model(self.device)
            coded, size = _coded(network, batch), batch[0].size
            forward = network.pixels(coded.values, coded.context, [job.rung for job in batch], size)
            estimated = symbols.estimated_sizes(network, size, coded)
            payloads = symbols.payloads(network, size, coded, "coded")
            streams = [job.header.sealed(payload, "coded") for job, payload in zip(batch, payloads, strict=True)]
            decoded = replace(self, bits="coded").on(self.device).decode(streams)
            return [
                Proof(guess, len(stream), int((image.int() - expected.int()).abs().max()))
                for guess, stream, image, expected in zip(estimated, streams, decoded, forward, strict=True)
            ]

        return self._shared_out(lambda part: self._batched(part, [job.size for job in part], run), jobs, workers)

    def passed(self, images: Sequence[torch.Tensor], settings: Sequence[float]) -> list[torch.Tensor]:
        """Return the images of `encode` and `decode`, bit for bit, without streams: on the codec's device."""
        self._require_available()

        def run(batch: list[ImageAtRung]) -> list[torch.Tensor]:
            network = model(self.device)
            coded = _coded(network, batch)
            return list(network.pixels(coded.values, coded.context, [job.rung for job in batch], batch[0].size))

        jobs = self._jobs(images, settings)
        return self._batched(jobs, [job.size for job in jobs], run)

    def _shared_out(
        self, code: Callable[[Sequence[Item]], Sequence[Result]], items: Sequence[Item], workers: int
    ) -> list[Result]:
        """Run `code` on parts of the items, one for each CPU thread; on a GPU on all of them.

        Its arithmetic is exact, so results are equal.
        """
        return map_parts(code, items, workers if self.device == "cpu" else 1)

    def _batched(
        self,
        items: Sequence[Item],
        sizes: Sequence[tuple[int, int]],
        run: Callable[[list[Item]], Sequence[Result]],
    ) -> list[Result]:
        with insulated():
            return in_batches(items, sizes, run, self._place, self._limit)

    def _jobs(self, images: Sequence[torch.Tensor], settings: Sequence[float]) -> list[ImageAtRung]:
        jobs = []
        for index, (image, setting) in enumerate(zip(images, settings, strict=True)):
            height, width = image.shape[-2:]
            what = f"neural could not encode image {index + 1} of {len(images)} ({width}x{height} pixels)"
            if setting not in _KNOWN:
                raise CodecError(f"{what}: {setting!r} is not a setting of its ladder")
            if max(height, width) > LONGEST_SIDE:
                raise CodecError(f"{what}: sides of at most {LONGEST_SIDE} pixels can be coded")
            jobs.append(ImageAtRung(image, RUNGS - int(setting)))
        return jobs

    def _limit(self, size: tuple[int, int]) -> int:
        kind = self.device.partition(":")[0]
        return max(1, _BATCH_PIXELS[kind] // (size[0] * size[1]))

    def _require_available(self) -> None:
        if (reason := self.unavailable()) is not None:
            raise CodecUnavailable(reason)


class ImageAtRung(NamedTuple):
    """An image (3, H, W) and the rung of its setting."""

    image: torch.Tensor
    rung: int

    @property
    def size(self) -> tuple[int, int]:
        """Size (H, W) in pixels."""
        height, width = self.image.shape[-2:]
        return height, width

    @property
    def header(self) -> Header:
        """Header of its stream."""
        return Header(self.rung, *self.size)


@functools.cache
def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _expected() -> str:
    """Return the sha256 of the shipped weights."""
    return SUMS.read_text(encoding="utf-8").split()[0]


def _coded(model: Model, batch: list[ImageAtRung]) -> Coded:
    """Return the symbols of images of the same size."""
    return model.coded([job.image for job in batch], [job.rung for job in batch])
