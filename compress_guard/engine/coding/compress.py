"""A loose batch of images, coded to a target rate or at a quality, and decoded again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from compress_guard.codecs import calls
from compress_guard.codecs.contract import Codec, Stepped
from compress_guard.codecs.pictures.metadata import Metadata
from compress_guard.codecs.pixels import Picture, check_sizes
from compress_guard.engine.coding.available import available_codec, codec_options
from compress_guard.engine.images.value_range import check_levels
from compress_guard.errors import OptionError
from compress_guard.rate import plan, plan_given
from compress_guard.records import Bits, CodecSpec, ImageInfo, PlannedRate, Quality, Rate, RateMode
from compress_guard.registry import codec_named
from compress_guard.thresholds.keywords import (
    DEFAULT_BPP,
    AskedByKeyword,
    check_nothing_asked,
    check_rate,
    check_setting,
)
from compress_guard.thresholds.settings import TOLERANCE

if TYPE_CHECKING:
    import torch
    from PIL import Image

Images: TypeAlias = "Sequence[Any] | torch.Tensor | Image.Image"
"""A batch of images, or one image alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Compressed:
    """The result of `compress`; every list has one entry per image."""

    images: list[torch.Tensor]
    """Decoded, uint8 RGB (3, H, W), on the device of the source, of its size unless the codec scales or crops."""
    streams: list[bytes]
    """The coded files, as the codec's library writes them; stand-ins for them if bits are estimated."""
    bpp: list[float]
    """8 x bytes / pixels of the source; bytes of its stream, or estimated ones."""
    settings: list[float]
    """Settings on the codec's own scale, such as the quality of JPEG."""
    bits: Bits = "coded"
    """``coded`` if `bpp` counts the bytes of real streams, ``estimated`` otherwise."""


@dataclass(frozen=True, slots=True, eq=False)
class _Coded:
    """A batch with the streams of its images at several settings."""

    name: str
    """Name of the codec, as it was asked for."""
    codec: Codec
    sources: Sequence[torch.Tensor]
    metadata: Sequence[Metadata]
    """Metadata of each source, of which the codec keeps what its options say."""
    workers: int
    streams: dict[tuple[int, float], bytes] = field(default_factory=dict)
    """By position in the batch and setting."""

    def lengths(self, requests: Sequence[tuple[int, float]]) -> list[int | None]:
        """Code sources at settings, requested as (position, setting), and return the bytes of each stream."""
        positions, settings = [at for at, _ in requests], [setting for _, setting in requests]
        sources, metadata = [self.sources[at] for at in positions], [self.metadata[at] for at in positions]
        streams = calls.encode(self.codec, sources, settings, self.workers, metadata)
        self.streams.update(zip(requests, streams, strict=True))
        return [self.codec.cost(stream) for stream in streams]

    def decoded(self, planned: PlannedRate) -> Compressed:
        """Decode the streams that a rate takes; raises `CodecError`."""
        settings = [setting for setting in planned.settings if setting is not None]
        kept = [self.streams[at, setting] for at, setting in enumerate(settings)]
        sizes = [(image.shape[-2], image.shape[-1]) for image in self.sources]
        images = calls.decode(self.codec, kept, sizes, self.workers)
        check_sizes(self.name, self.sources, images, calls.delivered_sizes(self.codec, self.sources))
        images = [image.to(source.device) for image, source in zip(images, self.sources, strict=True)]
        bpp = [rate for rate in planned.bpp if rate is not None]
        if isinstance(self.codec, Stepped):
            kept = [self.codec.delivered_file(stream) for stream in kept]
        return Compressed(images, kept, bpp, settings, self.codec.bits)


@overload
def compress(
    images: Images,
    *,
    codec: str = ...,
    bpp: float = ...,
    quality: None = ...,
    rate: RateMode = ...,
    tolerance: float | None = ...,
    seed: int = ...,
    workers: int = ...,
    **options: Any,
) -> Compressed: ...


@overload
def compress(
    images: Images,
    *,
    codec: str = ...,
    bpp: None = ...,
    quality: float,
    rate: RateMode = ...,
    tolerance: float | None = ...,
    seed: int = ...,
    workers: int = ...,
    **options: Any,
) -> Compressed: ...


