"""Printable texts: a record escapes its own when it is made."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol

from compress_guard.foreign import LONGEST_SENTENCE, shown


class _Record(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def settle_texts(record: _Record) -> None:
    """Make the texts of a frozen record printable, also those in its tuples, while it is made.

    Its `id` stays unchanged, since pytest knows the test by it; code that prints an id escapes it.
    """
    for field in fields(record):
        value = getattr(record, field.name)
        if field.name != "id" and isinstance(value, str | tuple) and (settled := _settled(value)) != value:
            object.__setattr__(record, field.name, settled)


def _settled(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value, LONGEST_SENTENCE)
    return tuple(map(_settled, value)) if isinstance(value, tuple) else value
