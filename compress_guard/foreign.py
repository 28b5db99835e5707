r"""Foreign text (names, exceptions, output of programs, versions), made safe to print.

A control character can repaint a terminal, a bidirectional override reverses words, a zero-width character hides them,
a lone surrogate cannot be encoded, and a line that begins with ``::error::`` is a command to a CI runner. Such
characters are shown as Python escapes them, ``\x1b``, ``\u202e``; letters of every script, and emoji, stay.

Escaped text is not changed again, so text may pass here twice: when it enters a sentence, and when lines are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

LONGEST: Final = 2000
"""Largest number of characters of a foreign text in a sentence."""
LONGEST_SENTENCE: Final = 2**14
"""Largest number of characters of a whole message."""
TAB: Final = 4
_SLACK: Final = 16
"""Number of characters kept free for escapes of characters at the cut."""

_INVISIBLE: Final = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0"
"""Characters that fonts do not draw although Python counts them as printable, see Unicode's
Default_Ignorable_Code_Point. Variation selectors belong to them too, but are needed after emoji and ideographs."""
_VARIANTS: Final = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_COMMAND: Final = r"#(?=#\w*\[)"
"""The beginning of ``##[group]``, ``##vso[...]`` and ``##teamcity[...]``, which CI runners obey anywhere in a line:
https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs."""
_SUSPECT: Final = re.compile(f"{_COMMAND}|[{_INVISIBLE}{_VARIANTS}]")
_BLANK: Final = re.compile(f"[{_INVISIBLE}]")
_VARIANT: Final = re.compile(f"[{_VARIANTS}]")
_FIRST_COLON: Final = re.compile(r"^(\s*):(?=:)")
"""GitHub's runner skips blanks before ``::error::``."""
_VARIED: Final = frozenset({"So", "Sm", "Sk", "Po", "Nd", "Lo"})
"""Categories of characters that come in variants: symbols, keycaps, ideographs."""
_NON_JOINER, _JOINER = "\u200c", "\u200d"
_VIRAMA: Final = 9
"""The combining class of marks that join letters of Indic scripts."""


def shown(text: str, longest: int = LONGEST) -> str:
    """Return a text as one line of printable characters; a longer text loses its middle and states its length."""
    text = str.__str__(text)
    length = len(text)
    if length <= longest and len(escaped := _escaped(text)) <= longest:
        return escaped
    mark = f" ... ({length} characters) ... "
    half = (longest - len(mark)) // 2 - _SLACK
    # Escape again, since the cut may separate characters that are safe only together.
    return _escaped(f"{_escaped(text[:longest])[:half]}{mark}{_escaped(text[-longest:])[-half:]}")


def shown_line(text: str) -> str:
    """Return a line of output that is printable and no command to a CI runner."""
    return _FIRST_COLON.sub(r"\1\\x3a", shown(text, LONGEST_SENTENCE))


def shown_lines(text: str) -> str:
    """Return a text of several lines, such as a traceback, with `shown_line` applied to each line."""
    lines = str.__str__(text).split("\n")
    return "\n".join(shown_line(line.removesuffix("\r").expandtabs(TAB)) for line in lines)


def shown_json(document: str) -> str:
    """Return a JSON document with the same values, its unsafe characters written as JSON escapes."""
    return "\n".join(
        "".join(part if fit else _json_escape(part) for part, fit in parts(line)) for line in document.split("\n")
    )


def is_fit(text: str) -> bool:
    """Return True if `shown` does not escape anything in a text of any length."""
    return all(fit for _, fit in parts(text))


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a text, each with True if it may be printed; an unsafe part is a single character."""
    if text.isprintable() and _SUSPECT.search(text) is None:
        yield text, True
        return
    commands = {match.start() for match in re.finditer(_COMMAND, text)}
    before = ""
    """The character before, if it is visible."""
    for at, character in enumerate(text):
        fit = at not in commands and _is_fit(character, before, text[at + 1 : at + 2])
        yield character, fit
        before = character if fit else ""


def _escaped(text: str) -> str:
    return "".join(part if fit else escape(part) for part, fit in parts(text))


def escape(character: str) -> str:
    """Return a character as Python escapes it: ``\\x1b``, ``\\u202e``, ``\\U000e0041``."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _is_fit(character: str, before: str, after: str) -> bool:
    """Return True if a character may be printed between a visible character and the next one."""
    if character in (_JOINER, _NON_JOINER):
        return _is_joined(character, before, after)
    if _VARIANT.match(character):
        return bool(before) and unicodedata.category(before) in _VARIED
    printable = character.isprintable() or unicodedata.category(character) == "Zs"
    return printable and _BLANK.match(character) is None


def _is_joined(joiner: str, before: str, after: str) -> bool:
    """Return True if a script needs a joiner here, as in domain names (RFC 5892 A.1, A.2), or between emoji."""
    if not before or not after:
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if joiner == _NON_JOINER:
        return unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    emoji = unicodedata.category(before) in ("So", "Sk") or _VARIANT.match(before) is not None
    return emoji and unicodedata.category(after) in ("So", "Sm")