@overload
def compress(
    images: Images,
    *,
    codec: str = ...,
    bpp: float | Sequence[float] | None = ...,
    quality: float | Sequence[float] | None = ...,
    rate: RateMode = ...,
    tolerance: float | None = ...,
    seed: int = ...,
    workers: int = ...,
    **options: Any,
) -> list[Compressed]: ...


def compress(  # noqa: PLR0913 - public, keyword-only but for the images
    images: Images,
    *,
    codec: str = "jpeg",
    bpp: float | Sequence[float] | None = DEFAULT_BPP,
    quality: float | Sequence[float] | None = None,
    rate: RateMode = "image",
    tolerance: float | None = None,
    seed: int = 0,
    workers: int = 1,
    **options: Any,
) -> Compressed | list[Compressed]:
    """Code a loose batch of images to a target rate, or at a quality, and decode it again.

    Args:
        images: uint8 RGB tensors (3, H, W) or PIL images, of any sizes; PIL images are turned upright by their EXIF,
            which their boxes or masks may need too. A single image is a batch of one, a tensor (N, 3, H, W) a batch
            of N. A codec that works on GPUs uses the device of the first image.
        codec: A registered codec; `options` are its options. A pipeline of fixed steps takes no `bpp` and no `quality`.
        bpp: Target rate in bits per pixel of the source, or a list of rates, which share one search.
        quality: A setting on the codec's own scale, or a list of them: each image is coded once, at exactly that. The
            default of `bpp` does not hold beside it; a `bpp` that is stated does, and its results come first.
        rate: ``image`` brings each image to the rate; ``dataset`` brings their mean to it.
        tolerance: Relative; 0.05 in image mode and 0.02 in dataset mode by default. An image beyond the codec's
            reach is coded at its floor or ceiling: see the returned `bpp`.
        seed: Seed of the hash that divides the images between two settings in dataset mode, and that chooses the images
            from which the search learns; the same seed gives the same results.
        workers: CPU threads.

    Returns:
        The coded batch, or a list of them where `bpp` or `quality` is a list or both are stated.

    Raises:
        OptionError: unknown codec, option or rate mode, a rate or a quality out of range, or no image at all.
        CodecUnavailable: its library is not installed.
        CodecError: an image could not be coded. DataError: an item is not an image, or the levels of all images are on
            another scale than their mode says, so that they would be almost black.
    """
    spec = codec_named(codec, dict(codec_options(options)))
    asked = _asked(spec, bpp, quality)
    for target in asked.rates or [DEFAULT_BPP]:
        check_rate(rate, target, tolerance)
    given = [Quality(check_setting(spec, setting)) for setting in asked.qualities]
    built = available_codec(spec)
    batch = list(_batch(images))
    pictures = [Picture.read(image) for image in batch]
    if not pictures:
        raise OptionError("images is an empty batch; expected at least one image to compress")
    check_levels([picture.levels() for picture in pictures], loose=True)
    pixels = [picture.at("upright") for picture in pictures]
    built = built.on(str(pixels[0].device))
    coded = _Coded(codec, built, pixels, [Metadata.of(image) for image in batch], workers)
    infos = [ImageInfo(str(at), image.shape[-2] * image.shape[-1]) for at, image in enumerate(pixels)]
    planned = plan(
        infos,
        built.ladder,
        asked.rates,
        mode=rate,
        tolerance=TOLERANCE[rate] if tolerance is None else tolerance,
        seed=seed,
        encode=coded.lengths,
    )
    made = [coded.decoded(planned.at(Rate(target))) for target in asked.rates]
    made += (coded.decoded(plan_given(infos, point, point.setting, coded.lengths)) for point in given)
    return made[0] if asked.alone else made


def _asked(spec: CodecSpec, bpp: Any, quality: Any) -> AskedByKeyword:
    """Return the rates and qualities that are asked for; a pipeline that leaves nothing open has the one of its end."""
    asked = AskedByKeyword.of(bpp, quality)
    if not spec.fixed:
        return asked
    check_nothing_asked(spec, bpp, quality)
    return AskedByKeyword((), tuple(step.quality for step in spec.steps if step.codes)[-1:], alone=True)


def _batch(images: Images) -> Sequence[Any]:
    """Return the images of a batch; a single image is a batch of one."""
    import torch
    from PIL import Image

    stacked = isinstance(images, torch.Tensor) and images.ndim == 4
    alone = isinstance(images, (torch.Tensor, Image.Image)) and not stacked
    return [images] if alone else images  # type: ignore[return-value]  # a tensor's rows are its images
