"""Agreement between the processes of one run on their data: the first leaves hashes of it, the others compare."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from compress_guard import store as keys
from compress_guard.engine.images.survey.record import Survey
from compress_guard.errors import DataError

_PARTS = ("pixels", "target")


def agree(folder: Path, names: tuple[object, ...], surveyed: Survey) -> None:
    """Compare the images that were read with those that another process of the run read under the same names.

    Data sets in another order agree, and so do those with the same images in the same order under other ids. Raises
    `DataError` for an image that differs. Nothing is compared if no other process has read them, or the disk is full.
    """
    from filelock import FileLock

    path = folder / f"data-{keys.key(*(str(name) for name in names))}.json"
    contents = zip(surveyed.infos, surveyed.digests, surveyed.targets, strict=True)
    own = {info.id: [pixels.hex(), target.hex()] for info, pixels, target in contents}
    try:
        with FileLock(f"{path}.lock"):
            first = _read(path)
            if first is None:
                _write(path, own)
                return
    except OSError:
        return
    if first == own or list(first.values()) == list(own.values()):
        return
    raise DataError(
        f"the processes of this run see different data: {_difference(own, first)}; expected the same images and "
        "targets in every process; seed all random choices of the data set, and choose images by name"
    )


def _difference(own: Mapping[str, list[str]], first: Mapping[str, list[str]]) -> str:
    """Return the first difference as words for a message."""
    for name, content in own.items():
        if name not in first:
            return f"image {name} is here, but not in the process that read the data first"
        for part, mine, other in zip(_PARTS, content, first[name], strict=True):
            if mine != other:
                given = "other pixels" if part == "pixels" else "another target"
                return f"image {name} has {given} than in the process that read the data first"
    missing = next(name for name in first if name not in own)
    return f"image {missing} is missing here, but not in the process that read the data first"


def _read(path: Path) -> dict[str, list[str]] | None:
    with contextlib.suppress(OSError, ValueError):
        content: dict[str, list[str]] = json.loads(path.read_text(encoding="ascii"))
        return content
    return None


def _write(path: Path, content: Mapping[str, list[str]]) -> None:
    temporary = path.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        temporary.write_text(json.dumps(content), encoding="ascii")
        temporary.replace(path)
