"""Base of the parts of a cell's result."""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.records.texts import settle_texts


@dataclass(frozen=True, slots=True)
class CellPart:
    """Base of the parts. It makes their texts printable."""

    def __post_init__(self) -> None:
        settle_texts(self)
