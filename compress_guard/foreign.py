r"""Text that somebody else chose (names, exceptions, output of programs, versions), made fit to be printed.

A control character can repaint a terminal, a bidirectional override turns words around, a zero-width character hides
them, a lone surrogate ends whoever encodes it, and a line that begins with ``::error::`` is a command to a CI runner.
Such characters are shown as Python writes them, ``\x1b``, ``\u202e``; letters of every script, and emoji, stay.

What is escaped once stays as it is, so that text may pass here more than once: where it enters a sentence, and again
where lines are written.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

LONGEST: Final = 2000
"""Characters that a sentence repeats of a foreign text."""
LONGEST_SENTENCE: Final = 2**14
"""Characters of a whole message, whatever it repeats."""
TAB: Final = 4
_SLACK: Final = 16
"""Room for the escapes of what a cut has parted."""

_INVISIBLE: Final = "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0"
"""Characters that fonts draw as nothing although Python counts them as printable, see Unicode's
Default_Ignorable_Code_Point; variation selectors, which are others of them, are needed behind emoji and ideographs."""
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
    """Return a text as one line of printable characters; a longer one without its middle, and with its length."""
    text = str.__str__(text)
    length = len(text)
    if length <= longest and len(escaped := _escaped(text)) <= longest:
        return escaped
    mark = f" ... ({length} characters) ... "
    half = (longest - len(mark)) // 2 - _SLACK
    # Escaped again, since the cut may have parted characters that are fit together alone.
    return _escaped(f"{_escaped(text[:longest])[:half]}{mark}{_escaped(text[-longest:])[-half:]}")


def shown_line(text: str) -> str:
    """Return a whole line of output: printable, and no command to a CI runner."""
    return _FIRST_COLON.sub(r"\1\\x3a", shown(text, LONGEST_SENTENCE))


def shown_lines(text: str) -> str:
    """Return text whose line feeds are wanted, such as a traceback, with each line as `shown_line` gives it."""
    lines = str.__str__(text).split("\n")
    return "\n".join(shown_line(line.removesuffix("\r").expandtabs(TAB)) for line in lines)


def shown_json(document: str) -> str:
    """Return a JSON document with the same values, in which such characters are written as JSON's own escapes."""
    return "\n".join(
        "".join(part if fit else _json_escape(part) for part, fit in parts(line)) for line in document.split("\n")
    )


def is_fit(text: str) -> bool:
    """Return whether `shown` leaves a text as it is, however long it may be."""
    return all(fit for _, fit in parts(text))


def parts(text: str) -> Iterator[tuple[str, bool]]:
    """Yield a text in parts, each with whether it may be printed; a part that may not be is a single character."""
    if text.isprintable() and _SUSPECT.search(text) is None:
        yield text, True
        return
    commands = {match.start() for match in re.finditer(_COMMAND, text)}
    before = ""
    """The character in front, where it can be seen."""
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
    """Return whether a character may be printed between the visible one before it and the one after it."""
    if character in (_JOINER, _NON_JOINER):
        return _is_joined(character, before, after)
    if _VARIANT.match(character):
        return bool(before) and unicodedata.category(before) in _VARIED
    printable = character.isprintable() or unicodedata.category(character) == "Zs"
    return printable and _BLANK.match(character) is None


def _is_joined(joiner: str, before: str, after: str) -> bool:
    """Return whether a script needs a joiner here: as in domain names, RFC 5892 A.1 and A.2, and between emoji."""
    if not before or not after:
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return True
    if joiner == _NON_JOINER:
        return unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    emoji = unicodedata.category(before) in ("So", "Sk") or _VARIANT.match(before) is not None
    return emoji and unicodedata.category(after) in ("So", "Sm")
