"""Texts of records that are printed: printable from the moment on that a record is made."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any, ClassVar, Protocol

from compress_guard.foreign import LONGEST_SENTENCE, shown


class _Record(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


def settle_texts(record: _Record) -> None:
    """Make the texts of a frozen record printable, those in its tuples too, while it is made.

    Its `id` stays as it is, since pytest knows the test by it; whoever prints that escapes it.
    """
    for one in fields(record):
        value = getattr(record, one.name)
        if one.name != "id" and isinstance(value, str | tuple) and (settled := _settled(value)) != value:
            object.__setattr__(record, one.name, settled)


def _settled(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value, LONGEST_SENTENCE)
    return tuple(map(_settled, value)) if isinstance(value, tuple) else value
