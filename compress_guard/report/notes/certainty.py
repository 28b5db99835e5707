"""Sentences on how certain the verdicts are, and how many images would settle them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.records import UNTOLD
from compress_guard.report import numbers
from compress_guard.report.groups import MOST_NAMED, by_guard, cell, cells, groups

if TYPE_CHECKING:
    from compress_guard.records import CellResult

_MOST_DOUBTS: Final = 3
"""Most doubts that a line spells out."""
_MOST_NUMBERS: Final = 3
"""Most numbers of images in a line; more are given as a range."""


def hopeless(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the limits that need more images, for metrics with flags and a drop of 0 or more.

    A gain may pass with fewer images, and so may a metric without flags.
    """

    def key(result: CellResult) -> tuple[str, int, float, int | None] | None:
        if not result.judged or result.verdict == "pass" or result.max_drop is None or result.stopped_early:
            return None
        if result.harmful_flips is None or result.drop is None or result.drop < 0 or not result.images_used:
            return None
        held = result.interval_confidence or result.confidence
        return result.guard, result.images_used, held, _groups_of(result)

    for (guard, images, confidence, together), group in groups(results, key):
        # Imports numpy, which a report without verdicts does not need.
        from compress_guard.verdict import power, sentence
        from compress_guard.verdict.grouped.groups import GroupCount

        limits = [result.max_drop for result in group if result.max_drop is not None]
        counted = None if together is None else GroupCount(together, together)
        missed = power.out_of_reach(images, limits, confidence, groups=counted)
        if missed is not None:
            caught = [result for result in group if result.max_drop in missed.limits]
            yield f"{guard}: {cells(caught)}: {sentence.too_few(images, missed, together)}"


def _groups_of(result: CellResult) -> int | None:
    """Return the number of groups that a cell's intervals are over; None if each image is one."""
    return result.groups if result.groups != result.images_used else None


