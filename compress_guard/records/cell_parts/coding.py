"""Streams of a cell: their rate, their codec and decoders, and checks of what was decoded."""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.records.cell_parts.part import CellPart
from compress_guard.records.vocabulary import Bits


@dataclass(frozen=True, slots=True)
class CodedRate(CellPart):
    """Rate of the coded images.

    The figures are over the images used once there is a score, and over all of the plan where a cell stopped early.
    """

    bpp_mean: float | None = None
    """Mean of the images' bpp."""
    bpp_pooled: float | None = None
    """Bits of all streams divided by the pixels of all images."""
    bpp_se: float | None = None
    """Standard error of bpp_mean over the images."""
    settings: tuple[tuple[float, int], ...] = ()
    """Each setting with the number of images coded at it."""
    steps: tuple[tuple[str, float], ...] = ()
    """Each coded step of a pipeline, in its order, with the mean bits of its files per pixel of the source."""
    mixed: bool = False
    """Two settings more than 15 % apart in mean rate share the target."""
    off_target: int | None = None
    """Images at the codec's floor or ceiling that miss the target by more than the tolerance."""
    floor_bpp: float | None = None
    """For an unreachable target: the lowest mean rate of the codec (dataset mode), or the highest floor among the
    images that are stuck (image mode)."""
    metadata_images: int | None = None
    """Images whose streams hold an ICC profile or EXIF of their source; None for a codec that keeps neither."""
    metadata_bpp: float | None = None
    """Part of `bpp_mean` that these blocks take, without their headers."""


@dataclass(frozen=True, slots=True)
class CodecUsed(CellPart):
    """The codec that coded the cell."""

    bits: Bits | None = None
    """``coded`` if rates count real streams, ``estimated`` if they come from likelihoods."""
    codec_version: str | None = None
    codec_device: str | None = None
    """Device on which the codec worked, in the form of `CellResult.device`."""
    codec_remark: str | None = None
    """A remark of the codec on this device, such as a GPU path that it had to leave."""


@dataclass(frozen=True, slots=True)
class EstimateCheck(CellPart):
    """A codec's forward pass, compared with real streams of a few images."""

    bits_difference: float | None = None
    """Estimated bits / coded bits - 1 of the checked image for which they are furthest apart."""
    bits_checked: int | None = None
    """Images of the guard that were coded for real beside the forward pass; None for codecs without one."""
    reconstruction_difference: int | None = None
    """Largest difference, in levels, between those streams decoded and the forward reconstruction."""


@dataclass(frozen=True, slots=True)
class DecoderSwap(CellPart):
    """Figures of the control `decoder_swap`: the streams of the cell, decoded by a second decoder."""

    swap_decoder: str | None = None
    """The second decoder that `swap_score` rests on."""
    swap_score: float | None = None
    """The compressed score with the streams decoded by it; the drop moves by as much as the score."""
    swap_remark: str | None = None
    """Why there is no `swap_score`, though it was asked for."""


@dataclass(frozen=True, slots=True)
class DecoderComparison(CellPart):
    """The decoder of the images and, in a cell that compares decoders, what it does to the score."""

    decoder: str | None = None
    """Name of the decoder; None where the guard names no decoders."""
    decoder_version: str | None = None
    """Library and version of the decoder."""
    first_decoder: str | None = None
    """Name of the decoder that it is compared with, on the same streams; None in other cells."""
    decoder_drop: float | None = None
    """Score by the first decoder minus the score by this one."""
    decoder_drop_low: float | None = None
    decoder_drop_high: float | None = None
    decoder_difference_max: int | None = None
    """Largest difference in a channel, in levels of 0 to 255, between the pixels of both decoders."""
    decoder_difference_mean: float | None = None
    """Mean over the images of the mean absolute difference between them, in levels."""


@dataclass(frozen=True, slots=True)
class FidelityFigures(CellPart):
    """Decoded images, compared with their sources before the model saw them."""

    checked: int | None = None
    """Images whose streams were decoded again, to the same pixels, before the model was judged."""
    device_difference: float | None = None
    """Largest mean difference in luma, in levels, between those images decoded on the GPU and on the CPU; None where
    the codec works on the CPU."""
    psnr_mean: float | None = None
    """Mean over the images of the decoded image's PSNR against its source, in dB; an exact copy counts as 100."""
    psnr_median: float | None = None
    outlier_count: int | None = None
    """Images that came back far worse than the others."""
    outliers: tuple[tuple[str, float], ...] = ()
    """The first few of them, the worst first: id and PSNR in dB."""
