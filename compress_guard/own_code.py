"""Which code of this package made what a store keeps, so that nobody has to remember to count a version up."""

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

    The version of the package instead, where the source is not there: in an archive, or where only compiled files were
    installed.
    """
    files = [path for part in parts for path in sorted(_files(_PACKAGE / part))]
    if not files:
        return f"version {__version__}"
    made = hashlib.blake2b(digest_size=10)
    for path in files:
        data = path.read_bytes()
        made.update(f"{path.relative_to(_PACKAGE).as_posix()} {len(data)} ".encode() + data)
    return made.hexdigest()


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else list(path.rglob("*.py"))
