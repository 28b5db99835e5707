"""Changes of cells between two releases: the kind of each, and what may explain it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from compress_guard.engine.releases.comparison import Comparison
from compress_guard.records import CellResult, RecoveryResult, ThroughputResult

Kind = Literal["newly failing", "fell", "vanished", "recovered", "rose", "appeared"]
KINDS: Final[tuple[Kind, ...]] = ("newly failing", "fell", "vanished", "recovered", "rose", "appeared")
AnyResult: TypeAlias = CellResult | RecoveryResult | ThroughputResult
_EXPLAINING: Final = ("codec_version", "decoder_version", "codec_device", "device", "reference_version", "trainer")
"""Fields of results that may explain a change."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A version or a device that differs; None where one release does not have it."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, eq=False)
class CellChange:
    """A cell that is another than before."""

    id: str
    kind: Kind
    before: AnyResult | None
    after: AnyResult | None
    comparison: Comparison | None = None
    moved: tuple[Moved, ...] = ()
    """Versions and devices that may explain it."""
    remark: str = ""

    @property
    def regression(self) -> bool:
        """True if the change is one for the worse."""
        if self.kind == "vanished":
            return bool(self.remark)
        failed = self.after is not None and self.after.outcome == "failed"
        return self.kind in ("newly failing", "fell") or (self.kind == "appeared" and failed)


def moved_cell(before: AnyResult, after: AnyResult) -> Iterator[Moved]:
    """Yield the versions and devices of a cell that differ."""
    for name in _EXPLAINING:
        old, new = getattr(before, name, None), getattr(after, name, None)
        if old and new and old != new:
            yield Moved(name.replace("_", " "), old, new)
