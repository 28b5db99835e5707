"""Sentences on obstacles to a verdict: missing rates, codecs, limits and images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import numbers
from compress_guard.report.groups import coded_by, groups

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def unreachable(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the rates that a codec cannot reach."""
    for (guard, codec), group in _by_codec(results, "unreachable"):
        rates = ", ".join(
            f"{result.target_bpp:g}" + (f" (floor {numbers.bpp(result.floor_bpp)})" if result.floor_bpp else "")
            for result in group
        )
        allow = ", or set on_unreachable: skip" if any(result.outcome == "failed" for result in group) else ""
        yield (
            f"{guard}: {codec} cannot reach {rates} bpp on these images; "
            f"ask for higher rates, bpp: {{{codec}: [...], default: [...]}}, use larger images{allow}"
        )


def unavailable(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the codecs that are not available."""
    for (codec, reason), group in groups(
        results, lambda result: (coded_by(result), result.reason) if result.verdict == "unavailable" else None
    ):
        yield f"{codec} is unavailable ({numbers.count(len(group), 'cell')}): {reason}"


def faulty(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the codecs that failed."""
    for (guard, codec), group in _by_codec(results, "codec_error"):
        yield f"{guard}: {codec} itself failed in {numbers.count(len(group), 'cell')}: no verdict on the model there"


def unjudged(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the codecs that were measured without a limit."""
    for (guard, codec), group in _by_codec(results, "unjudged"):
        cells = numbers.count(len(group), "cell")
        limits = "max_drop or min_score" if group[0].first_decoder is None else "max_decoder_drop"
        yield f"{guard}: {codec} was measured without a limit in {cells}; set {limits} to judge it"


def left_out(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the images that failed to load or code."""

    def key(result: CellResult) -> tuple[str, int, tuple[str, ...]] | None:
        measured = result.errors and result.drop is not None
        return (result.guard, result.errors or 0, result.error_ids) if measured else None

    for (guard, errors, ids), group in groups(results, key):
        share = f"{errors} of {numbers.span(str(result.images) for result in group if result.images is not None)}"
        named = ", ".join(ids) + (", ..." if len(ids) < errors else "")
        cells = numbers.count(len(group), "cell")
        yield f"{guard}: {share} images failed to load or code and were left out of {cells}: {named}"


def _by_codec(results: Sequence[CellResult], verdict: str) -> Iterator[tuple[tuple[str, str], list[CellResult]]]:
    yield from groups(results, lambda result: (result.guard, coded_by(result)) if result.verdict == verdict else None)
