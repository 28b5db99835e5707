"""Names of the images and classes of a guard, found when a result has images to name."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, final

from compress_guard.codecs.pixels import Picture
from compress_guard.engine.images.naming.classes import ClassNames, class_names
from compress_guard.engine.images.naming.listed import Entries, Listed, NamesError, Origin, listed
from compress_guard.engine.images.naming.relative import shared_folder
from compress_guard.engine.images.readings import pixel_hash
from compress_guard.engine.trouble import pass_on
from compress_guard.errors import described
from compress_guard.records import printable

T = TypeVar("T")

LARGEST_FILE: Final = 2**27
"""Bytes of the largest file that is compared with an image."""


@dataclass(frozen=True, slots=True)
class Known:
    """One image of a guard, as its names are found by it."""

    position: int
    """Position in the data set."""
    digest: bytes
    """Hash of its pixels."""
    opened: str
    """File that Pillow opened it from; empty if the data did not give it so."""


@final
@dataclass(slots=True)
class Names:
    """Names of images by their ids and of classes by their labels."""

    images: Mapping[str, Known]
    """Usable images by id."""
    entries: Entries = field(default_factory=list)
    """The list of the data set, by position."""
    classes: ClassNames = field(default_factory=dict)
    remark: str | None = None
    """Reason why the data's names do not count, in a sentence."""
    _folder: str | None = None
    _checked: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, data: Any, task: str, images: Mapping[str, Known]) -> Names:
        """Find the names that a data set gives; what it raises becomes a remark."""
        entries, first = _attempted("images", lambda: listed(data), Entries())
        classes, second = _attempted("classes", lambda: class_names(data, task), ClassNames())
        return cls(images, entries, classes, "; ".join(part for part in (first, second) if part) or None)

    def image(self, name: str) -> str | None:
        """Return the name of the image with this id: that which the data gives it, else that of its file.

        The name of a file is relative to the folder of all files. None if no file is known without doubt.
        """
        if name not in self._checked:
            self._checked[name] = self._named(self.images.get(name))
        return self._checked[name]

    def _named(self, known: Known | None) -> str | None:
        if known is None:
            return None
        entry = self.entries[known.position] if known.position < len(self.entries) else None
        if entry is not None and entry.origin is Origin.GIVEN and not entry.text.startswith("/"):
            return printable(entry.text)
        if entry is None or (entry.origin is Origin.LISTED and not _holds(entry.text, known)):
            entry = Listed(known.opened, Origin.READ) if known.opened else None
        return None if entry is None else printable(self._relative(entry.text))

    def _relative(self, file: str) -> str:
        if self._folder is None:
            paths = [entry.text for entry in self.entries if entry is not None]
            self._folder = shared_folder(paths or [known.opened for known in self.images.values() if known.opened])
        return file.removeprefix(self._folder)


def _attempted(what: str, find: Callable[[], T], nothing: T) -> tuple[T, str | None]:
    """Return what `find` finds, and a remark on names that do not count."""
    try:
        return find(), None
    except NamesError as problem:
        return nothing, f"the names of {what} are left out: {problem}"
    except BaseException as problem:  # noqa: BLE001 -- data sets of users may raise anything
        pass_on(problem)
        return nothing, f"the names of {what} are left out: asking the data for them raised {described(problem)}"


def _holds(file: str, known: Known) -> bool:
    """Return True if a file has the pixels of an image, upright or as they are stored."""
    from PIL import Image

    try:
        path = Path(file)
        if path.stat().st_size > LARGEST_FILE:
            return False
        with Image.open(io.BytesIO(path.read_bytes())) as opened:
            picture = Picture.read(opened)
        return any(pixel_hash(picture.at(way)) == known.digest for way in ("upright", "stored"))
    except BaseException as problem:  # noqa: BLE001 -- readers of other libraries may raise anything
        pass_on(problem)
        return False
