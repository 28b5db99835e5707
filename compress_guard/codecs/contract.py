"""The protocol of a codec: it encodes and decodes lists of images along a ladder of settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self, TypeVar, runtime_checkable

from compress_guard.records import Bits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch

    from compress_guard.codecs.pictures.metadata import Metadata

C = TypeVar("C")


class Codec(Protocol):
    """A way to code images, built from its options: a frozen dataclass whose fields are the options of thresholds.yaml.

    Building one is cheap (no codec library is imported) and raises `OptionError` for a value that it does not know.
    Images are uint8 RGB tensors of shape (3, H, W), H and W at least 1. A stream is all that a decoder needs,
    so that its length is what the image costs, unless the codec counts estimated bits (see `cost`).
    """

    @property
    def type(self) -> str:
        """The name under which the codec is registered, an attribute of its class."""

    @property
    def ladder(self) -> tuple[float, ...]:
        """The settings in ascending order of nominal rate, smallest files first."""

    @property
    def version(self) -> str:
        """Codec library and version, e.g. ``libjpeg-turbo 3.2 (Pillow 13.0.0)``; raises `CodecUnavailable`."""

    @property
    def bits(self) -> Bits:
        """``coded`` where `cost` counts real streams, ``estimated`` where it estimates them from likelihoods."""

    @property
    def device(self) -> str:
        """The device: ``cpu`` or ``cuda:N``. Images may come from any device; decoded ones are on this one."""

    @property
    def remark(self) -> str | None:
        """A remark for readers of the results about how it works here, such as a GPU path that it had to leave."""

    @property
    def device_tolerance(self) -> int | None:
        """Levels of 0 to 255 by which any value of a decoded image may differ between devices: 0 for a decoder that is
        bit-exact everywhere; None where decoders of one standard may differ, and only the whole image counts."""

    def seen_from(self, folder: Path) -> Codec:
        """Return the same codec with the relative paths among its options seen from this absolute folder."""

    @property
    def generative(self) -> bool:
        """True if decoded images may show other pixels than their sources by design, such as invented texture. Then
        only their geometry, channels and range of values are compared with the sources, not their PSNR."""

    def on(self, device: str) -> Codec:
        """Return the same codec, working on this device where it can."""

    def unavailable(self) -> str | None:
        """Return None where the codec can run here, else the reason, ending with the command that installs it."""

    def encode(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[bytes]:
        """Return one stream per image, coded at its own setting, on up to `workers` CPU threads.

        Settings are those of the ladder, and others that a `SettingRange` takes. Raises `CodecError` if an image
        cannot be coded.
        """

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """Return one image per stream, uint8 (3, H, W) of the source's size, or of the size that `Reshaping` delivers.

        Raises `CodecError` for a broken stream.
        """

    def cost(self, stream: bytes) -> int:
        """Return the bytes that a stream counts for: its length, or the estimate that it carries, rounded up."""

    def proofs(self, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[Proof]:
        """Return one proof per image for a codec that can also predict its result without coding; else none."""


@runtime_checkable
class SettingRange(Protocol):
    """A codec that also codes at settings between those of its ladder, as production may ask for them."""

    def setting_fault(self, setting: float) -> str | None:
        """Return None for a setting that `Codec.encode` takes, else the settings that it takes: ``numbers from 0 to
        100``.
        """


@runtime_checkable
class SizedDecoder(Protocol):
    """A codec that checks the size of a decoded file against the source's before it reads the pixels."""

    def decode_sized(
        self, streams: Sequence[bytes], sizes: Sequence[tuple[int, int]], workers: int = 1
    ) -> list[torch.Tensor]:
        """Do what `Codec.decode` does; `sizes` are (H, W) of the sources. Raises `CodecError` for another size too."""


@runtime_checkable
class FromFiles(Protocol):
    """A codec that can begin with the coded files that its sources came in, as a service that codes uploads again."""

    @property
    def from_files(self) -> bool:
        """True if this codec begins with the files of its sources, so that `encode_files` replaces `encode`."""

    def encode_files(
        self, images: Sequence[torch.Tensor], files: Sequence[bytes], settings: Sequence[float], workers: int = 1
    ) -> list[bytes]:
        """Do what `Codec.encode` does; `files` are the bytes of the images' files.

        Each file decodes to the pixels of its image, turned upright by its EXIF. Raises `CodecError`.
        """


@runtime_checkable
class SeveralEncoders(Protocol):
    """A codec that runs several encoders, one after the other, for each image that it encodes."""

    @property
    def encoders(self) -> int:
        """Number of these encoders; each counts as a call."""


