"""Versions of installed packages, read once per process."""

from __future__ import annotations

import functools
import re
from importlib import metadata
from typing import Final

_VERSION: Final = re.compile(r"^Version: *(\S+)\s*$", re.MULTILINE)


@functools.cache
def installed_version(name: str) -> str:
    """Return the version of a distribution; raises `importlib.metadata.PackageNotFoundError`.

    `importlib.metadata.version` parses the whole file as a mail, 4 ms for torch; the line is among the first ones.
    """
    found = metadata.distribution(name)
    head, _, _ = (found.read_text("METADATA") or "").partition("\n\n")
    line = _VERSION.search(head)
    return line[1] if line is not None else found.version
