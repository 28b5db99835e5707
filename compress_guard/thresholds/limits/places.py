"""Places in the text of a thresholds file of the numbers that each cell's max_drop comes from."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from compress_guard.errors import ThresholdsError
from compress_guard.records import Cell, Guard, Quality, Rate
from compress_guard.thresholds import document
from compress_guard.thresholds.catalogue import DEFAULT, Catalogue
from compress_guard.thresholds.file import KEYS
from compress_guard.thresholds.keys.curve import is_quality
from compress_guard.thresholds.value import Value

_LIMIT: Final = "max_drop"


@dataclass(frozen=True, slots=True)
class Place:
    """A number in the text of a file: its first character, and that behind its last."""

    start: int
    end: int
    value: float
    line: int


class LimitPlaces:
    """The limits in the text of a file that has been loaded without an error."""

    def __init__(self, text: str, shown: str, folder: Path) -> None:
        """Take the text, the name of the file in messages, and the folder that relative paths are seen from."""
        table = document.parse(text, shown).table(KEYS)
        section = table["codecs"].value if "codecs" in table else None
        self._text: Final = text
        self._catalogue: Final = Catalogue.read(section, str(folder))
        self._guards: Final = {name: entry.value for name, entry in table["guards"].value.table().items()}
        tasks = table["thresholds"].value.table() if "thresholds" in table else {}
        self._tasks: Final = {task: entry.value.table()[_LIMIT].value for task, entry in tasks.items()}

    def of(self, guard: Guard, cell: Cell) -> tuple[Place, ...]:
        """Return the numbers that the limit of a cell comes from: two where it lies between two rates."""
        own = self._guards[guard.name].table()
        limit = own[_LIMIT].value if _LIMIT in own else self._tasks.get(guard.task)
        if limit is None or cell.max_drop is None:
            return ()
        return tuple(self._place(number) for number in _numbers(self._of_codec(limit, cell), cell))

    def insertion(self, guard: Guard) -> tuple[int, str, str]:
        """Return where a guard without max_drop takes one: the position, and what stands before and behind the key.

        Raises `ThresholdsError` for a guard whose keys all come from an alias.
        """
        value = self._guards[guard.name]
        pairs = [(key, child) for key, child in value.node.value if key.value != "<<"]
        if not pairs:
            found = f"all keys of {guard.name} come from an alias"
            raise ThresholdsError(value.place, found, "give it a max_drop, which --cg-update then measures")
        newline = "\r\n" if "\r\n" in self._text else "\n"
        last, content = pairs[-1]
        indent = " " * int(last.start_mark.column)
        if isinstance(value.node, yaml.CollectionNode) and value.node.flow_style:
            return int(pairs[0][0].start_mark.index), "", ", "
        if content.start_mark.line == content.end_mark.line and content.start_mark.line == last.start_mark.line:
            end = self._text.find("\n", content.end_mark.index)
            if end < 0:
                return len(self._text), f"{newline}{indent}", newline
            behind = end - 1 if self._text[:end].endswith("\r") else end
            return behind, f"{newline}{indent}", ""
        return int(pairs[0][0].start_mark.index), "", f"{newline}{indent}"

    def _of_codec(self, limit: Value, cell: Cell) -> Value:
        """Return the part of a max_drop that holds for the codec of a cell."""
        if not limit.is_map:
            return limit
        entries = {entry.key.scalar: entry.value for entry in limit.entries()}
        if not any(self._names_codec(entry.key) for entry in limit.entries()):
            return limit
        return entries[cell.codec.alias] if cell.codec.alias in entries else entries[DEFAULT]

    def _names_codec(self, key: Value) -> bool:
        return isinstance(key.scalar, str) and (not is_quality(key) or self._catalogue.knows(key))

    def _place(self, value: Value) -> Place:
        """Return the place of a number, which an anchor may stand before."""
        written, end = str(value.node.value), int(value.node.end_mark.index)
        start = end - len(written)
        if self._text[start:end] != written or value.as_number is None:
            raise value.error("this limit cannot be replaced", "write it as a plain number")
        return Place(start, end, value.as_number, value.line)


def _numbers(curve: Value, cell: Cell) -> Iterator[Value]:
    """Yield the numbers of a curve that hold at the point of a cell."""
    if not curve.is_map:
        yield curve
        return
    if isinstance(cell.point, Quality):
        for entry in curve.entries():
            if is_quality(entry.key) and float(str(entry.key.scalar)[1:]) == cell.point.setting:
                yield entry.value
    elif isinstance(cell.point, Rate):
        yield from _at_rate(curve, cell.point.bpp)


def _at_rate(curve: Value, bpp: float) -> Iterator[Value]:
    """Yield the number at a rate, or the two beside it."""
    given: Mapping[float, Value] = {
        entry.key.as_number: entry.value for entry in curve.entries() if entry.key.as_number is not None
    }
    rates = sorted(given)
    upper = bisect.bisect_left(rates, bpp)
    if upper < len(rates) and rates[upper] == bpp:
        yield given[rates[upper]]
    elif 0 < upper < len(rates):
        yield from (given[rate] for rate in rates[upper - 1 : upper + 1])
