"""Styled text without a terminal: a line is a tuple of spans."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from compress_guard.foreign import shown_line

Span: TypeAlias = tuple[str, str]
"""Text and its style: words of STYLES with a space between, or an empty string for plain text."""

Line: TypeAlias = tuple[Span, ...]

GAP: Final = "  "
"""Space between columns, and before the first one."""

STYLES: Final = {"bold": 1, "light": 2, "red": 31, "green": 32, "yellow": 33}
"""Words of styles, the same as in pytest's terminal writer, with their ANSI codes; light is faint."""


def plain(lines: Iterable[Line]) -> str:
    """Return the text without styles, with a line end after each line."""
    return "".join("".join(text for text, _ in fit(line)) + "\n" for line in lines)


def ansi(lines: Iterable[Line]) -> str:
    """Return the text with ANSI escape sequences."""
    return "".join("".join(_escaped(*span) for span in fit(line)) + "\n" for line in lines)


def columns(text: str) -> int:
    """Return the columns of a terminal that a text takes: two for most letters of East Asia, none for accents."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def fit(line: Line) -> Line:
    """Return a line that may be printed: the line itself, or its escaped text without styles if it needs escapes.

    Every output of a line goes through this function.
    """
    text = "".join(text for text, _ in line)
    escaped = shown_line(text)
    return line if escaped == text else ((escaped, ""),)


def apart(*parts: Iterable[Line]) -> Iterator[Line]:
    """Yield the lines of all parts, with an empty line between parts that have any."""
    before = False
    for part in parts:
        for number, line in enumerate(part):
            if before and number == 0:
                yield ()
            before = True
            yield line


def counted(what: str, done: int, total: int) -> str:
    """Return the progress of some work: ``coding with jpeg: 30/300 images``, or steps and files after their word."""
    if not done and not total:
        return what
    count = f"{done}/{total}" if total else f"{done}"
    return f"{what} {count}" if what.endswith((" step", " file")) else f"{what}: {count} images"


def aligned(text: str, mark: str, style: str, room: tuple[int, int]) -> list[Span]:
    """Return a text at the right edge of its column, and its mark behind that.

    `room` is the width of the column's longest text, and of its longest mark, in characters.
    """
    width, marks = room
    shown = f"{text} {mark}" if mark else text
    behind = (1 + marks if marks else 0) - (len(shown) - len(text))
    return [(GAP + " " * (width - len(text)), ""), (shown, style), (" " * behind, "")]


def trimmed(spans: Iterable[Span]) -> Line:
    """Return a line without empty spans and without blanks at its end."""
    line = [span for span in spans if span[0]]
    while line and not (text := line[-1][0].rstrip()):
        line.pop()
    if line:
        line[-1] = (text, line[-1][1])
    return tuple(line)


def _escaped(text: str, style: str) -> str:
    codes = "".join(f"\x1b[{STYLES[word]}m" for word in style.split())
    return f"{codes}{text}\x1b[0m" if codes else text
