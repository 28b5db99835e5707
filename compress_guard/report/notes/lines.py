"""The notes beside the matrices, one line each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.report import numbers
from compress_guard.report.notes import (
    certainty,
    coding,
    controls,
    earlier_runs,
    losses,
    obstacles,
    pictures,
    releases,
    slices,
    together,
    waivers,
)
from compress_guard.report.tally import ungated

if TYPE_CHECKING:
    from compress_guard.records import CellResult
    from compress_guard.report.markup import Line

_WARNINGS: Final = (
    certainty.limits,
    certainty.inconclusive,
    certainty.needed,
    obstacles.unreachable,
    obstacles.unavailable,
    obstacles.faulty,
    obstacles.unjudged,
    obstacles.left_out,
    releases.remarks,
    pictures.outside,
    pictures.flat,
    pictures.dark,
    pictures.emptied,
    pictures.unnamed,
    together.video,
    together.few,
    waivers.waived,
    waivers.needless,
    earlier_runs.moved_models,
    earlier_runs.moved_decoders,
    slices.failed,
    slices.empty,
    controls.lossless,
    controls.mixed,
    controls.lossy_beyond,
    coding.outliers,
    coding.misjudged_bits,
)
"""Sentences that ask for an action."""


_FACTS: Final = (
    certainty.resolvable,
    together.grouped,
    certainty.rare,
    certainty.corrected,
    certainty.stopped,
    certainty.unknown,
    releases.moved,
    releases.partly,
    losses.flips,
    losses.images,
    slices.worst,
    pictures.turned,
    controls.lossy,
    controls.data_remarks,
    controls.decoders,
    controls.unswapped,
    controls.compared_decoders,
    coding.missed,
    coding.off_target,
    coding.estimated,
    coding.metadata,
    coding.steps,
    coding.remarks,
    earlier_runs.moved_codecs,
    earlier_runs.remembered,
    earlier_runs.without_fingerprint,
)
"""Sentences that need no action."""
_IN_BLOCKS: Final = (certainty.inconclusive, certainty.needed, losses.flips, losses.images)
"""Sentences on what the block of each guard shows."""


def notes(results: Sequence[CellResult], *, verbose: bool = False, below_blocks: bool = False) -> Iterator[Line]:
    """Yield the obstacles to a verdict and their remedies, then everything else that is worth knowing.

    `verbose` adds facts of the measurement that need no action; the results file always has them. `below_blocks`
    leaves out what the blocks of the guards show already.
    """
    in_blocks = _IN_BLOCKS if below_blocks else ()
    for name in ungated(results):
        cells = numbers.count(sum(result.guard == name for result in results), "cell")
        yield ((f"{name} gates nothing: none of its {cells} was judged", "red bold"),)
    for text in certainty.hopeless(results):
        yield ((text, "yellow bold"),)
    for warns in (each for each in _WARNINGS if each not in in_blocks):
        for text in warns(results):
            yield ((text, "yellow"),)
    for tells in (each for each in _FACTS if each not in in_blocks):
        for text in tells(results):
            yield ((text, "light"),)
    if verbose:
        for text in coding.mixed(results):
            yield ((text, "light"),)
