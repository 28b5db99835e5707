"""The key `groups`: which images of a guard belong together."""

from __future__ import annotations

from typing import Final

from compress_guard.errors import OptionError
from compress_guard.records import Grouping
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys.names import FACTORY, is_factory, read_factory
from compress_guard.thresholds.value import Value

FOLDER: Final = "folder"
"""The ready-made grouping, by the folder of an image's id or file."""


def read_groups(value: Value, key: str, catalogue: Catalogue) -> Grouping | None:
    """Read a factory, a field of the targets, or the ready-made grouping; nothing takes the default away."""
    del catalogue
    if value.empty:
        return None
    text = value.text(key)
    if not text:
        raise value.error(f"{key} is an empty text", f"name a factory, a field of the targets, or {FOLDER}")
    return Grouping(read_factory(value, key, fixtures=False) if ":" in text else text)


def grouping(groups: object) -> Grouping | None:
    """Return the grouping that a keyword argument asks for: a text as in a file, a callable, or None.

    Raises `OptionError` for anything else.
    """
    if groups is None:
        return None
    if isinstance(groups, str):
        if groups and (":" not in groups or is_factory(groups)):
            return Grouping(groups)
    elif callable(groups):
        return Grouping(getattr(groups, "__qualname__", type(groups).__qualname__), groups)
    raise OptionError(
        f"groups is {groups!r}; expected a field of the targets, {FOLDER!r}, a factory {FACTORY}, or a callable that "
        "takes the target and the id of an image"
    )
