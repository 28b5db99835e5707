"""The text of a thresholds file with limits from a measurement: numbers are replaced, everything else stays."""

from __future__ import annotations

import contextlib
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

from compress_guard.errors import ThresholdsError
from compress_guard.records import Cell, CellResult, Fixed, Guard, Quality, Rate, Recovery, Thresholds, Throughput
from compress_guard.thresholds.file import parse
from compress_guard.thresholds.limits.measured import limit_for, unlimited
from compress_guard.thresholds.limits.places import LimitPlaces, Place

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
AnyStudy = TypeVar("AnyStudy", Throughput | None, Recovery | None)
_SLACK: Final = 1e-9
"""Points by which limits between two rates may differ through rounding."""


@dataclass(frozen=True, slots=True)
class Source:
    """A thresholds file as a run has read it."""

    text: str
    path: Path
    shown: str
    folder: Path
    """The folder that relative paths in the file are seen from."""

    def guards(self, text: str | None = None) -> Thresholds:
        """Return the guards of its text, or of another one in its place."""
        given = self.text if text is None else text
        return parse(given, self.path, shown=self.shown, folder=self.folder, sources=False)


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A thresholds file with the limits of a measurement, and the cells whose limits need a decision."""

    text: str
    diff: tuple[str, ...]
    """Lines of a unified diff; empty where nothing changes."""
    above: tuple[str, ...]
    """Names of the cells whose whole interval is above a limit that stays."""
    open: tuple[str, ...]
    """Names of the cells whose interval reaches above a limit that stays."""
    unmeasured: tuple[str, ...]
    """Names of the cells without an interval or with a waiver, whose limits stay."""


def rewritten(source: Source, results: Mapping[str, CellResult], *, loosen: bool) -> Rewritten:
    """Return the file with the limits that these results, by the names of cells, give.

    A limit becomes lower, and with `loosen` higher too; a guard without limits gets them. Limits of a cell without an
    interval stay, and so do those of a waived cell, whose drop is a known failure. Raises `ThresholdsError` where other
    keys share a number by an alias.
    """
    before = source.guards()
    waived = {cell.name for guard in before.guards for cell in guard.cells if guard.waiver(cell.name) is not None}
    measured = {name: limit_for(result) for name, result in results.items() if name not in waived}
    wanted = {name: limit for name, limit in measured.items() if limit is not None}
    places = LimitPlaces(source.text, source.shown, source.folder)
    edits = {**_replaced(before, places, wanted, loosen=loosen), **_inserted(before, places, wanted)}
    text = _edited(source.text, edits)
    after = _checked(source, before, text, loosen=loosen)
    shown = (source.text.splitlines(), text.splitlines())
    diff = difflib.unified_diff(*shown, source.shown, f"{source.shown} (updated)", n=1, lineterm="")
    kept = {cell.name: cell for guard in after.guards for cell in guard.cells if cell.first_decoder is None}
    above = [name for name, cell in kept.items() if name in wanted and _is_above(cell, results[name].drop_low)]
    reaching = [name for name, cell in kept.items() if name in wanted and _is_above(cell, results[name].drop_high)]
    return Rewritten(
        text,
        tuple(diff),
        tuple(above),
        tuple(name for name in reaching if name not in above),
        tuple(name for name in kept if name not in wanted),
    )


def _is_above(cell: Cell, end: float | None) -> bool:
    """Return True if this end of a measured interval is above the limit."""
    return end is not None and cell.max_drop is not None and end > cell.max_drop


def _replaced(
    before: Thresholds, places: LimitPlaces, wanted: Mapping[str, float], *, loosen: bool
) -> dict[tuple[int, int], str]:
    """Return the new numbers, each by its place: the largest limit that a cell with this number needs."""
    needs: dict[Place, list[float | None]] = {}
    for guard in before.guards:
        for cell in guard.cells:
            if cell.first_decoder is None:
                for place in places.of(guard, cell):
                    needs.setdefault(place, []).append(wanted.get(cell.name))
    edits = {}
    for place, limits in needs.items():
        measured = [limit for limit in limits if limit is not None]
        if len(measured) < len(limits):
            continue
        most = max(measured)
        if most < place.value or (loosen and most > place.value):
            edits[place.start, place.end] = f"{most:g}"
    return edits


def _inserted(before: Thresholds, places: LimitPlaces, wanted: Mapping[str, float]) -> dict[tuple[int, int], str]:
    """Return the limits of guards that have none, each by the place where they are inserted."""
    edits: dict[tuple[int, int], str] = {}
    for guard in before.guards:
        cells = [cell for cell in guard.cells if cell.first_decoder is None]
        if any(cell.max_drop is not None for cell in cells):
            continue
        entries = list(_entries(cells, wanted))
        if entries:
            at, head, tail = places.insertion(guard)
            edits[at, at] = f"{head}max_drop: {{{', '.join(entries)}}}{tail}"
    return edits


def _entries(cells: Sequence[Cell], wanted: Mapping[str, float]) -> Iterator[str]:
    """Yield the limits of each codec with a measured cell; its other cells get the largest of them."""
    for codec in dict.fromkeys(cell.codec.alias for cell in cells):
        own = [cell for cell in cells if cell.codec.alias == codec]
        most = max((wanted[cell.name] for cell in own if cell.name in wanted), default=None)
        if most is None:
            continue
        name = codec if _PLAIN.fullmatch(codec) else json.dumps(codec)
        limits = [(cell, wanted.get(cell.name, most)) for cell in own]
        if isinstance(own[0].point, Fixed):
            yield f"{name}: {most:g}"
        else:
            yield f"{name}: {{{', '.join(f'{_key(cell)}: {limit:g}' for cell, limit in limits)}}}"


def _key(cell: Cell) -> str:
    point = cell.point
    return f"{point.bpp:g}" if isinstance(point, Rate) else f"q{point.setting:g}" if isinstance(point, Quality) else ""


def _edited(text: str, edits: Mapping[tuple[int, int], str]) -> str:
    for (start, end), new in sorted(edits.items(), reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _checked(source: Source, before: Thresholds, text: str, *, loosen: bool) -> Thresholds:
    """Return the guards of a text; raise `ThresholdsError` if anything else than limits of the drop has changed."""
    with contextlib.suppress(ThresholdsError):
        after = source.guards(text)
        if _rest(before) == _rest(after) and not any(_worse(*pair, loosen=loosen) for pair in _pairs(before, after)):
            return after
    found = "its limits cannot be changed without other keys, which share them by an alias"
    raise ThresholdsError(source.shown, found, "write these numbers out, and run it again")


def _rest(thresholds: Thresholds) -> list[Guard]:
    """Return everything but limits of the drop, lines, and what depends on the number of limits."""
    return [
        replace(
            guard,
            line=0,
            confidence=0.0,
            cells=tuple(replace(cell, line=0, limit_line=None, doubts=()) for cell in guard.cells),
            throughput=_lineless(guard.throughput),
            recovery=_lineless(guard.recovery),
        )
        for guard in unlimited(thresholds).guards
    ]


def _lineless(part: AnyStudy) -> AnyStudy:
    """Return the cells of another kind without their lines."""
    return None if part is None else replace(part, cells=tuple(replace(cell, line=0) for cell in part.cells))


def _pairs(before: Thresholds, after: Thresholds) -> Iterable[tuple[Cell, Cell]]:
    for old, new in zip(before.guards, after.guards, strict=True):
        yield from zip(old.cells, new.cells, strict=True)


def _worse(old: Cell, new: Cell, *, loosen: bool) -> bool:
    """Return True for limits that must not have changed like this."""
    if old.max_decoder_drop != new.max_decoder_drop or (old.judged and old.slice_limits != new.slice_limits):
        return True
    if old.max_drop is None or loosen:
        return False
    return new.max_drop is None or new.max_drop > old.max_drop + _SLACK
