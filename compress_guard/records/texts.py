"""Printable texts: a record escapes its own when it is made."""

from __future__ import annotations

import functools
from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol

from compress_guard.foreign import LONGEST_SENTENCE, shown


class _Record(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def settle_texts(record: _Record) -> None:
    """Make the texts of a frozen record printable, also those in its tuples, while it is made.

    Its `id` stays unchanged, since pytest knows the test by it; code that prints an id escapes it.
    """
    for name in _names(type(record)):
        value = getattr(record, name)
        if isinstance(value, str | tuple) and (settled := _settled(value)) != value:
            object.__setattr__(record, name, settled)


@functools.cache
def _names(kind: type[_Record]) -> tuple[str, ...]:
    """Return the names of a record's fields, without its id."""
    return tuple(field.name for field in fields(kind) if field.name != "id")


def _settled(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value, LONGEST_SENTENCE)
    return tuple(map(_settled, value)) if isinstance(value, tuple) else value