def limits(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the limits that mean little, one line per guard."""
    for guard, group in by_guard(results, lambda result: bool(result.doubts)):
        texts = list(dict.fromkeys(doubt for result in group for doubt in result.doubts))
        more = f"; and {len(texts) - _MOST_DOUBTS} more like these" if len(texts) > _MOST_DOUBTS else ""
        yield f"{guard}: {'; '.join(texts[:_MOST_DOUBTS])}{more} ({numbers.count(len(group), 'cell')})"


def unknown(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards whose model may know nothing: it was not tested, or its answers left it open."""

    def key(result: CellResult) -> tuple[str, str] | None:
        return None if result.clean_remark is None else (result.guard, result.clean_remark)

    for (guard, remark), _ in groups(results, key):
        if UNTOLD in remark:
            yield f"{guard}: {remark}"
        else:
            yield f"{guard}: whether the model knows anything was not tested: {remark}; min_clean sets a floor"


def inconclusive(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the number of inconclusive verdicts and their outcomes."""
    undecided = [result for result in results if result.verdict == "inconclusive"]
    if undecided:
        yield (
            f"{len(undecided)} inconclusive (?): the interval reaches to both sides of the limit, so these images "
            f"cannot tell and more are needed; {settled(undecided)}"
        )


def settled(undecided: Sequence[CellResult]) -> str:
    """Return how inconclusive verdicts became outcomes: ``2 passed by on_inconclusive: pass``."""
    ways = {
        ("passed", "policy"): "passed by on_inconclusive: pass",
        ("failed", "policy"): "failed by on_inconclusive: fail",
        ("passed", "point"): "passed by the point estimate",
        ("failed", "point"): "failed by the point estimate",
        ("skipped", "policy"): "failed and waived",
    }
    taken = [(result.outcome, result.settled_by) for result in undecided]
    return ", ".join(f"{taken.count(way)} {text}" for way, text in ways.items() if way in taken)


def needed(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the approximate number of images that would settle the open verdicts of each guard."""
    for guard, group in by_guard(results, _is_open):
        yield f"{guard}: {'; '.join(to_settle(group))}"


def to_settle(undecided: Sequence[CellResult]) -> list[str]:
    """Return clauses on how many images would settle inconclusive verdicts, or that no number would."""
    group = [result for result in undecided if _is_open(result)]
    near = [result for result in group if result.images_needed is None]
    rest = sorted((result for result in group if result.images_needed), key=lambda result: result.images_needed or 0)
    estimates = list(groups(rest, _estimate))
    clauses = [f"about {_in_groups(*number)} would settle {cells(some)}" for number, some in estimates]
    if len(estimates) > _MOST_NUMBERS:
        (least, few), (most, many) = estimates[0][0], estimates[-1][0]
        together = None if few is None or many is None else f"{few} to {many}"
        clauses = [f"about {_in_groups(f'{least} to {most}', together)} would settle {cells(rest)}"]
    if near:
        clauses.append(f"too near the limit for a hundred times the images: {cells(near)}")
    return clauses


def _is_open(result: CellResult) -> bool:
    # Without a resolvable drop there was no interval.
    return result.verdict == "inconclusive" and result.resolvable_drop is not None


def _estimate(result: CellResult) -> tuple[str, str | None]:
    """Return about how many images would settle a cell, and in how many groups, if its images belong together."""
    together = None if _groups_of(result) is None or not result.groups_needed else numbers.about(result.groups_needed)
    return numbers.about(result.images_needed or 0), together


def _in_groups(images: str, together: str | None) -> str:
    return f"{images} images" if together is None else f"{images} images in {together} groups"


def resolvable(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield a sentence per guard: how far from its limit a drop has to be for these images to decide it."""
    for guard, group in by_guard(results, lambda result: result.resolvable_drop is not None):
        whole = [result for result in group if not result.stopped_early]
        if whole:
            images = numbers.span(map(str, sorted(result.images_used or result.images or 0 for result in whole)))
            drops = numbers.spread(result.resolvable_drop or 0.0 for result in whole)
            counts = sorted(count for result in whole if (count := _groups_of(result)) is not None)
            together = numbers.span(map(str, counts)) if counts else None
            from compress_guard.verdict import sentence  # late, as above

            yield f"{guard}: {sentence.of_resolution(images, drops, together)}"


def rare(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield sentences on passed cells that would miss a limit if rare images, absent from this sample, lost all."""
    for (guard, metric, units, unit), group in groups(results, _unseen):
        shown = [text for result in group if (text := _beyond(result)) is not None]
        if len(shown) > MOST_NAMED:
            shown = [f"{len(shown)} cells beyond their limits"]
        if shown:
            yield (
                f"{guard}: the interval of {metric} does not cover rare {unit}s that lose everything; as many as "
                f"{numbers.count(units, unit)} may have missed would bring {', '.join(shown)}"
            )


def _unseen(result: CellResult) -> tuple[str, str, int, str] | None:
    if result.verdict != "pass" or result.unseen_drop is None or not result.images_used:
        return None
    together = _groups_of(result)
    units = (result.images_used, "image") if together is None else (together, "group")
    return result.guard, result.metric, *units


def _beyond(result: CellResult) -> str | None:
    """Return ``neural at 0.5 bpp to a drop of 6.7 (allowed 5.6)``; None if the limits would hold."""
    drop, unseen, score = result.drop, result.unseen_drop, result.score
    if drop is None or unseen is None or score is None:
        return None
    if result.max_drop is not None and unseen > result.max_drop:
        return f"{cell(result)} to a drop of {numbers.points(unseen)} (allowed {numbers.limit(result.max_drop)})"
    left = score - (unseen - drop)
    if result.min_score is not None and left < result.min_score:
        return f"{cell(result)} to a score of {numbers.points(left)} (at least {numbers.limit(result.min_score)})"
    return None


def corrected(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the guards whose intervals are wider because there are many cells."""
    for correction, group in groups(results, lambda result: None if result.correction == "none" else result.correction):
        guards = ", ".join(dict.fromkeys(result.guard for result in group))
        levels = numbers.span(numbers.percent(result.confidence) for result in group)
        yield f"{guards}: intervals at {levels}: {correction} over the judged limits of the file"


def stopped(results: Sequence[CellResult]) -> Iterator[str]:
    """Yield the number of cells that stopped early, and the images that they took."""
    for guard, group in by_guard(results, lambda result: result.stopped_early):
        cells_of_guard = sum(result.guard == guard for result in results)
        used = numbers.span(map(str, sorted(result.images_used or 0 for result in group)))
        planned = numbers.span(map(str, sorted(result.images or 0 for result in group)))
        yield (
            f"{guard}: {len(group)} of {numbers.count(cells_of_guard, 'cell')} stopped early (*), certain after {used} "
            f"of {planned} images"
        )
