"""The text of a new thresholds file, with comments."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.cli.starting.answers import ALL, Numbers, Wanted
from compress_guard.records import CellResult, OperatingPoint, Quality, Rate
from compress_guard.report import numbers
from compress_guard.thresholds.catalogue import DEFAULT
from compress_guard.thresholds.limits.measured import MARGIN, limit_for
from compress_guard.thresholds.value import BOOL, NULL

SCHEMA_NAME: Final = "compress-guard.schema.json"
"""The name of the copy of the schema beside the file."""
UNMEASURED: Final = 5
"""Allowed drop in points where nothing was measured."""
_PLAIN: Final = re.compile(r"[A-Za-z_][\w.]*(:[\w.-]+)*", re.ASCII)
_LONGEST_REASON: Final = 160


@dataclass(frozen=True, slots=True)
class Found:
    """The measurement behind a file: results in the order of the cells; those without an interval are left out."""

    results: tuple[CellResult, ...] = ()

    @property
    def kept(self) -> tuple[CellResult, ...]:
        """Results that give a limit."""
        return tuple(result for result in self.results if limit_for(result) is not None)

    @property
    def left_out(self) -> tuple[CellResult, ...]:
        """Results of points that have no limit: the codec does not reach them, or is not installed."""
        return tuple(result for result in self.results if limit_for(result) is None)

    @property
    def untested(self) -> str | None:
        """Sentence that nobody knows whether the model knows anything, with the reason; None where it was tested."""
        reason = next((result.clean_remark for result in self.results if result.clean_remark is not None), None)
        return None if reason is None else f"whether the model knows anything was not tested: {reason}"


def file_text(wanted: Wanted, found: Found) -> str:
    """Return the file; without results its limit is one number for all points."""
    return "\n".join(_lines(wanted, found)) + "\n"


def _lines(wanted: Wanted, found: Found) -> Iterator[str]:
    kept = found.kept
    yield f"# yaml-language-server: $schema={SCHEMA_NAME}"
    yield "# Written by `compress-guard init`. Scores and drops are points; all keys: docs/reference/thresholds.md"
    yield "# `compress-guard check` tries this file on a few images, and `pytest --compress-guard` gates by it."
    yield "version: 1"
    yield "guards:"
    yield f"  {_scalar(wanted.guard)}:"
    yield f"    task: {wanted.task}"
    yield f"    model: {_scalar(wanted.model)}  # called once; a predictor, see compress_guard.predictor"
    yield f"    data: {_scalar(wanted.data)}  # called once; a sequence of (image, target)"
    codecs = list(dict.fromkeys(result.codec for result in kept)) or wanted.points.codecs
    yield f"    codecs: [{', '.join(map(_scalar, codecs))}]"
    quality, rates = (_numbers_of(kept, kind) if kept else given for kind, given in _kinds(wanted))
    if quality:
        yield f"    quality: {_mapped(quality)}  # the codec's own setting, as in production"
    if rates:
        yield f"    bpp: {_mapped(rates)}  # bits per pixel of the source image"
    elif not quality:
        yield "    bpp: null  # no rates"
    for result in found.left_out:
        yield f"    # left out: {result.codec} at {_point(result.point)}: {_brief(result.reason)}"
    if found.untested is not None:
        yield f"    # {found.untested}"
    yield from _limits(kept)


def _kinds(wanted: Wanted) -> tuple[tuple[type[Quality | Rate], Numbers], ...]:
    return (Quality, wanted.points.quality), (Rate, wanted.points.bpp)


def _limits(kept: Sequence[CellResult]) -> Iterator[str]:
    if not kept:
        yield f"    max_drop: {UNMEASURED}  # allowed drop, the same at each point until you set your own"
        return
    first = kept[0]
    images = f"{first.images_used} clean images"
    if first.clean_score is not None:
        floor = max(0, int(first.clean_score) - 5)
        score = f"{first.metric} {numbers.points(first.clean_score)} on {images}"
        yield f"    # min_clean: {floor}  # a floor under the clean score, which was {score}"
    yield f"    # Allowed drop: the upper end of each interval on {images} plus {MARGIN:g} points."
    yield "    # `pytest --compress-guard --cg-update` measures on all images, which gives closer limits."
    yield "    max_drop:"
    for codec in dict.fromkeys(result.codec for result in kept):
        yield f"      {_scalar(codec)}:"
        for result in (each for each in kept if each.codec == codec):
            yield f"        {_point_key(result.point)}: {limit_for(result):g}  # measured {_interval(result)}"


def _interval(result: CellResult) -> str:
    low, high = result.drop_low, result.drop_high
    return " ".join(
        [
            "?" if result.drop is None else numbers.points(result.drop),
            *([] if low is None or high is None else [f"({numbers.points(low)} to {numbers.points(high)})"]),
        ]
    )


def _numbers_of(kept: Iterable[CellResult], kind: type[Quality | Rate]) -> Numbers:
    """Return the points of one kind that have limits, by codec."""
    made: dict[str, list[str]] = {}
    for result in kept:
        if isinstance(result.point, kind):
            made.setdefault(result.codec, []).append(_number(result.point))
    lists = {codec: tuple(values) for codec, values in made.items()}
    codecs = {result.codec for result in kept}
    if len(set(lists.values())) == 1 and set(lists) == codecs:
        return {ALL: next(iter(lists.values()))}
    return lists


def _mapped(given: Numbers) -> str:
    """Return a list, or a map of lists by codec."""
    lists: Mapping[str, str] = {codec: f"[{', '.join(values)}]" for codec, values in given.items()}
    if set(lists) == {ALL}:
        return lists[ALL]
    entries = (f"{_scalar(codec or DEFAULT)}: {listed}" for codec, listed in lists.items())
    return f"{{{', '.join(entries)}}}"


def _number(point: OperatingPoint) -> str:
    return f"{point.bpp:g}" if isinstance(point, Rate) else f"{point.setting:g}" if isinstance(point, Quality) else ""


def _point_key(point: OperatingPoint) -> str:
    return f"{'q' if isinstance(point, Quality) else ''}{_number(point)}"


def _point(point: OperatingPoint) -> str:
    return f"{_number(point)} bpp" if isinstance(point, Rate) else f"quality {_number(point)}"


def _scalar(text: str) -> str:
    """Return a text as YAML reads it back as text."""
    if _PLAIN.fullmatch(text) and not BOOL.fullmatch(text) and not NULL.fullmatch(text):
        return text
    return json.dumps(text)


def _brief(reason: str) -> str:
    """Return the first part of a reason, which says what was found."""
    found = reason.partition("; ")[0]
    return found if len(found) <= _LONGEST_REASON else f"{found[:_LONGEST_REASON]} ..."
