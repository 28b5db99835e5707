"""Calls of a codec that hold it to its contract: one stream for each image, one image for each stream.

The sources stay as they are. The package's own codecs keep the contract; a third party's may not, and then its fault
must not become the model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from compress_guard.codecs.contract import Codec, FromFiles, MetadataKeeper, Proof, decode_to_sizes
from compress_guard.codecs.pictures.geometry import Reshaping, geometry_of
from compress_guard.errors import CodecError

if TYPE_CHECKING:
    import torch

    from compress_guard.codecs.pictures.metadata import Metadata

_OWN: Final = "compress_guard."
_CHANNELS: Final = 3


def own_copies(codec: Codec, images: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return images that the codec may work on in place: copies, except for the package's own codecs."""
    if type(codec).__module__.startswith(_OWN):
        return list(images)
    return [image.clone() for image in images]


def encode(
    codec: Codec,
    images: Sequence[torch.Tensor],
    settings: Sequence[float],
    workers: int = 1,
    metadata: Sequence[Metadata] = (),
) -> list[bytes]:
    """Return one stream for each uint8 RGB image (3, H, W); raise `CodecError` for anything else that comes back.

    `metadata`, if given, has an entry for each image, of which a `MetadataKeeper` puts some into the stream.
    """
    given = own_copies(codec, images)
    if any(metadata) and isinstance(codec, MetadataKeeper) and codec.keeps:
        made = codec.encode_with(given, metadata, settings, workers)
    else:
        made = codec.encode(given, settings, workers)
    streams = _as_list(made, codec, "streams")
    if len(streams) != len(images):
        raise CodecError(f"{codec.type} gave {len(streams)} streams for {len(images)} images; expected one for each")
    return [_as_bytes(codec, stream, number, len(streams)) for number, stream in enumerate(streams, start=1)]


def encode_files(
    codec: Codec, images: Sequence[torch.Tensor], files: Sequence[bytes], settings: Sequence[float], workers: int = 1
) -> list[bytes]:
    """Do what `encode` does, for a codec that begins with the files of its images."""
    assert isinstance(codec, FromFiles)
    streams = _as_list(codec.encode_files(own_copies(codec, images), files, settings, workers), codec, "streams")
    if len(streams) != len(images):
        raise CodecError(f"{codec.type} gave {len(streams)} streams for {len(images)} files; expected one for each")
    return [_as_bytes(codec, stream, number, len(streams)) for number, stream in enumerate(streams, start=1)]


def decode(
    codec: Codec, streams: Sequence[bytes], sizes: Sequence[tuple[int, int]], workers: int = 1
) -> list[torch.Tensor]:
    """Return one uint8 tensor (3, H, W) for each stream, whose source has the size (H, W).

    The size of what comes back is not checked. Raises `CodecError` for anything else that is not an image.
    """
    images = _as_list(decode_to_sizes(codec, streams, sizes, workers), codec, "images")
    if len(images) != len(streams):
        raise CodecError(f"{codec.type} gave {len(images)} images for {len(streams)} streams; expected one for each")
    for number, image in enumerate(images, start=1):
        if (fault := _image_fault(image)) is not None:
            raise CodecError(
                f"{codec.type} decoded stream {number} of {len(images)} to {fault}; expected a uint8 tensor (3, H, W)"
            )
    return images


def reshaped(codec: Codec, images: Sequence[torch.Tensor], workers: int = 1) -> list[torch.Tensor]:
    """Return uint8 RGB images (3, H, W) as the codec scales and crops them, but not coded.

    Raises `CodecError` for anything else than one image for each, of the size that the codec's geometry states.
    """
    if not isinstance(codec, Reshaping):
        return list(images)
    made = _as_list(codec.reshaped(own_copies(codec, images), workers), codec, "reshaped images")
    if len(made) != len(images):
        raise CodecError(f"{codec.type} reshaped {len(images)} images to {len(made)}; expected one for each")
    for source, image, size in zip(images, made, delivered_sizes(codec, images), strict=True):
        if (fault := _image_fault(image)) is not None:
            raise CodecError(f"{codec.type} reshaped an image to {fault}; expected a uint8 tensor (3, H, W)")
        if tuple(image.shape[-2:]) != size:
            raise CodecError(
                f"{codec.type} reshaped an image of {tuple(source.shape)} to {tuple(image.shape)}, and its geometry "
                f"states {(3, *size)}; expected both to agree"
            )
    return made


def delivered_sizes(codec: Codec, sources: Sequence[torch.Tensor]) -> list[tuple[int, int]]:
    """Return (H, W) of what the codec delivers of each source (3, H, W)."""
    return [geometry_of(codec, (int(source.shape[-2]), int(source.shape[-1]))).delivered for source in sources]


def proofs(codec: Codec, images: Sequence[torch.Tensor], settings: Sequence[float], workers: int = 1) -> list[Proof]:
    """Return the codec's proofs of these images: see `Codec.proofs`."""
    return codec.proofs(own_copies(codec, images), settings, workers)


def _as_list(values: Any, codec: Codec, what: str) -> list[Any]:
    try:
        return list(values)
    except TypeError as problem:
        raise CodecError(f"{codec.type} gave {type(values).__name__}; expected a list of {what}") from problem


def _as_bytes(codec: Codec, stream: Any, number: int, streams: int) -> bytes:
    if type(stream) is bytes:
        return stream
    if isinstance(stream, bytes | bytearray | memoryview):
        return bytes(memoryview(stream))  # the true bytes, whatever a subclass says of its length
    raise CodecError(
        f"{codec.type} gave {type(stream).__name__} for image {number} of {streams}; expected the bytes of its stream, "
        "or a CodecError for an image that it cannot code"
    )


def _image_fault(image: Any) -> str | None:
    import torch

    if not isinstance(image, torch.Tensor):
        return str(type(image).__name__)
    if image.dtype != torch.uint8:
        return f"values of {str(image.dtype).removeprefix('torch.')}"
    if image.ndim != _CHANNELS or image.shape[0] != _CHANNELS:
        return f"a tensor {tuple(image.shape)}"
    return None
