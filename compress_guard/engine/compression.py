"""A loose batch of images, coded to a target rate and decoded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from compress_guard.codecs.contract import decode_to_sizes
from compress_guard.codecs.pixels import Picture, check_sizes
from compress_guard.engine.codec_choice import available_codec, check_rate, codec_options
from compress_guard.engine.value_range import check_levels
from compress_guard.rate import plan
from compress_guard.records import Bits, ImageInfo, RateMode
from compress_guard.registry import codec_named
from compress_guard.thresholds.settings import TOLERANCE

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class Compressed:
    """What `compress` returns; every field has one entry per image."""

    images: list[torch.Tensor]
    """Decoded, uint8 RGB (3, H, W), on the device of the source."""
    streams: list[bytes]
    """The coded files, as the codec's library writes them; where bits are estimated, what stands for them."""
    bpp: list[float]
    """8 x bytes / pixels of the source; bytes of its stream, or estimated ones."""
    settings: list[float]
    """What each was coded at, on the codec's own scale: the quality of JPEG, say."""
    bits: Bits = "coded"
    """Whether `bpp` counts the bytes of real streams or is an estimate."""


def compress(
    images: Sequence[Any],
    *,
    codec: str = "jpeg",
    bpp: float = 0.25,
    rate: RateMode = "image",
    tolerance: float | None = None,
    seed: int = 0,
    workers: int = 1,
    **options: Any,
) -> Compressed:
    """Code a loose batch of images to a target rate and decode it again.

    Args:
        images: uint8 RGB tensors (3, H, W) or PIL images, of any sizes; the latter are turned upright by their EXIF,
            which a box or mask of them may need too. A codec that works on GPUs does so on the
            device of the first image.
        codec: A registered codec; `options` are its options, e.g. ``subsampling="4:4:4"``.
        bpp: Target rate in bits per pixel of the source.
        rate: ``image`` brings each image to the rate; ``dataset`` brings their mean to it.
        tolerance: Relative; 0.05 in image mode and 0.02 in dataset mode by default. An image beyond the codec's
            reach is coded at its floor or ceiling: look at the returned `bpp`.
        seed: Of the hash that parts the images between two settings in dataset mode, and that chooses the images from
            which the search learns; results are the same for the same seed.
        workers: CPU threads.

    Raises:
        OptionError: unknown codec, option or rate mode, or a rate out of range.
        CodecUnavailable: its library is not installed.
        CodecError: an image could not be coded. DataError: something is not an image, or the levels of all images are
            on another scale than their mode says, so that they would be almost black.
    """
    check_rate(rate, bpp, tolerance)
    one = available_codec(codec_named(codec, dict(codec_options(options))))
    pictures = [Picture.read(image) for image in images]
    if not pictures:
        return Compressed([], [], [], [], one.bits)
    check_levels([picture.levels() for picture in pictures], loose=True)
    pixels = [picture.at("upright") for picture in pictures]
    one = one.on(str(pixels[0].device))
    streams: dict[tuple[int, float], bytes] = {}

    def encode(requests: Sequence[tuple[int, float]]) -> list[int | None]:
        coded = one.encode([pixels[at] for at, _ in requests], [setting for _, setting in requests], workers)
        streams.update(zip(requests, coded, strict=True))
        return [one.cost(stream) for stream in coded]

    planned = plan(
        [ImageInfo(str(at), image.shape[-2] * image.shape[-1]) for at, image in enumerate(pixels)],
        one.ladder,
        [bpp],
        mode=rate,
        tolerance=TOLERANCE[rate] if tolerance is None else tolerance,
        seed=seed,
        encode=encode,
    ).at(bpp)
    settings = [setting for setting in planned.settings if setting is not None]
    kept = [streams[at, setting] for at, setting in enumerate(settings)]
    made = decode_to_sizes(one, kept, [(image.shape[-2], image.shape[-1]) for image in pixels], workers)
    check_sizes(codec, pixels, made)
    made = [image.to(source.device) for image, source in zip(made, pixels, strict=True)]
    return Compressed(made, kept, [rate for rate in planned.bpp if rate is not None], settings, one.bits)
