"""Results of several jobs of one file: whether the cells of a guard are of the same images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from compress_guard.engine.releases.names import SOURCES, part_name
from compress_guard.errors import UsageError, described
from compress_guard.records import SOURCE_HASHES, CellResult, Evidence

Job: TypeAlias = tuple[Path, Sequence[CellResult], Mapping[str, bytes]]
"""A results file, its cells, and the files of its evidence by name."""
_REMEDY: Final = "give all jobs the same data, and measure again"


def check_same_images(jobs: Sequence[Job]) -> None:
    """Raise `UsageError` for jobs whose cells of one guard have an image with the same id and another content.

    Cells whose evidence has no hashes of their images are passed over.
    """
    known: dict[tuple[str, str], tuple[Path, tuple[bytes, ...]]] = {}
    for path, cells, files in jobs:
        for cell in cells:
            data = files.get(part_name(cell.id, SOURCES))
            for image, digest in {} if data is None else _digests(path, cell, data).items():
                before, earlier = known.setdefault((cell.guard, image), (path, digest))
                if earlier != digest:
                    found = f"the image {image} of {cell.guard} has other pixels or another target than in {before}"
                    raise UsageError(str(path), found, _REMEDY)


def _digests(path: Path, cell: CellResult, data: bytes) -> Mapping[str, tuple[bytes, ...]]:
    """Return the hashes of pixels and target of each image."""
    try:
        sources = Evidence.from_bytes(data)
        hashes = [tuple(item[name].tobytes() for name in SOURCE_HASHES) for item in sources.items]
    except (ValueError, KeyError) as problem:
        found = f"its evidence of {cell.id} is damaged ({described(problem)})"
        raise UsageError(str(path), found, "name files as a run has written them") from problem
    return dict(zip(sources.ids, hashes, strict=True))
