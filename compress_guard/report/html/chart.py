"""Figures of score against rate: curves with bands, limits and the clean score, placed for a template to draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.records import CellResult
from compress_guard.report import numbers
from compress_guard.report.blocks.cell_texts import between
from compress_guard.report.groups import cell, coded_by
from compress_guard.report.html.marks import mark
from compress_guard.report.html.scale import Axis, apart, rate_scale, score_scale

WIDTH: Final = 640
HEIGHT: Final = 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 624.0, 16.0, 288.0
_LEAST: Final = 58.0
"""Least distance between numbers below the axis."""
COLOURS: Final = 8
"""Colours of codecs, which begin anew behind the last."""


@dataclass(frozen=True, slots=True)
class ChartMark:
    """One cell in a figure."""

    x: float
    y: float
    text: str
    """Values, as they are shown beside the mark."""
    tone: str


@dataclass(frozen=True, slots=True)
class ChartCurve:
    """One codec in a figure."""

    name: str
    colour: int
    marks: tuple[ChartMark, ...]
    line: str
    """Points of the polyline; empty where settings are compared, which nothing joins."""
    band: str
    """Points of the polygon of the intervals; empty without intervals."""
    bars: tuple[tuple[float, float, float], ...]
    """Intervals of single marks: x, upper and lower end."""
    limits: tuple[tuple[float, float], ...]
    """Lowest scores that the limits allow."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A whole figure."""

    title: str
    description: str
    metric: str
    curves: tuple[ChartCurve, ...]
    rates: tuple[tuple[float, str], ...]
    """Places and texts below the horizontal axis."""
    scores: tuple[tuple[float, str], ...]
    """Places and texts beside the vertical axis."""
    clean: tuple[tuple[float, str], ...]
    """Places and texts of the clean scores."""


def charts(results: Sequence[CellResult]) -> Iterator[Chart]:
    """Yield the figures of one guard: over target rates, and at fixed settings, each if there is anything to draw."""
    drawn = [
        result
        for result in results
        if result.score is not None and result.clean_score is not None and result.bpp_mean and not result.first_decoder
    ]
    if rates := [result for result in drawn if result.target_bpp is not None]:
        yield _chart("Score against rate", rates, joined=True)
    if fixed := [result for result in drawn if result.target_bpp is None]:
        yield _chart("Score at fixed settings", fixed, joined=False)


def _chart(title: str, results: Sequence[CellResult], *, joined: bool) -> Chart:
    x = rate_scale((_rate(result) for result in results), _LEFT, _RIGHT)
    y, lines = score_scale((score for result in results for score in _scores(result)), _BOTTOM, _TOP)
    names = list(dict.fromkeys(map(coded_by, results)))
    first = results[0]
    clean = sorted({round(result.clean_score, 1) for result in results if result.clean_score is not None})
    return Chart(
        title,
        f"{title}: {first.guard}, {first.metric} over bits per pixel, {', '.join(names)}",
        first.metric,
        tuple(
            _curve((name, at % COLOURS), [result for result in results if coded_by(result) == name], (x, y), joined)
            for at, name in enumerate(names)
        ),
        tuple(_ticks(results, x)),
        tuple((y.place(score), f"{score:g}") for score in lines),
        tuple((y.place(score), f"clean {numbers.points(score)}") for score in clean),
    )


def _curve(codec: tuple[str, int], results: list[CellResult], scales: tuple[Axis, Axis], joined: bool) -> ChartCurve:
    (name, colour), (x, y) = codec, scales
    results = sorted(results, key=_rate)
    marks = tuple(
        ChartMark(x.place(_rate(result)), y.place(result.score or 0.0), _text(result), result.verdict)
        for result in results
    )
    ends = [
        (x.place(_rate(result)), y.place(interval[1]), y.place(interval[0]))
        for result in results
        if (interval := _interval(result)) is not None
    ]
    limits = ((x.place(_rate(result)), lowest) for result in results if (lowest := _lowest(result)) is not None)
    outline = [(at, top) for at, top, _ in ends] + [(at, bottom) for at, _, bottom in reversed(ends)]
    banded = joined and len(ends) > 1
    return ChartCurve(
        name,
        colour,
        marks,
        _points([(each.x, each.y) for each in marks]) if joined and len(marks) > 1 else "",
        _points(outline) if banded else "",
        () if banded else tuple(ends),
        tuple((at, y.place(lowest)) for at, lowest in limits),
    )


def _rate(result: CellResult) -> float:
    """Return the rate that the images really have."""
    return result.bpp_mean or 1.0


def _interval(result: CellResult) -> tuple[float, float] | None:
    """Return the interval of the drop as scores below the clean one."""
    if result.clean_score is None or result.drop_low is None or result.drop_high is None:
        return None
    # Where the clean score is near an end of the scale, the interval of the difference goes beyond it.
    ends = (result.clean_score - result.drop_high, result.clean_score - result.drop_low)
    return max(0.0, ends[0]), min(100.0, ends[1])


def _lowest(result: CellResult) -> float | None:
    """Return the lowest score that max_drop and min_score allow."""
    floors = [result.min_score]
    if result.max_drop is not None and result.clean_score is not None:
        floors.append(result.clean_score - result.max_drop)
    return max((floor for floor in floors if floor is not None), default=None)


def _scores(result: CellResult) -> Iterator[float]:
    """Yield all scores that a figure shows of a cell."""
    yield from (score for score in (result.score, result.clean_score, _lowest(result)) if score is not None)
    yield from _interval(result) or ()


def _text(result: CellResult) -> str:
    """Return what is shown beside a mark."""
    text = f"{cell(result)}: {result.metric} {numbers.points(result.score or 0.0)}"
    if result.drop is not None:
        text += f", drop {numbers.points(result.drop)}"
        if interval := between(result.drop_low, result.drop_high):
            text += f" ({interval})"
    if result.max_drop is not None:
        text += f", allowed {numbers.limit(result.max_drop)}"
    return f"{text}, {numbers.bpp(_rate(result))} bpp: {mark(result)}"


def _ticks(results: Sequence[CellResult], x: Axis) -> Iterator[tuple[float, str]]:
    """Yield places and texts of rates: the target rates, or those that the settings came to."""
    rates = sorted({result.target_bpp or _rate(result) for result in results})
    rates = [rate for rate in rates if x.low <= rate <= x.high]
    places = [x.place(rate) for rate in rates]
    for rate, place, fits in zip(rates, places, apart(places, _LEAST), strict=True):
        if fits:
            yield place, numbers.bpp(rate)


def _points(places: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in places)
