"""Names of images and slices, made fit for every file and terminal that they end up in."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import Final

LONGEST: Final = 1000
"""Characters of a name; of a longer one the beginning is kept, and a hash that tells it apart."""

_ESCAPED: Final = re.compile(r"\\(?:x(?:[0189][0-9a-f]|7f)|u(?:d[89a-f][0-9a-f]{2}|202[89]))")
"""A part of a name that reads like a character that `printable` has escaped."""
_UNFIT: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, lone surrogates, and separators of lines and paragraphs."""


def printable(text: str) -> str:
    """Return a text without control characters, bytes that are no UTF-8, and excessive length.

    Names of files need not be valid Unicode (``caf\\udce9.png`` is Latin-1 on an old disk), and XML, JSON, terminals
    and numpy's arrays of texts each refuse some of it. Such characters are escaped as Python writes them. Two texts
    that differ stay different; nearly all texts stay as they are.
    """
    if text.isprintable() and "\\" not in text and len(text) <= LONGEST:
        return text
    if any(unicodedata.category(character) in _UNFIT for character in text) or _ESCAPED.search(text):
        text = "".join(map(_escaped, text))
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST - 50]}... {hashlib.blake2b(text.encode(), digest_size=20).hexdigest()}"


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character) not in _UNFIT:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
