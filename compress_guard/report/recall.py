"""What earlier runs left to this one, and what of it did not fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import figure
from compress_guard.report.groups import by_guard, groups

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def moved_models(results: Sequence[CellResult]) -> Iterator[str]:
    """Models that are not what their fingerprint says."""
    for guard, _ in by_guard(results, lambda result: result.model_moved):
        yield (
            f"{guard}: the model answers its probing batch otherwise than the one with the same fingerprint did in the "
            "run before, of which nothing was used; change the fingerprint whenever the model changes, or name all "
            "files that it is made of; do without one where the model answers otherwise in every run"
        )


def moved_codecs(results: Sequence[CellResult]) -> Iterator[str]:
    """Codecs whose library is another than in the run before."""

    def key(result: CellResult) -> tuple[str, str, str | None] | None:
        return (result.codec, result.codec_moved, result.codec_version) if result.codec_moved else None

    for (codec, before, now), _ in groups(results, key):
        yield f"{codec}: {before} in the run before, now {now}: coded again"


def remembered(results: Sequence[CellResult]) -> Iterator[str]:
    """How much of a guard's work earlier runs had done."""
    for guard, found in by_guard(results, lambda result: bool(result.remembered)):
        left = sum(result.remembered or 0 for result in found)
        asked = sum(result.predictions or 0 for result in results if result.guard == guard)
        yield (
            f"{guard}: {left} of {figure.count(left + asked, 'prediction')} are of earlier runs (fingerprint), the "
            f"model was asked for {asked}"
        )
