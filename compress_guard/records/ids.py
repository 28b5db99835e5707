"""Names of images and slices, made fit for every file and terminal that they end up in."""

from __future__ import annotations

import hashlib
import re
from typing import Final

from compress_guard.foreign import escape, is_fit, parts

LONGEST: Final = 1000
"""Longest name in characters; a longer one is cut, and a hash is added that distinguishes it."""

_ESCAPED: Final = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
"""A part of a name that reads like a character that `printable` has escaped."""


def printable(text: str) -> str:
    """Return a text without characters that cannot be printed (see `foreign`), and of bounded length.

    Names of files need not be valid Unicode (``caf\\udce9.png`` is Latin-1 on an old disk), and XML, JSON, terminals
    and numpy's arrays of texts each refuse some characters. Different texts stay different; nearly all texts stay
    unchanged.
    """
    if not is_fit(text) or _ESCAPED.search(text):
        text = "".join(_escaped(part) if fit else escape(part) for part, fit in parts(text))
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST - 50]}... {hashlib.blake2b(text.encode(), digest_size=20).hexdigest()}"


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\")
