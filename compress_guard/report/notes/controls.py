"""Sentences on the ground of a run: sources, the lossless control, decoders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import numbers
from compress_guard.report.groups import by_guard, cells, groups

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def lossless(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the number of predictions that a lossless pass changed."""
    for guard, group in by_guard(results, lambda result: bool(result.control_changed)):
        changed, of = max((result.control_changed or 0, result.control_images or 0) for result in group)
        yield f"{guard}: {changed} of {numbers.count(of, 'image')} were predicted otherwise after a lossless codec"


def mixed(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield a sentence per guard whose predictions changed in batches with other images, too few to be an error."""
    for guard, group in by_guard(results, lambda result: bool(result.control_mixed_changed)):
        changed, of = max((result.control_mixed_changed or 0, result.control_mixed or 0) for result in group)
        yield f"{guard}: {changed} of {numbers.count(of, 'prediction')} changed among other neighbours in the batch"


def data_remarks(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the remarks on how images were read."""
    for remark, group in groups(results, lambda result: result.data_remark):
        yield f"{', '.join(dict.fromkeys(result.guard for result in group))}: {remark}"


def lossy_beyond(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the cells at or above the rate of their lossy sources."""
    for guard, group in by_guard(results, _beyond):
        yield f"{guard}: {_sources(group)}; the drop says little at or above that: {cells(group)}"


def lossy(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the lossy sources of guards that `lossy_beyond` does not name."""
    warned = {guard for guard, _ in by_guard(results, _beyond)}
    for guard, group in by_guard(results, lambda result: bool(result.lossy_sources) and result.guard not in warned):
        yield f"{guard}: {_sources(group)}"


def decoders(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield how much the score moves with the decoder alone."""

    def key(result: CellResult) -> tuple[str, str] | None:
        swapped = result.swap_decoder and result.swap_score is not None and result.score is not None
        return (result.guard, result.swap_decoder or "") if swapped else None

    for (guard, decoder), group in groups(results, key):
        moves = sorted((result.swap_score or 0.0) - (result.score or 0.0) for result in group)
        by = numbers.span(map(numbers.signed, moves))
        yield f"{guard}: another decoder ({decoder}) moves the score by {by} points: {cells(group)}"


def unswapped(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield why a second decoder that was asked for gave no score."""

    def key(result: CellResult) -> tuple[str, str] | None:
        return None if result.swap_remark is None else (result.guard, result.swap_remark)

    for (guard, remark), group in groups(results, key):
        yield f"{guard}: decoder_swap gave no score, since {remark}: {cells(group)}"


def compared_decoders(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield how far the pixels and the scores of a further decoder are from those of the first one."""

    def key(result: CellResult) -> tuple[str, str, str, bool] | None:
        if result.first_decoder is None or result.decoder_drop is None:
            return None
        return result.guard, result.decoder or "", result.first_decoder, result.decoder_difference_max == 0

    for (guard, decoder, first, identical), group in groups(results, key):
        if identical:
            used = numbers.span(str(result.images_used) for result in group)
            yield (
                f"{guard}: {decoder} and {first} give identical pixels on all {used} images, so the drop between them "
                f"is 0 there; its interval is about other images: {cells(group)}"
            )
            continue
        moves = sorted(-(result.decoder_drop or 0.0) for result in group)
        by = numbers.span(map(numbers.signed, moves))
        most = max(result.decoder_difference_max or 0 for result in group)
        means = sorted(result.decoder_difference_mean or 0.0 for result in group)
        apart = f"up to {most} levels, {numbers.span(f'{mean:.2f}' for mean in means)} on average"
        yield f"{guard}: {decoder} instead of {first} moves pixels by {apart}, and the score by {by} points"


def _beyond(result: CellResult) -> bool:
    rate = result.source_bpp
    coded = result.target_bpp or result.bpp_mean
    return bool(result.lossy_sources) and rate is not None and result.drop is not None and (coded or 0.0) >= rate


def _sources(group: Sequence[CellResult]) -> str:
    rates = numbers.span(numbers.bpp(result.source_bpp) for result in group if result.source_bpp is not None)
    most = max(group, key=lambda result: result.lossy_sources or 0)
    count = f"{most.lossy_sources} of {most.sources_looked or most.images}"
    return f"{count} sources are lossy files already, {rates} bpp on average"
