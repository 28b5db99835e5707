"""nvJPEG as a decoder: JPEG on a CUDA device, with the chroma repeated that libjpeg interpolates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from compress_guard.codecs import cuda_jpeg
from compress_guard.codecs.decoding.contract import Decoder
from compress_guard.codecs.execution.batching import Device
from compress_guard.errors import CodecError, CodecUnavailable

if TYPE_CHECKING:
    import torch

_INSTEAD: Final = " but on the CPU: "


class NvJpeg(Decoder):
    """nvJPEG through torchcodec or torchvision, on the device of the run. It never falls back to the CPU."""

    __slots__ = ()

    name: ClassVar[str] = "nvjpeg"

    @property
    def place(self) -> str:
        """See `Decoder.place`."""
        return self.device

    @property
    def version(self) -> str:
        """See `Decoder.version`."""
        return cuda_jpeg.library().name

    def unavailable(self) -> str | None:
        """See `Decoder.unavailable`."""
        if not self.device.startswith("cuda"):
            return f"nvjpeg decodes on CUDA devices, and this run is on {self.device}; run on a CUDA device"
        try:
            cuda_jpeg.library()
        except CodecUnavailable as problem:
            return str(problem)
        return None

    def decode(self, streams: Sequence[bytes], workers: int = 1) -> list[torch.Tensor]:
        """See `Decoder.decode`."""
        device = Device(self.device)
        images = cuda_jpeg.decode(streams, device)
        known = [image for image in images if image is not None]
        if len(known) < len(images):
            # The device notes what the codec would do about it.
            reason = (device.remark or "").rpartition(_INSTEAD)[2]
            what = f"stream {images.index(None) + 1} of {len(streams)} could not be decoded by nvjpeg"
            raise CodecError(f"jpeg: {what}: {reason}")
        return known
