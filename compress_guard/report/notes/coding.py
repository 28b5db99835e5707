"""Sentences on rates and on decoded images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.report import numbers
from compress_guard.report.groups import by_guard, cell, groups, listed

if TYPE_CHECKING:
    from compress_guard.records import CellResult

ESTIMATE_TOLERANCE: Final = 0.01
"""Relative difference between estimated and coded bits that is reported: half of the default rate tolerance."""


def outliers(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the images that came back far worse than the others."""
    for result in results:
        if not result.outlier_count or result.psnr_median is None:
            continue
        named = ", ".join(f"{name} ({psnr:.1f} dB)" for name, psnr in result.outliers)
        more = ", ..." if len(result.outliers) < result.outlier_count else ""
        yield (
            f"{result.guard}: {cell(result)}: "
            f"{numbers.count(result.outlier_count, 'image')} came back far worse than the others "
            f"(median {result.psnr_median:.1f} dB); look at what its decoder makes of: {named}{more}"
        )


def misjudged_bits(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the codecs whose estimated bits are off their real streams."""

    def key(result: CellResult) -> tuple[str, str] | None:
        checked = result.bits == "estimated" and result.bits_difference is not None
        return (result.guard, result.codec) if checked else None

    for (guard, codec), group in groups(results, key):
        difference, images = group[0].bits_difference or 0.0, group[0].bits_checked or 0
        if abs(difference) > ESTIMATE_TOLERANCE:
            yield (
                f"{guard}: the estimated bits of {codec} are {100 * difference:+.1f} % off its real streams (checked "
                f"on {numbers.count(images, 'image')}), so the rates of {numbers.count(len(group), 'cell')} are too; "
                "set bits: coded"
            )


def missed(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the mean rates beyond the tolerance, except those that a floor or ceiling explains."""

    def beyond(result: CellResult) -> bool:
        measured = result.rate == "dataset" and result.drop is not None
        return measured and not result.off_target and bool(_miss(result))

    for guard, group in by_guard(results, beyond):
        cells = ", ".join(
            f"{cell(result)} has a mean of {numbers.bpp(result.bpp_mean or 0.0)} ({100 * _miss(result):+.1f} %)"
            for result in group
        )
        tolerance = numbers.span(f"{100 * (result.rate_tolerance or 0.0):g} %" for result in group)
        left_out = " or images were left out" if any(result.errors for result in group) else ""
        yield f"{guard}: {cells}, tolerance {tolerance}: too few images to mix two settings finely{left_out}"


def _miss(result: CellResult) -> float:
    """Return the relative distance of the mean rate from its target if it is beyond the tolerance, else 0."""
    if result.bpp_mean is None or result.target_bpp is None or result.rate_tolerance is None:
        return 0.0
    miss = result.bpp_mean / result.target_bpp - 1
    # A mean at the very edge of the tolerance may lie beyond it by rounding.
    return miss if abs(miss) > result.rate_tolerance + 1e-9 else 0.0


def off_target(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the number of images at a floor or ceiling."""
    yield from listed(
        results,
        lambda result: (
            f": {result.off_target} of {result.images}" if result.off_target and result.drop is not None else None
        ),
        "images coded at the codec's floor or ceiling, off their rate",
    )


def mixed(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the cells whose two settings are far apart, as the codec's own steps are."""
    yield from listed(
        results, lambda result: "" if result.mixed else None, "settings more than 15 % apart share the rate"
    )


def estimated(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the cells whose bits are estimated."""

    def remark(result: CellResult) -> str | None:
        if result.bits != "estimated":
            return None
        return "" if result.bits_difference is None else f" ({100 * result.bits_difference:+.1f} % off real streams)"

    yield from listed(results, remark, "bits are estimated, not coded")


def metadata(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the cells whose streams hold ICC profiles and EXIF, and their part of the rate."""

    def remark(result: CellResult) -> str | None:
        if result.metadata_images is None or result.metadata_bpp is None:
            return None
        return f" ({result.metadata_images} of {result.images} images, {numbers.bpp(result.metadata_bpp)} bpp)"

    yield from listed(results, remark, "ICC profiles and EXIF of the sources count in the rate")


def steps(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the rates of the steps of each pipeline, once for all decoders, which read the same streams."""

    def remark(result: CellResult) -> str | None:
        if len(result.steps) <= 1 or result.first_decoder is not None:
            return None
        return f" ({', '.join(f'{step} {numbers.bpp(bpp)}' for step, bpp in result.steps)})"

    yield from listed(results, remark, "bits of each step per pixel of the source")


def remarks(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the remarks of codecs."""

    def key(result: CellResult) -> tuple[str, str, str] | None:
        return (result.guard, result.codec, result.codec_remark) if result.codec_remark else None

    for (guard, codec, remark), _ in groups(results, key):
        yield f"{guard}: {codec}: {remark}"
