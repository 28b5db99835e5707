"""Long lines and long names on a narrow output: broken at blanks, shortened in the middle."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from compress_guard.report.markup import Line, columns, trimmed

_CUT: Final = "..."
_DEEPER: Final = "  "
"""Indent of the second line of a sentence, beyond that of the first."""


def wrapped(line: Line, width: int | None, blanks: str = " ") -> Iterator[Line]:
    """Yield a line, broken where it is wider than `width` at so many blanks or more; None: never.

    A word is never broken, nor a number, so that one that is wider than the output stays whole.
    """
    text = "".join(part for part, _ in line)
    if width is None or columns(text) <= width:
        yield line
        return
    indent = " " * (len(text) - len(text.lstrip(" "))) + _DEEPER
    begin = 0
    for first, last in _words(text, blanks):
        before = "" if begin == 0 else indent
        if columns(text[begin:last]) + len(before) > width and first > begin and text[begin:first].strip():
            yield _slice(line, begin, first, before)
            begin = first
    yield _slice(line, begin, len(text), "" if begin == 0 else indent)


def shortened_name(name: str, room: int) -> str:
    """Return a name of at most `room` columns, with ``...`` in place of what is left out of its middle."""
    if columns(name) <= room:
        return name
    kept = max(room - len(_CUT), 1)
    file = columns(name.rpartition("/")[2])
    end = _end(name, file if 0 < file <= kept else max(kept * 2 // 3, 1))
    return f"{_beginning(name, kept - columns(end))}{_CUT}{end}"


def _beginning(name: str, room: int) -> str:
    """Return the first characters of a name that `room` columns hold."""
    taken = 0
    for at, character in enumerate(name):
        taken += columns(character)
        if taken > room:
            return name[:at]
    return name


def _end(name: str, room: int) -> str:
    """Return the last characters of a name that `room` columns hold, without an accent whose letter is left out."""
    taken = 0
    for at in range(len(name) - 1, -1, -1):
        taken += columns(name[at])
        if taken > room:
            kept = range(at + 1, len(name))
            return name[next((place for place in kept if columns(name[place])), len(name)) :]
    return name


def _words(text: str, blanks: str) -> Iterator[tuple[int, int]]:
    """Yield the first character of each word of a text, and the one behind its last; `blanks` are between words."""
    first = 0
    for gap in re.finditer(f"{blanks}+", text):
        if gap.end() - gap.start() >= len(blanks) and text[first : gap.start()].strip():
            yield first, gap.start()
            first = gap.end()
    yield first, len(text)


def _slice(line: Line, first: int, last: int, indent: str) -> Line:
    """Return the characters of a line from `first` up to `last`, behind an indent."""
    spans = [(indent, "")]
    at = 0
    for text, style in line:
        spans.append((text[max(first - at, 0) : max(last - at, 0)], style))
        at += len(text)
    return trimmed(spans)