@runtime_checkable
class CountedEncoders(Protocol):
    """A codec of several encoders that counts their calls itself, since some images do not need all of them again."""

    @property
    def encoded_pixels(self) -> int:
        """Pixels of the sources of all calls of its encoders so far, each encoder by itself; proofs do not count."""


@runtime_checkable
class Stepped(Protocol):
    """A codec made of other codecs, whose streams tell what each of them came to."""

    @property
    def parts(self) -> tuple[Codec, ...]:
        """These codecs, in their order."""

    @property
    def step_names(self) -> tuple[str, ...]:
        """Names of what `step_bytes` counts, in its order."""

    def step_bytes(self, stream: bytes) -> tuple[int, ...]:
        """Return the bytes of each coded step of a stream."""

    def delivered_file(self, stream: bytes) -> bytes:
        """Return the coded file that a stream delivers, as the library of the last codec wrote it."""

    def read_by(self, reader: Codec) -> Codec:
        """Return the same codec, but with the files that it delivers decoded by this codec in place of the last."""


def delivering(codec: Codec) -> Codec:
    """Return the codec that writes the delivered files: the last of a codec made of others, or the codec itself."""
    return codec.parts[-1] if isinstance(codec, Stepped) else codec


def needs_files(codec: object) -> bool:
    """Return True if a codec begins with the coded files of its sources."""
    return isinstance(codec, FromFiles) and codec.from_files


def encoders_of(codec: object) -> int:
    """Return the number of encoder calls that coding one image takes; most codecs have one encoder."""
    return codec.encoders if isinstance(codec, SeveralEncoders) else 1


@runtime_checkable
class MetadataKeeper(Protocol):
    """A codec whose streams may hold the ICC profile and the EXIF of their sources."""

    @property
    def keeps(self) -> frozenset[str]:
        """Parts that its streams hold: some of ``icc`` and ``exif``, or none as its options say."""

    def encode_with(
        self, images: Sequence[torch.Tensor], metadata: Sequence[Metadata], settings: Sequence[float], workers: int = 1
    ) -> list[bytes]:
        """Do what `Codec.encode` does, with these parts of each image's metadata in its stream."""


def kept_parts(codec: Codec) -> frozenset[str]:
    """Return the parts of a source's metadata that the streams of a codec hold."""
    return codec.keeps if isinstance(codec, MetadataKeeper) else frozenset()


def decode_to_sizes(
    codec: Codec, streams: Sequence[bytes], sizes: Sequence[tuple[int, int]], workers: int = 1
) -> list[torch.Tensor]:
    """Decode streams of sources of these sizes (H, W), which a `SizedDecoder` checks before it decodes.

    Other codecs may return images of other sizes. Raises what `Codec.decode` raises.
    """
    if isinstance(codec, SizedDecoder):
        return codec.decode_sized(streams, sizes, workers)
    return codec.decode(streams, workers)


@dataclass(frozen=True, slots=True)
class Proof:
    """An image coded for real, compared with the codec's forward pass."""

    estimated: float
    """Bytes estimated from the likelihoods."""
    coded: int
    """Bytes of the real stream."""
    difference: int
    """Largest difference between the decoded stream and the forward reconstruction, in levels of 0 to 255."""
    loss: float | None = None
    """dB of PSNR, against the source, that the decoded stream lies below the forward reconstruction. It tells a broken
    stream from one that only rounds differently. None where it was not measured."""


class RealStreams:
    """A base for codecs that work on the CPU and whose streams hold all that a decoder needs.

    A codec that derives from it adds `type`, `ladder`, `version`, `encode` and `decode`.
    """

    __slots__ = ()

    @property
    def bits(self) -> Bits:
        """See `Codec.bits`."""
        return "coded"

    @property
    def device(self) -> str:
        """See `Codec.device`."""
        return "cpu"

    @property
    def remark(self) -> str | None:
        """See `Codec.remark`."""
        return None

    @property
    def device_tolerance(self) -> int | None:
        """See `Codec.device_tolerance`."""
        return None

    def seen_from(self, folder: Path) -> Self:
        """See `Codec.seen_from`."""
        return self

    @property
    def generative(self) -> bool:
        """See `Codec.generative`."""
        return False

    def unavailable(self) -> str | None:
        """See `Codec.unavailable`."""
        return None

    def on(self, device: str) -> Self:
        """See `Codec.on`."""
        return self

    def cost(self, stream: bytes) -> int:
        """See `Codec.cost`."""
        return len(stream)

    def proofs(
        self,
        images: Sequence[torch.Tensor],
        settings: Sequence[float],
        workers: int = 1,
    ) -> list[Proof]:
        """See `Codec.proofs`."""
        return []
