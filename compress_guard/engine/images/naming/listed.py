"""Files that a data set lists for its images, position by position."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from compress_guard.engine.images.lossy_sources import LISTS
from compress_guard.engine.images.naming.relative import as_text
from compress_guard.engine.wording import kind

GIVEN: Final = "image_names"
"""The attribute of a data set that names its images: a sequence, or a callable that takes the position."""
_TORCH: Final = "torch.utils.data."
_TORCHVISION: Final = "torchvision."
_DEEPEST: Final = 20
"""Deepest nesting of data sets that is followed; one may hold itself."""
MOST: Final = 2**24
"""Largest data set whose list is read; longer ones are made up on demand, and reading them would take minutes."""


class NamesError(Exception):
    """Names that contradict the data; the text says how."""


class Origin(Enum):
    """The source of a file name, on which it depends how far the name can be trusted."""

    GIVEN = "the data names the image"
    READ = "the code that reads the image is known to read this file"
    LISTED = "the file stands at this position of a list; whether the image is read from it has to be checked"


@dataclass(frozen=True, slots=True)
class Listed:
    """A file, or the name that the data gives."""

    text: str
    origin: Origin


Entries = list[Listed | None]
"""One entry for each position; None where the data lists nothing."""


def listed(data: Any) -> Entries:
    """Return what a data set lists for its images; empty if it lists nothing.

    Subsets and concatenations of torch are looked through. Raises `NamesError` for an `image_names` that does not fit,
    and whatever the data set raises.
    """
    return list(_entries(data, 0)) if _DEEPEST else []


def is_part(data: Any) -> bool:
    """Return True for a subset of another data set, as torch makes them, whoever reads it."""
    return hasattr(data, "dataset") and hasattr(data, "indices")


def is_joined(data: Any) -> bool:
    """Return True for several data sets, one after the other, as torch's ConcatDataset."""
    return hasattr(data, "datasets") and hasattr(data, "cumulative_sizes")


def is_read_by(data: Any, package: str) -> bool:
    """Return True if code of this package reads the items of a data set, and not code of its user."""
    return str(getattr(type(data).__getitem__, "__module__", "")).startswith(package)


def is_torchs(data: Any) -> bool:
    """Return True if code of torch reads the items of a data set."""
    return is_read_by(data, _TORCH)


def is_torchvisions(data: Any) -> bool:
    """Return True if code of torchvision reads the items of a data set."""
    return is_read_by(data, _TORCHVISION)


def _entries(data: Any, depth: int) -> Sequence[Listed | None]:
    if depth > _DEEPEST:
        return []
    length = len(data)
    given = getattr(data, GIVEN, None)
    if length > MOST:
        if given is None:
            return []
        raise NamesError(
            f"{GIVEN} is read for data of up to {MOST} images, and this has {length}; limit the data itself"
        )
    if given is not None:
        return [Listed(text, Origin.GIVEN) for text in _given(given, length)]
    if is_part(data):
        inner = _entries(data.dataset, depth + 1)
        chosen = [inner[int(place)] for place in data.indices] if inner else []
        return _checked(chosen, length, sure=is_torchs(data))
    if is_joined(data):
        parts = [(_entries(part, depth + 1), len(part)) for part in data.datasets]
        joined = [each for part, count in parts for each in (part or [None] * count)]
        return _checked(joined, length, sure=is_torchs(data)) if any(joined) else []
    files = _coco(data) or _files(data, length)
    origin = Origin.READ if is_torchvisions(data) else Origin.LISTED
    return [None if file is None else Listed(file, origin) for file in files]


def _checked(entries: Entries, length: int, *, sure: bool) -> Entries:
    """Return entries as they are if the class around them is `sure` to keep their order; none of another length."""
    if len(entries) != length:
        return []
    if sure:
        return entries
    return [None if each is None else Listed(each.text, Origin.LISTED) for each in entries]


def _coco(data: Any) -> list[str | None]:
    """Return the files of torchvision's CocoDetection."""
    if not (hasattr(data, "coco") and hasattr(data, "ids")):
        return []
    return [as_text(Path(data.root, data.coco.imgs[name]["file_name"])) for name in data.ids]


def _files(data: Any, length: int) -> list[str | None]:
    """Return the files in the first list of a data set that holds one for each image."""
    for name in LISTS:
        entries = getattr(data, name, None)
        if not isinstance(entries, Sequence) or isinstance(entries, str) or len(entries) != length:
            continue
        files = [_file(entry) for entry in entries]
        if any(file is not None for file in files):
            return files
    return []


def _file(entry: object) -> str | None:
    first = entry[0] if isinstance(entry, tuple | list) and entry else entry
    return as_text(first) if isinstance(first, str | os.PathLike) else None


def _given(given: Any, length: int) -> Iterator[str]:
    """Yield the names in a data set's `image_names`; raises `NamesError`."""
    expected = f"expected one text or path for each of the {length} images, in their order"
    name_at: Callable[[int], Any]
    if callable(given):
        name_at = given
    elif isinstance(given, str | bytes) or not hasattr(type(given), "__len__"):
        raise NamesError(f"{GIVEN} of the data is {kind(given)}; {expected}")
    elif len(given) != length:
        raise NamesError(f"{GIVEN} of the data has {len(given)} names; {expected}")
    else:
        name_at = given.__getitem__
    for position in range(length):
        name = name_at(position)
        if not isinstance(name, str | os.PathLike):
            raise NamesError(f"{GIVEN} of the data gives {kind(name)} at {position}; {expected}")
        yield as_text(name)
