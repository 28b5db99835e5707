"""A codec whose streams another decoder reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from compress_guard.codecs.contract import Codec, Proof, Stepped, decode_to_sizes, delivering
from compress_guard.codecs.decoding.contract import Decoder
from compress_guard.errors import CodecUnavailable
from compress_guard.records import Bits
from compress_guard.registry import DECODERS

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class DecodedBy:
    """A codec that writes the streams of another codec and reads them by a decoder of its own."""

    codec: Codec
    """The codec that writes the streams."""
    decoder: Decoder

    @property
    def type(self) -> str:
        """Name in messages: ``jpeg decoded by opencv``."""
        return f"{self.codec.type} decoded by {self.decoder.name}"

    @property
    def ladder(self) -> tuple[float, ...]:
        """See `Codec.ladder`."""
        return self.codec.ladder

    @property
    def version(self) -> str:
        """See `Codec.version`: that of the codec which writes the streams."""
        return self.codec.version

    @property
    def bits(self) -> Bits:
        """See `Codec.bits`."""
        return self.codec.bits

    @property
    def device(self) -> str:
        """The device that decoded images are on."""
        return self.decoder.place

    @property
    def remark(self) -> str | None:
        """See `Codec.remark`; what the codec remarks on its own decoder does not count here."""
        return self.codec.on("cpu").remark

    @property
    def device_tolerance(self) -> int | None:
        """See `Codec.device_tolerance`: decoders of one standard may differ."""
        return None

    @property
    def generative(self) -> bool:
        """See `Codec.generative`."""
        return self.codec.generative

    def seen_from(self, folder: Path) -> Codec:
        """See `Codec.seen_from`."""
        return replace(self, codec=self.codec.seen_from(folder))

    def on(self, device: str) -> Codec:
        """Return the codec with its own decoder on this device, which the decoder's images are compared with."""
        return self.codec.on(device)

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        return self.codec.unavailable() or self.decoder.unavailable()

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """See `Codec.encode`."""
        return self.codec.encode(images, settings, workers)

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        return self.decoder.decode(streams, workers)

    def cost(self, stream: bytes) -> int:
        """See `Codec.cost`."""
        return self.codec.cost(stream)

    def proofs(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[Proof]:
        """See `Codec.proofs`."""
        return self.codec.proofs(images, settings, workers)


@dataclass(frozen=True, slots=True)
class DeliveredBy(DecodedBy):
    """A pipeline whose delivered files are read by a decoder of its own; the steps behind the last codec stay."""

    _reader: Codec = field(init=False, repr=False, compare=False)
    """The pipeline with the decoder in place of its last codec's own."""

    def __post_init__(self) -> None:
        assert isinstance(self.codec, Stepped)
        reader = self.codec.read_by(DecodedBy(delivering(self.codec), self.decoder))
        object.__setattr__(self, "_reader", reader)

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Codec.decode`."""
        return self._reader.decode(streams, workers)

    def decode_sized(
        self, streams: Sequence[bytes], sizes: Sequence[tuple[int, int]], workers: int = 1
    ) -> list[torch.Tensor]:
        """See `SizedDecoder.decode_sized`."""
        return decode_to_sizes(self._reader, streams, sizes, workers)


def decoded_by(codec: Codec, name: str | None, device: str) -> Codec:
    """Return the codec with its streams read by the decoder of this name, on the device of the run.

    Only the files that a pipeline delivers are read by it; between its steps each codec reads its own.

    It is the codec itself for None, and for a decoder that does just what the codec does. Raises `CodecUnavailable` for
    a decoder that is not installed, or that does not read these streams.
    """
    if name is None:
        return codec
    known = DECODERS[name]
    last = delivering(codec)
    if last.type not in known.reads:
        raise CodecUnavailable(
            f"{name} does not decode {last.type}; it reads {', '.join(known.reads)}; use another decoder"
        )
    decoder: Decoder = known.load()(last, device)
    if decoder.is_own:
        return codec
    if (reason := decoder.unavailable()) is not None:
        raise CodecUnavailable(f"the decoder {name}: {reason}")
    return DecodedBy(codec, decoder) if last is codec else DeliveredBy(codec, decoder)


def writer(codec: Codec) -> Codec:
    """Return the codec that writes the streams of a codec, which is itself but for `DecodedBy`."""
    return codec.codec if isinstance(codec, DecodedBy) else codec


def read_differently(codec: Codec) -> tuple[str, ...]:
    """Return what pixels depend on beside the codec that writes the streams: the decoder, if it is not its own."""
    return (codec.decoder.name, codec.decoder.version) if isinstance(codec, DecodedBy) else ()


def decoder_version(codec: Codec) -> str:
    """Return the library and version that decodes a codec's streams, or the files that a pipeline delivers."""
    return codec.decoder.version if isinstance(codec, DecodedBy) else delivering(codec).version
