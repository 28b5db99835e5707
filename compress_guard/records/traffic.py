"""The mean drop of a guard over its traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from compress_guard.records.texts import settle_texts


@dataclass(frozen=True, slots=True)
class TrafficResult:
    """Drop of a guard on average over the traffic that its cells stand for, in points."""

    guard: str
    metric: str
    covered: float
    """Share of the traffic that cells of the guard stand for, at most 1."""
    cells: int
    """Number of cells with a share."""
    confidence: float
    missing: tuple[str, ...] = ()
    """Node ids of cells with a share and without a drop that can be used; the figures are None then."""
    reason: str | None = None
    """Reason why there is no drop; None where there is one."""
    images: int | None = None
    """Images that every one of these cells has used."""
    clean_score: float | None = None
    drop: float | None = None
    """Mean of the cells' drops, weighted by their shares, on these images."""
    drop_low: float | None = None
    drop_high: float | None = None

    def __post_init__(self) -> None:
        settle_texts(self)

    def as_dict(self) -> dict[str, object]:
        """Return the result as plain JSON values."""
        return asdict(self) | {"missing": list(self.missing)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrafficResult:
        """Return the result of which `as_dict` gave the values; keys that this version does not know are left out."""
        known = {each.name: values[each.name] for each in fields(cls) if each.name in values}
        return cls(**known | {"missing": tuple(values.get("missing") or ())})
