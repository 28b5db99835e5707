"""CompressAI's models as a codec, for weights from any place."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Self, cast

from compress_guard.codecs.contract import Proof
from compress_guard.codecs.execution.batching import Device, Placed
from compress_guard.codecs.options import require_choice
from compress_guard.codecs.pictures.fidelity import psnr
from compress_guard.codecs.zoo import streams
from compress_guard.codecs.zoo.architectures import ARCHITECTURES, GAINS, Architecture
from compress_guard.codecs.zoo.checkpoint import Checkpoint
from compress_guard.codecs.zoo.jobs import Job, blamed, run
from compress_guard.codecs.zoo.library import compressai_library, missing_library
from compress_guard.codecs.zoo.network import CompressaiModel, Outcome, network_of
from compress_guard.codecs.zoo.streams import LearnedHeader, unpack_coded, unpack_estimated
from compress_guard.errors import CodecError, CodecUnavailable
from compress_guard.records import Bits

if TYPE_CHECKING:
    import torch

BITS: Final = ("auto", "coded", "estimated")
ON_CPU: Final = "coded on the CPU: the entropy coder of an autoregressive model goes latent by latent"


class Learned(Placed, ABC):
    """A codec on networks of one architecture, one for each level or one for all rates.

    Estimated bits count the likelihoods of the whole padded image and the header of a real stream, rounded up to bytes.
    """

    __slots__ = ()

    bits: Bits

    @property
    @abstractmethod
    def architecture_name(self) -> str:
        """The architecture, by CompressAI's name."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Name of the model, as the codec's `version` and its messages give it."""

    @abstractmethod
    def checkpoints(self) -> list[Checkpoint]:
        """Return one checkpoint for each setting of the ladder, or a single one for all; raise `CodecUnavailable`."""

    @abstractmethod
    def _levels(self) -> tuple[float, ...]:
        """Return the ladder where each level has a network of its own."""

    @property
    def architecture(self) -> Architecture:
        """The design of its networks."""
        return ARCHITECTURES[self.architecture_name]

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings: levels from 1 on, or the gains of a variable-rate network."""
        return GAINS if self.architecture.variable else self._levels()

    @property
    def version(self) -> str:
        """CompressAI, torch (on whose arithmetic streams depend), the model, and its weights by hash."""
        from importlib.metadata import version

        weights = " ".join(checkpoint.sha256[:8] for checkpoint in self.checkpoints())
        compressai_library()
        parts = [f"compressai {version('compressai')}", f"torch {version('torch')}", self.label, f"weights {weights}"]
        if self.architecture.autoregressive and self.bits == "coded":
            import torch

            # Their entropy parameters come from a loop in float32: another vector unit may decode other symbols.
            parts.append(torch.backends.cpu.get_cpu_capability())
        return ", ".join(parts)

    @property
    def device_tolerance(self) -> int | None:
        """See `Codec.device_tolerance`: sums in float32 and in float64 may round to neighbouring levels."""
        return 2

    def unavailable(self) -> str | None:
        """Do what `Codec.unavailable` does; weights are fetched here where that is allowed."""
        if (reason := missing_library()) is not None:
            return reason
        try:
            compressai_library()
            self.checkpoints()
        except CodecUnavailable as problem:
            return str(problem)
        return None

    def on(self, device: str) -> Self:
        """Do what `Codec.on` does; real streams of autoregressive models are coded on the CPU."""
        if device != "cpu" and self.architecture.autoregressive and self.bits == "coded":
            place = Device()
            place.note(ON_CPU)
            return self._at(place)
        return super().on(device)

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """Do what `Codec.encode` does; `workers` is not used: torch spreads one image over its own threads."""
        files = self.checkpoints()

        def work(batch: list[Job[torch.Tensor]]) -> list[bytes]:
            network, at = self._network(files, batch[0].at), batch[0].at
            images = [job.item for job in batch]
            if self.bits == "coded":
                coded = network.compress(images, self._gain(at))
                return [streams.pack_coded(at, job.size, strings) for job, strings in zip(batch, coded, strict=True)]
            return [
                streams.pack_estimated(at, job.size, self._estimate(job, one, network.strings), one.latents)
                for job, one in zip(batch, network.forward(images, self._gain(at)), strict=True)
            ]

        return run(self._jobs(images, settings), work, self._place, self.label)

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        files = self.checkpoints()
        jobs = []
        for number, stream in enumerate(streams, start=1):
            what = f"decode stream {number} of {len(streams)} ({len(stream)} bytes)"
            try:
                header = self._header_of(stream)
            except CodecError as problem:
                raise blamed(self.label, what, problem, self._place) from problem
            jobs.append(Job(what, header.position, header.size, stream))

        def work(batch: list[Job[bytes]]) -> list[torch.Tensor]:
            network, sizes = self._network(files, batch[0].at), [job.size for job in batch]
            if self.bits == "coded":
                strings = [unpack_coded(job.item, network.strings)[1] for job in batch]
                return network.decompress(strings, sizes, self._gain(batch[0].at))
            return network.synthesise([unpack_estimated(job.item)[1] for job in batch], sizes)

        return run(jobs, work, self._place, self.label)

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

        def work(batch: list[Job[torch.Tensor]]) -> list[Proof]:
            gain, sizes = self._gain(batch[0].at), [job.size for job in batch]
            network = self._network(files, batch[0].at)
            outcomes = network.forward([job.item for job in batch], gain)
            forward = network.synthesise([outcome.latents for outcome in outcomes], sizes)
            strings, decoded = self._really(files, batch)
            return [
                Proof(
                    estimated=outcome.bits / 8 + streams.overhead(job.at, job.size, len(parts)),
                    coded=len(streams.pack_coded(job.at, job.size, parts)),
                    difference=int((real.cpu().int() - expected.cpu().int()).abs().max()),
                    loss=psnr(expected.cpu(), job.item.cpu()) - psnr(real.cpu(), job.item.cpu()),
                )
                for job, outcome, expected, parts, real in zip(batch, outcomes, forward, strings, decoded, strict=True)
            ]

        return run(self._jobs(images, settings), work, self._place, self.label)

    def _really(
        self, files: Sequence[Checkpoint], batch: list[Job[torch.Tensor]]
    ) -> tuple[list[list[bytes]], list[torch.Tensor]]:
        """Return the strings of a batch and their decoded images."""
        gain, file = self._gain(batch[0].at), files[self._file(batch[0].at)]
        if not self.architecture.autoregressive:
            coder, parts = network_of(file, self.device), [batch]
        else:
            coder, parts = network_of(file, "cpu"), [[job] for job in batch]
        strings, decoded = [], []
        for part in parts:
            found = coder.compress([job.item for job in part], gain)
            strings += found
            decoded += coder.decompress(found, [job.size for job in part], gain)
        return strings, decoded

    # Batches

    def _jobs(self, images: Sequence[torch.Tensor], settings: Sequence[float]) -> list[Job[torch.Tensor]]:
        jobs = []
        for number, (image, setting) in enumerate(zip(images, settings, strict=True), start=1):
            height, width = image.shape[-2:]
            what = f"encode image {number} of {len(images)} ({width}x{height} pixels)"
            jobs.append(Job(what, self._index(setting), (height, width), image))
        return jobs

    def _estimate(self, job: Job[torch.Tensor], outcome: Outcome, strings: int) -> int:
        return math.ceil(outcome.bits / 8) + streams.overhead(job.at, job.size, strings)

    # Positions on the ladder

    def _index(self, setting: float) -> int:
        if setting not in self.ladder:
            raise CodecError(f"{setting!r} is not one of the settings of {self.label}")
        return self.ladder.index(setting)

    def _header_of(self, stream: bytes) -> LearnedHeader:
        header = streams.header_of(stream)
        if header.position >= len(self.ladder):
            raise CodecError(f"a stream of setting {header.position + 1}, where {self.label} has {len(self.ladder)}")
        return header

    def _file(self, at: int) -> int:
        return 0 if self.architecture.variable else at

    def _gain(self, at: int) -> float:
        return self.ladder[at]

    def _network(self, files: Sequence[Checkpoint], at: int) -> CompressaiModel:
        return network_of(files[self._file(at)], self.device)


def settle_bits(codec: Learned) -> None:
    """Return the option `bits` after a check; ``auto`` means real streams where they need no loop over latents."""
    require_choice("bits", codec.bits, BITS)
    if cast("str", codec.bits) == "auto":
        object.__setattr__(codec, "bits", "estimated" if codec.architecture.autoregressive else "coded")
