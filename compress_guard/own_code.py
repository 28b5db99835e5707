"""Digests of our own code: they are parts of keys in the store, so that no version number has to be raised by hand."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Final

from compress_guard import __version__

_PACKAGE: Final = Path(__file__).parent


@functools.cache
def digest(*parts: str) -> str:
    """Return a hash that changes with any line of these folders and modules: ``digest("codecs", "records/plans.py")``.

    If the source is missing (in an archive, or if only compiled files are installed), return the version instead.
    """
    files = [path for part in parts for path in sorted(_files(_PACKAGE / part))]
    if not files:
        return f"version {__version__}"
    hashed = hashlib.blake2b(digest_size=10)
    for path in files:
        data = path.read_bytes()
        hashed.update(f"{path.relative_to(_PACKAGE).as_posix()} {len(data)} ".encode() + data)
    return hashed.hexdigest()


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))
