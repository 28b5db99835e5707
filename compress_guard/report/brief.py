"""Short reasons of results, for the line beside an id."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.foreign import shown_line
from compress_guard.records import CellResult, Interval

if TYPE_CHECKING:
    from compress_guard.report.markup import Line
    from compress_guard.report.signs import Result
    from compress_guard.verdict.judgement import Side

LONGEST: Final = 160
"""Longest brief in characters: paths and texts of other code can have any length."""
_STRICT: Final = "failed because the run is strict"


def brief(result: Result) -> str:
    """Return ``top1 -27.5 (9.7 to 44.7), allowed 5.0``: the limit that decided, or the first clause of the reason."""
    if not isinstance(result, CellResult) or not result.judged:
        return first_clause(result.reason)
    if result.doubts and _STRICT in result.reason and result.verdict != "fail":
        return first_clause(f"{_STRICT}: {result.doubts[0]}")
    from compress_guard.verdict.judgement import WORST_FIRST  # brings numpy

    limits = sorted(_limits(result), key=lambda limit: WORST_FIRST.index(limit[0]))
    if not limits:
        return first_clause(result.reason)
    side, _, text = limits[0]
    return f"{text}, inconclusive" if side == "inconclusive" else text


def failed_limits(result: CellResult) -> list[str]:
    """Return the keys of the limits that a cell fails by: those that it missed, else those that it may have missed."""
    if result.outcome != "failed" or not result.judged:
        return []
    limits = list(_limits(result))
    missed = [key for side, key, _ in limits if side == "fail"]
    return list(dict.fromkeys(missed or [key for side, key, _ in limits if side == "inconclusive"]))


def missed_places(result: CellResult) -> dict[str, list[str]]:
    """Return the places of the limits that a cell fails by, ``thresholds.yaml:14``, by the keys of the limits."""
    given = [key for key, _ in result.limit_places]
    # A slice without a limit of its own has that of its slicing.
    missed = {key if key in given else key.partition("=")[0] for key in failed_limits(result)}
    places: dict[str, list[str]] = {}
    for key, place in result.limit_places:
        if key in missed:
            places.setdefault(key, []).append(place)
    return places


def failures(results: Sequence[Result], shown: Container[str], nouns: tuple[str, str]) -> Iterator[Line]:
    """Yield the failed results with their reasons, in brief for ids in `shown`, below a line that counts them.

    `nouns` names one result and several: ``("cell", "cells")``. Without failures there is no line.
    """
    failed = [result for result in results if result.outcome == "failed"]
    if failed:
        noun = nouns[0] if len(results) == 1 else nouns[1]
        yield ((f"{len(failed)} of {len(results)} {noun} failed:", "red bold"),)
    for result in failed:
        reason = brief(result) if result.id in shown else result.reason
        yield (("  ", ""), (result.id, "bold"), (f"  {reason}", ""))


def first_clause(sentence: str) -> str:
    """Return the first clause of a reason, without what was expected and what to do, on one line."""
    clause = shown_line(" ".join(sentence.split()).partition("; ")[0])
    return clause if len(clause) <= LONGEST else f"{clause[: LONGEST - 4]} ..."


def _limits(result: CellResult) -> Iterator[tuple[Side, str, str]]:
    """Yield the side of each limit of a cell, its key in the thresholds file, and its short form."""
    from compress_guard.verdict.judgement import sides
    from compress_guard.verdict.sentence import short_drop, short_floor

    between = _interval(result.decoder_drop, result.decoder_drop_low, result.decoder_drop_high)
    if between is not None:
        side, _, _ = sides(between, (None, None), (result.max_decoder_drop, None, None))
        if side is not None:
            text = short_drop(result.metric, between, result.max_decoder_drop)
            yield side, "max_decoder_drop", f"{text}, by {result.decoder} instead of {result.first_decoder}"
        return
    drop = _interval(result.drop, result.drop_low, result.drop_high)
    if drop is None:
        return
    score = _interval(result.score, result.score_low, result.score_high)
    clean = _interval(result.clean_score, result.clean_low, result.clean_high)
    limits = (result.max_drop, result.min_score, result.min_clean)
    of_drop, of_score, of_clean = sides(drop, (score, clean), limits)
    if of_drop is not None:
        yield of_drop, "max_drop", short_drop(result.metric, drop, result.max_drop)
    for side, key, name, interval, floor in (
        (of_score, "min_score", "score", score, result.min_score),
        (of_clean, "min_clean", "clean score", clean, result.min_clean),
    ):
        if side is not None and interval is not None and floor is not None:
            yield side, key, short_floor(name, interval, floor)
    fall = _interval(result.regression, result.regression_low, result.regression_high)
    if fall is not None and result.max_regression is not None:
        side, _, _ = sides(fall, (None, None), (result.max_regression, None, None))
        if side is not None:
            yield (
                side,
                "max_regression",
                short_drop(f"against the baseline: {result.metric}", fall, result.max_regression),
            )
    for part in result.slices:
        lost = _interval(part.drop, part.drop_low, part.drop_high)
        if part.verdict == "fail" and lost is not None:
            name = f"{part.slicing}={part.value}"
            yield "fail", f"slice {name}", short_drop(f"slice {name}", lost, part.max_drop)


def _interval(value: float | None, low: float | None, high: float | None) -> Interval | None:
    return None if value is None or low is None or high is None else Interval(value, low, high)
