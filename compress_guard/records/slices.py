"""The result of one slice of a cell's images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from compress_guard.records.vocabulary import Verdict


@dataclass(frozen=True, slots=True)
class SliceResult:
    """Losses of one slice of a cell's images, in points."""

    slicing: str
    value: str
    images: int
    confidence: float
    verdict: Verdict
    """``unjudged`` for a slice without a limit of its own."""
    clean_score: float | None = None
    score: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    max_drop: float | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SliceResult:
        """Return the slice that these JSON values describe; keys that this version does not know are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})
