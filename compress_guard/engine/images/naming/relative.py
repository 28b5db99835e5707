"""Names of files relative to the folder that holds them all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

_SEPARATOR: Final = "/"


def as_text(path: str | bytes | os.PathLike[str]) -> str:
    """Return a path as text, with slashes."""
    text = os.fsdecode(os.fspath(path))
    return text.replace(os.sep, _SEPARATOR) if os.sep != _SEPARATOR else text


def shared_folder(paths: Sequence[str]) -> str:
    """Return the folder that all of these paths begin with, with its slash at the end; empty if there is none."""
    if not paths:
        return ""
    # The folders that the first and the last in alphabetical order share, all between them share too.
    first, last = (path.split(_SEPARATOR)[:-1] for path in (min(paths), max(paths)))
    shared = [one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))]
    return "".join(f"{folder}{_SEPARATOR}" for folder in shared)
