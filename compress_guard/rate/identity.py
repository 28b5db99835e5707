"""Which search made a plan: plans that are kept belong to the arithmetic that they came from."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path


@functools.cache
def search_identity() -> str:
    """Changes with any line of this package, so that nobody has to remember to count a version up."""
    digest = hashlib.blake2b(digest_size=10)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
