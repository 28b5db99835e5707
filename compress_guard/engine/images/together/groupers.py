"""Groupers of a guard's images: by a callable, by a field of their targets, or by the folders of their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Final

from compress_guard.engine.images.factories import imported
from compress_guard.engine.images.lossy_sources import file_of
from compress_guard.engine.images.reader import Grouper
from compress_guard.engine.images.slicers import ByFactory, ByField
from compress_guard.engine.trouble import pass_on
from compress_guard.errors import DataError
from compress_guard.records import Grouping
from compress_guard.thresholds.keys.groups import FOLDER

EXPECTED: Final = "a text or a number, the name of the image's group"
_PREFIX: Final = "groups"


def grouper(grouping: Grouping | None, folder: Path, data: Any) -> Grouper | None:
    """Return the grouper of a guard's images of `data`; `folder` is on sys.path while a factory is looked up.

    None if images stand alone. Raises `DataError` for a factory that cannot be imported.
    """
    if grouping is None:
        return None
    by = grouping.by
    if grouping.call is None and by == FOLDER:
        return ByFolder(data)
    if grouping.call is None and ":" not in by:
        return ByName(ByField(_PREFIX, by, EXPECTED))
    call = grouping.call or imported(
        by, folder, DataError, f"a callable that takes the target and the id of an image and returns {EXPECTED}"
    )
    return ByName(ByFactory(_PREFIX, by, call, EXPECTED))


@dataclass(frozen=True, slots=True)
class ByName:
    """The one name that a field or a callable gives an image."""

    names: ByFactory | ByField

    def __call__(self, target: object, image_id: str, position: int) -> str:
        """Return the name; raises `DataError` for none, and for several."""
        del position
        names = self.names(target, image_id)
        if len(names) != 1:
            several = f"several groups ({', '.join(names)})" if names else "no group"
            raise DataError(f"{_PREFIX}: {self.names.by} puts the image into {several}; expected {EXPECTED}")
        return names[0]


@dataclass(frozen=True, slots=True)
class ByFolder:
    """The folder in the image's id, else that of its file, if the data set lists its files as torchvision's do."""

    data: Any

    def __call__(self, target: object, image_id: str, position: int) -> str:
        """Return the folder; raises `DataError` for an image without one."""
        del target
        folder = _folder(image_id) or _folder(self._file(position))
        if not folder:
            raise DataError(
                f"{_PREFIX}: {FOLDER}: the id {image_id} names no folder, and the data set lists no files; expected "
                "ids such as clip/frame.png; name a field of the targets, or a factory package.module:callable"
            )
        return folder

    def _file(self, position: int) -> str:
        try:
            path = file_of(self.data, position)
        except BaseException as problem:  # noqa: BLE001 -- a user's class may raise anything
            pass_on(problem)
            return ""
        return "" if path is None else str(path)


def _folder(path: str) -> str:
    """Return the folder of a path that is written with slashes of either kind; empty if there is none."""
    kind: Callable[[str], PurePosixPath | PureWindowsPath] = PureWindowsPath if "\\" in path else PurePosixPath
    parent = str(kind(path).parent)
    return "" if parent == "." else parent
