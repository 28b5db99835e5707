"""Sentences on evidence of earlier runs, and on what has moved since."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from compress_guard.report import numbers
from compress_guard.report.groups import by_guard, groups

if TYPE_CHECKING:
    from compress_guard.records import CellResult


def moved_models(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the models that are not what their fingerprint says."""
    for guard, _ in by_guard(results, lambda result: result.model_moved):
        early = [cell for cell in results if cell.guard == guard and cell.remembered and not cell.model_moved]
        used = "nothing was used"
        if early:
            count = numbers.count(len(early), "cell")
            used = f"nothing was used from then on; {count} had been judged with its answers before: run again"
        yield (
            f"{guard}: the model answers its probing batch, or the first batch of a cell, otherwise than the one with "
            f"the same fingerprint did in the run before, of which {used}; change the fingerprint whenever the model "
            "changes, or name all files that it is made of; do without one where the model answers otherwise in every "
            "run"
        )


def moved_decoders(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the codecs that decode otherwise than in the run before, at the same version."""

    def key(result: CellResult) -> tuple[str, str | None] | None:
        return (result.codec, result.codec_version) if result.decoder_moved else None

    for (codec, version), _ in groups(results, key):
        yield (
            f"{codec}: the same streams decode to other pixels than in the run before, although its version is the "
            f"same ({version}); its images were predicted again; see what else has changed in its library"
        )


def moved_codecs(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the codecs whose library is another than in the run before."""

    def key(result: CellResult) -> tuple[str, str, str | None] | None:
        return (result.codec, result.codec_moved, result.codec_version) if result.codec_moved else None

    for (codec, before, now), _ in groups(results, key):
        yield f"{codec}: {before} in the run before, now {now}: coded again"


def without_fingerprint(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards whose images were all coded by earlier runs, and whose model had to answer again.

    Guards may share images, so none is yielded by a run that coded any.
    """
    if any(result.encodes for result in results):
        return
    for guard, group in by_guard(results, lambda result: result.encodes is not None and result.drop is not None):
        asked = sum(result.predictions or 0 for result in group)
        warm = all(result.encodes == 0 and result.remembered is None for result in group)
        if warm and asked:
            made = numbers.count(asked, "prediction")
            yield (
                f"{guard}: every image was coded already, but the model had to make {made}; with a fingerprint in the "
                "guard the next run uses them again: docs/howto/caching.md"
            )


def remembered(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the number of predictions that earlier runs had made."""
    for guard, group in by_guard(results, lambda result: bool(result.remembered)):
        left = sum(result.remembered or 0 for result in group)
        asked = sum(result.predictions or 0 for result in results if result.guard == guard)
        yield (
            f"{guard}: {left} of {numbers.count(left + asked, 'prediction')} are of earlier runs (fingerprint), the "
            f"model was asked for {asked}"
        )
