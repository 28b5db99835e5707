"""The bases of decoders: a list of streams in, a list of images out, errors that name the stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from compress_guard.codecs.contract import Codec
from compress_guard.codecs.execution.pool import map_ordered
from compress_guard.errors import CodecError, error_text

if TYPE_CHECKING:
    import torch


class Decoder(ABC):
    """A library that decodes the streams of a codec, as a server or a training job may do.

    Building one imports no library. Its name is that in `registry.DECODERS`.
    """

    __slots__ = ("codec", "device")

    name: ClassVar[str]
    """Its name in `DECODERS`."""

    def __init__(self, codec: Codec, device: str) -> None:
        """Take the codec that writes the streams, and the device of the run."""
        self.codec = codec
        self.device = device

    @property
    def place(self) -> str:
        """The device that decoded images are on: ``cpu`` or ``cuda:N``."""
        return "cpu"

    @property
    def is_own(self) -> bool:
        """True if it gives what the codec itself gives on its device, by the same calls."""
        return False

    @abstractmethod
    def unavailable(self) -> str | None:
        """Return None where it can decode these streams here, else the reason, ending with what to do."""

    @property
    @abstractmethod
    def version(self) -> str:
        """Library and version, with what it uses for this codec; to be asked only where the decoder is available."""

    @property
    def library(self) -> str:
        """Library and version, whatever the codec; to be asked only where the decoder is available."""
        return self.version

    @abstractmethod
    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """Return one uint8 RGB image (3, H, W) per stream, decoded on up to `workers` CPU threads.

        Raises `CodecError` for a stream that cannot be decoded.
        """


class StreamDecoder(Decoder):
    """A decoder whose library decodes one stream at a time, on a CPU thread."""

    __slots__ = ()

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Decoder.decode`."""

        def decode_job(job: tuple[int, bytes]) -> torch.Tensor:
            number, stream = job
            try:
                return self._image(stream).contiguous()  # torchvision's are not, and a network may notice
            except Exception as error:  # libraries raise any exception
                what = f"stream {number} of {len(streams)} ({len(stream)} bytes) could not be decoded by {self.name}"
                raise CodecError(f"{self.codec.type}: {what}: {error_text(error)}") from error

        return map_ordered(decode_job, list(enumerate(streams, start=1)), workers)

    @abstractmethod
    def _image(self, stream: bytes) -> torch.Tensor:
        """Decode one stream; any error of the library may be raised."""
