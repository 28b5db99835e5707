"""Names of the files in an archive of evidence."""

from __future__ import annotations

import urllib.parse
from typing import Final

from compress_guard import store as keys

LONGEST_NAME: Final = 160
"""Characters of a node id in a file name; file systems take 255 bytes in all."""
CLEAN: Final = "clean"
COMPRESSED: Final = "compressed"
SOURCES: Final = "sources"
"""The part of a cell's evidence with the hashes of its source images."""


def evidence_name(node_id: str) -> str:
    """Return a unique, readable file name for a cell's evidence: its node id without what file systems refuse."""
    name = urllib.parse.quote(node_id.replace("::", "__"), safe="[]", errors="surrogatepass")
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}-{keys.key(node_id)}"


def part_name(node_id: str, part: str) -> str:
    """Return the name of one part of a cell's evidence: ``clean``, ``compressed`` or ``sources``."""
    return f"{evidence_name(node_id)}.{part}.npz"


def is_of_file(node_id: str) -> bool:
    """Return True for the id of a cell of a thresholds file, ``thresholds.yaml::photos[jpeg-0.5bpp]``."""
    file, _, name = node_id.rpartition("::")
    return file.endswith((".yaml", ".yml")) and name.endswith("]")
