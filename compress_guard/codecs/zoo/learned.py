"""What CompressAI's models do as a codec, wherever their weights come from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Self, cast

from compress_guard.codecs.batching import Device, Placed, in_batches, out_of_memory
from compress_guard.codecs.contract import Proof
from compress_guard.codecs.fidelity import psnr
from compress_guard.codecs.options import require_choice
from compress_guard.codecs.zoo import streams
from compress_guard.codecs.zoo.architectures import ARCHITECTURES, GAINS, Architecture
from compress_guard.codecs.zoo.checkpoint import Checkpoint
from compress_guard.codecs.zoo.library import compressai_library, missing_library
from compress_guard.codecs.zoo.network import Network, network_of
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.records import Bits

if TYPE_CHECKING:
    import torch

BITS: Final = ("auto", "coded", "estimated")
ON_CPU: Final = "coded on the CPU: the entropy coder of an autoregressive model goes latent by latent"


class Learned(Placed):
    """A codec on networks of one architecture, one for each level or one for all rates.

    Estimated bits count the likelihoods of the whole padded image and the header of a real stream, rounded up to bytes.
    """

    __slots__ = ()

    bits: Bits

    @property
    def architecture_name(self) -> str:
        """The architecture, by CompressAI's name."""
        raise NotImplementedError

    @property
    def label(self) -> str:
        """The model in a version."""
        raise NotImplementedError

    def checkpoints(self) -> list[Checkpoint]:
        """One for each setting of the ladder, or a single one for all; raises `CodecUnavailable`."""
        raise NotImplementedError

    @property
    def architecture(self) -> Architecture:
        """The design of its networks."""
        return ARCHITECTURES[self.architecture_name]

    @property
    def ladder(self) -> tuple[float, ...]:
        """Levels from 1 on, or the gains of a variable-rate network."""
        return GAINS if self.architecture.variable else self._levels()

    def _levels(self) -> tuple[float, ...]:
        raise NotImplementedError

    @property
    def version(self) -> str:
        """CompressAI, torch (on whose arithmetic streams depend), the model, and its weights by hash."""
        from importlib.metadata import version

        weights = " ".join(dict.fromkeys(one.sha256[:8] for one in self.checkpoints()))
        compressai_library()
        parts = [f"compressai {version('compressai')}", f"torch {version('torch')}", self.label, f"weights {weights}"]
        if self.architecture.autoregressive and self.bits == "coded":
            import torch

            # Their entropy parameters come from a loop in float32: another vector unit may decode other symbols.
            parts.append(torch.backends.cpu.get_cpu_capability())
        return ", ".join(parts)

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`; weights are fetched here where that is allowed."""
        if (reason := missing_library()) is not None:
            return reason
        try:
            compressai_library()
            self.checkpoints()
        except CodecUnavailable as problem:
            return str(problem)
        return None

    def on(self, device: str) -> Self:
        """See `Codec.on`; real streams of autoregressive models are a matter of the CPU."""
        if device != "cpu" and self.architecture.autoregressive and self.bits == "coded":
            place = Device()
            place.note(ON_CPU)
            return self._at(place)
        return super().on(device)

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """See `Codec.encode`; `workers` has no part in it: torch spreads one image over its own threads."""
        files = self.checkpoints()
        jobs = [
            (
                f"encode image {number} of {len(images)} ({image.shape[-1]}x{image.shape[-2]} pixels)",
                image,
                self._index(setting),
            )
            for number, (image, setting) in enumerate(zip(images, settings, strict=True), start=1)
        ]

        def run(batch: list[tuple[str, torch.Tensor, int]]) -> list[bytes]:
            ((what, image, at),) = batch
            with self._blaming(what):
                return [self._encode(self._network(files, at), image, at)]

        return in_batches(jobs, [self._file(at) for _, _, at in jobs], run, self._place, 1)

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        files = self.checkpoints()
        jobs, keys = [], []
        for number, stream in enumerate(streams, start=1):
            what = f"decode stream {number} of {len(streams)} ({len(stream)} bytes)"
            with self._blaming(what):
                keys.append(self._file(self._position_in(stream)))
            jobs.append((what, stream))

        def run(batch: list[tuple[str, bytes]]) -> list[torch.Tensor]:
            ((what, stream),) = batch
            with self._blaming(what):
                return [self._decode(files, stream)]

        return in_batches(jobs, keys, run, self._place, 1)

    def cost(self, stream: bytes) -> int:
        """See `Codec.cost`."""
        return streams.cost_of(stream)

    def proofs(
        self,
        images: Sequence[torch.Tensor],
        settings: Sequence[float],
        workers: int = 1,
    ) -> list[Proof]:
        """See `Codec.proofs`; takes seconds for each image where the model is autoregressive."""
        files = self.checkpoints()
        coder = "cpu" if self.architecture.autoregressive else self.device
        found = []
        for image, setting in zip(images, settings, strict=True):
            at, source = self._index(setting), image.cpu()
            size = (image.shape[-2], image.shape[-1])
            network, real = self._network(files, at), network_of(files[self._file(at)], coder)
            outcome = network.forward(image, self._gain(at))
            forward = network.synthesise(outcome.latents, size)
            strings = real.compress(image, self._gain(at))
            decoded = real.decompress(strings, size, self._gain(at))
            found.append(
                Proof(
                    estimated=outcome.bits / 8 + streams.overhead(at, size, len(strings)),
                    coded=len(streams.pack_coded(at, size, strings)),
                    difference=int((decoded.cpu().int() - forward.cpu().int()).abs().max()),
                    loss=psnr(forward.cpu(), source) - psnr(decoded.cpu(), source),
                )
            )
        return found

    # One image

    def _encode(self, network: Network, image: torch.Tensor, at: int) -> bytes:
        size = (image.shape[-2], image.shape[-1])
        if self.bits == "coded":
            return streams.pack_coded(at, size, network.compress(image, self._gain(at)))
        outcome = network.forward(image, self._gain(at))
        cost = math.ceil(outcome.bits / 8) + streams.overhead(at, size, network.strings)
        return streams.pack_estimated(at, size, cost, outcome.latents)

    def _decode(self, files: Sequence[Checkpoint], stream: bytes) -> torch.Tensor:
        network = self._network(files, self._position_in(stream))
        if self.bits == "coded":
            header, strings = streams.unpack_coded(stream, network.strings)
            return network.decompress(strings, header.size, self._gain(header.position))
        header, latents = streams.unpack_estimated(stream)
        return network.synthesise(latents, header.size)

    # Positions on the ladder

    def _index(self, setting: float) -> int:
        if setting not in self.ladder:
            raise CodecError(f"{setting!r} is not one of the settings of {self.label}")
        return self.ladder.index(setting)

    def _position_in(self, stream: bytes) -> int:
        position = streams.position_of(stream)
        if position >= len(self.ladder):
            raise CodecError(f"a stream of setting {position + 1}, where {self.label} has {len(self.ladder)}")
        return position

    def _file(self, at: int) -> int:
        return 0 if self.architecture.variable else at

    def _gain(self, at: int) -> float:
        return self.ladder[at]

    def _network(self, files: Sequence[Checkpoint], at: int) -> Network:
        return network_of(files[self._file(at)], self.device)

    @contextmanager
    def _blaming(self, what: str) -> Iterator[None]:
        """Errors of the network as a `CodecError` that says of which image; running out of memory is another matter."""
        try:
            yield
        except CodecError as problem:
            raise CodecError(f"{self.label} could not {what}: {problem}") from problem
        except (RuntimeError, ValueError, TypeError, IndexError) as problem:
            if out_of_memory(problem):
                raise
            raise CodecError(f"{self.label} could not {what}: {problem}") from problem


def settle_bits(codec: Learned) -> None:
    """Check the option `bits`, and settle what ``auto`` means: real streams where they take no loop over latents."""
    require_choice("bits", codec.bits, BITS)
    if cast("str", codec.bits) == "auto":
        object.__setattr__(codec, "bits", "estimated" if codec.architecture.autoregressive else "coded")
