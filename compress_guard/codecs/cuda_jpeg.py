"""JPEG on a CUDA device: nvJPEG through torchcodec or, where that is absent, through torchvision.

Both write baseline files with 4:4:4 chroma and the standard Huffman tables, and offer no way to ask for others: read in
EncodeJpegCuda.cpp of torchcodec 0.17 and encode_jpegs_cuda.cpp of torchvision 0.29; neither library even links the
function that would optimise the tables. They read every baseline or progressive file, and bring 4:2:0 chroma to full
size by repeating it, since neither sets NVJPEG_FLAGS_UPSAMPLING_WITH_INTERPOLATION. libjpeg-turbo interpolates: against
itself without that, on photographs at qualities 5 to 95, the mean difference is 0.2 to 0.6 levels, up to 92 at an edge.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from compress_guard.codecs.execution.batching import Device, in_batches
from compress_guard.errors import CodecUnavailable

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

SUBSAMPLING: Final = "4:4:4"
"""The chroma resolution that the encoder writes."""
BATCH: Final = 32
"""Images in one call. Decoding in one call is much faster than one by one; more gains little."""
_RGB: Final = 3
"""torchvision's ImageReadMode.RGB."""


class Library(Protocol):
    """One way to nvJPEG."""

    @property
    def name(self) -> str:
        """Name in a codec's version: ``nvJPEG (torchcodec 0.17.0)``."""

    def encode(self, images: list[torch.Tensor], quality: int) -> list[torch.Tensor]:
        """Return streams as uint8 tensors (N,) of contiguous uint8 images (3, H, W), all on one CUDA device."""

    def decode(self, streams: list[torch.Tensor], device: str) -> list[torch.Tensor]:
        """Return uint8 images (3, H, W) on the device, from uint8 tensors (N,) on the CPU."""


@dataclass(frozen=True, slots=True)
class TorchCodec:
    """nvJPEG through torchcodec 0.16 or later."""

    name: str

    def encode(self, images: list[torch.Tensor], quality: int) -> list[torch.Tensor]:
        """See `Library.encode`."""
        from torchcodec.encoders import JpegEncoder

        return [JpegEncoder(image).to_tensor(quality=quality) for image in images]

    def decode(self, streams: list[torch.Tensor], device: str) -> list[torch.Tensor]:
        """See `Library.decode`."""
        from torchcodec.decoders import decode_jpeg

        images: list[torch.Tensor] = decode_jpeg(streams, mode="RGB", device=device)
        return images


@dataclass(frozen=True, slots=True)
class TorchVision:
    """nvJPEG through torchvision's operators.

    Its functions encode_jpeg and decode_jpeg call just these, and from 0.29 warn at every call that they will go. That
    warning cannot be silenced around a call, since filters belong to the process and coding runs on a thread.
    """

    name: str

    def encode(self, images: list[torch.Tensor], quality: int) -> list[torch.Tensor]:
        """See `Library.encode`."""
        import torch

        streams: list[torch.Tensor] = torch.ops.image.encode_jpegs_cuda(images, quality)
        return streams

    def decode(self, streams: list[torch.Tensor], device: str) -> list[torch.Tensor]:
        """See `Library.decode`."""
        import torch

        images: list[torch.Tensor] = torch.ops.image.decode_jpegs_cuda(streams, _RGB, torch.device(device))
        return images


@lru_cache
def library() -> Library:
    """Return the installed library; raise `CodecUnavailable` if there is none.

    A library without nvJPEG fails only when it is used.
    """
    try:
        from torchcodec.decoders import decode_jpeg  # noqa: F401 - older releases lack these
        from torchcodec.encoders import JpegEncoder  # noqa: F401

        return TorchCodec(f"nvJPEG (torchcodec {version('torchcodec')})")
    except (ImportError, OSError, RuntimeError):  # OSError and RuntimeError: its native libraries do not load
        pass
    import torch

    try:
        import torchvision.io  # noqa: F401 - brings the operators

        torch.ops.image.encode_jpegs_cuda, torch.ops.image.decode_jpegs_cuda  # noqa: B018
    except (ImportError, AttributeError, RuntimeError):
        found = "neither torchcodec 0.16 or later nor torchvision's image operators can be used"
        raise CodecUnavailable(f"{found}; pip install torchcodec") from None
    return TorchVision(f"nvJPEG (torchvision {version('torchvision')})")


def encode(images: Sequence[torch.Tensor], qualities: Sequence[int], device: Device) -> list[bytes | None]:
    """Return the stream of each image, None where the device failed; the device notes the failure."""
    nvjpeg = library()

    def run(jobs: list[tuple[torch.Tensor, int]]) -> list[bytes]:
        there = [image.to(device.name).contiguous() for image, _ in jobs]
        # torchvision codes on its own CUDA stream, without any synchronisation (its issue 8587).
        synchronize(device)
        streams = nvjpeg.encode(there, jobs[0][1])
        synchronize(device)
        return [stream.cpu().numpy().tobytes() for stream in streams]

    return _each(list(zip(images, qualities, strict=True)), qualities, run, device, f"encoded by {nvjpeg.name}")


def decode(streams: Sequence[bytes], device: Device) -> list[torch.Tensor | None]:
    """Return the image of each stream, on the device; None where the device failed, which the device notes."""
    nvjpeg = library()

    def run(jobs: list[bytes]) -> list[torch.Tensor]:
        import torch

        here = [torch.frombuffer(bytearray(stream), dtype=torch.uint8) for stream in jobs]
        synchronize(device)
        images = nvjpeg.decode(here, device.name)
        synchronize(device)  # while the streams are still held
        return images

    return _each(streams, ["decode"] * len(streams), run, device, f"decoded by {nvjpeg.name}")


def synchronize(device: Device) -> None:
    """Wait for all work on a CUDA device."""
    if device.name.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device.name)


def _each(
    items: Sequence[Item],
    keys: Sequence[int | str],
    run: Callable[[list[Item]], Sequence[Result]],
    device: Device,
    done: str,
) -> list[Result | None]:
    """Return the results of `run` on the items, in batches, or one by one where a batch fails.

    The result is None for an item that fails alone.
    """
    try:
        return [*in_batches(items, keys, run, device, BATCH)]
    except Exception as problem:  # noqa: BLE001 - whatever goes wrong here, the CPU may be able to do it
        if len(items) == 1:
            reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
            device.note(f"some images were not {done} but on the CPU: {reason[:200]}", about=done)
            return [None]
    return [_each([item], [key], run, device, done)[0] for item, key in zip(items, keys, strict=True)]
