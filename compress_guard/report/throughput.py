"""Throughput cells as text: a table for each guard, failures with their reasons, and notes."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from compress_guard.report import numbers
from compress_guard.report.blocks.columns import groups
from compress_guard.report.blocks.wrapping import wrapped
from compress_guard.report.brief import failures
from compress_guard.report.markup import GAP, Line, Span, aligned, trimmed
from compress_guard.report.signs import Signs, style
from compress_guard.report.tally import tally

if TYPE_CHECKING:
    from compress_guard.records import OperatingPoint, ThroughputResult, Work

_HEADS: Final[dict[Work, str]] = {"encode": "encode", "decode": "decode", "round_trip": "round trip"}

_Cell = tuple[str, str, str]
"""Text, the mark behind it, and the style of both."""


def throughput_lines(
    results: Sequence[ThroughputResult],
    encoding: str | None = "utf-8",
    shown: Container[str] = (),
    width: int | None = None,
) -> Iterator[Line]:
    """Yield the report on these results, guards and codecs in their order, with signs that the `encoding` has.

    Failures with ids in `shown` are in brief: their reasons were written above. Lines are broken at
    `width`; None: never.
    """
    if not results:
        return
    signs = Signs.of(encoding)
    yield from wrapped(signs.legend("throughput in megapixels per second", results), width, blanks="   ")
    for guard in dict.fromkeys(result.guard for result in results):
        yield ()
        yield from _table([result for result in results if result.guard == guard], signs, width)
    remarks = [*failures(results, shown, ("throughput cell", "throughput cells")), *_notes(results)]
    if remarks:
        yield ()
        for remark in remarks:
            yield from wrapped(remark, width)
    yield ()
    yield from wrapped(((f"throughput: {tally(results)}", "bold"),), width)


def _table(results: Sequence[ThroughputResult], signs: Signs, room: int | None) -> Iterator[Line]:
    """Yield one guard: codecs and rates down, kinds of work across, in each cell the speed and its ratio."""
    rows = _rows(results)
    works = [work for work in _HEADS if any(work in row for _, row in rows)]
    columns: list[tuple[str, list[_Cell]]] = [
        (_HEADS[work], [_cell(row.get(work), signs) for _, row in rows]) for work in works
    ]
    for head, name in (("peak MB", "peak_memory"), ("growth MB", "growth")):
        cells = [_largest(row.values(), name) for _, row in rows]
        if any(text for text, _, _ in cells):
            columns.append((head, cells))
    width = max(len(label) for label, _ in rows)
    yield from wrapped(_title(results), room)
    widths = [sum(len(text) for text, _ in _spans(column, None)) for column in columns]
    lines: list[tuple[str, int | None]] = [("", None), *((label, at) for at, (label, _) in enumerate(rows))]
    for group in groups(len(GAP) + width, widths, room):
        for label, at in lines:
            spans = [span for number in group for span in _spans(columns[number], at)]
            yield trimmed([(f"{GAP}{label:<{width}}", ""), *spans])


def _rows(results: Sequence[ThroughputResult]) -> list[tuple[str, dict[Work, ThroughputResult]]]:
    """Return each codec at a point with its results by work; those that would share a place have rows of their own."""
    rows: dict[tuple[str, OperatingPoint, int], dict[Work, ThroughputResult]] = {}
    for result in results:
        again = 0
        while result.work in rows.setdefault((result.codec, result.point, again), {}):
            again += 1
        rows[result.codec, result.point, again][result.work] = result
    width = max(len(codec) for codec, _, _ in rows)
    return [(f"{codec:<{width}} {point.label}".rstrip(), row) for (codec, point, _), row in rows.items()]


def _title(results: Sequence[ThroughputResult]) -> Line:
    timed = [result for result in results if result.speed is not None]
    if not timed:
        return ((results[0].guard, "bold"),)
    images = numbers.span(numbers.count(result.images or 0, "image") for result in timed)
    pixels = numbers.span(f"{result.megapixels:.2g}" for result in timed)
    threads = numbers.span(str(result.threads) for result in timed)
    places = dict.fromkeys(result.codec_device or "" for result in timed)
    text = f": {images} of {pixels} megapixels in all, threads: {threads}, {', '.join(places)}"
    if references := dict.fromkeys(result.reference for result in timed if result.reference is not None):
        text += f"; x: times the speed of {' or '.join(references)}"
    return ((results[0].guard, "bold"), (text, ""))


def _cell(result: ThroughputResult | None, signs: Signs) -> _Cell:
    if result is None:
        return "", "", ""
    if result.speed is None:
        text = result.verdict.replace("_", " ")
    else:
        text = _number(result.speed) + (f" {_number(result.ratio)}x" if result.ratio is not None else "")
    return text, signs.mark(result), style(result)


def _largest(results: Iterable[ThroughputResult], name: str) -> _Cell:
    values = [value for result in results if (value := getattr(result, name)) is not None]
    return (numbers.points(max(values)) if values else "", "", "light")


def _spans(column: tuple[str, list[_Cell]], at: int | None) -> list[Span]:
    """Return a cell of a column, or its head if `at` is None: texts are aligned at the right, marks follow."""
    head, cells = column
    width = max(len(head), *(len(text) for text, _, _ in cells))
    marks = max(len(mark) for _, mark, _ in cells)
    text, mark, look = (head, "", "bold") if at is None else cells[at]
    return aligned(text, mark, look, (width, marks))


def _notes(results: Sequence[ThroughputResult]) -> Iterator[Line]:
    """Yield what was not timed and does not fail, and limits that are meant for another device."""
    missing = [result for result in results if result.speed is None and result.outcome != "failed"]
    for text in dict.fromkeys(f"{result.guard}: {result.reason}" for result in missing):
        yield ((text, "yellow"),)
    for text in dict.fromkeys(filter(None, map(_elsewhere, results))):
        yield ((text, "yellow"),)


def _elsewhere(result: ThroughputResult) -> str | None:
    from compress_guard.verdict.speed import on_device

    places = [place for place in (result.device, result.codec_device) if place]
    if result.speed is None or result.min_speed is None or on_device(result.limit_device, places):
        return None
    where = " and ".join(dict.fromkeys(places))
    return f"{result.guard}: min_speed is meant for {result.limit_device} and was not judged on {where}"


def _number(value: float) -> str:
    """Return a number with three significant digits, without powers of ten."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
