"""Observations of decoded images before the model gets them: their distance from their sources, and checks made."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from compress_guard.engine.coding.outliers import NAMED, Fidelity, Spread
from compress_guard.records import FidelityFigures


@dataclass(frozen=True, slots=True)
class Distance:
    """The distance of one decoded image from what another decoder made of its stream."""

    id: str
    largest: int
    """Largest difference in a channel, in levels."""
    mean: float
    """Mean absolute difference over all channels, in levels."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Observations of the decoded images of one batch, or of many."""

    fidelities: tuple[Fidelity, ...] = ()
    """One per image."""
    checked: int = 0
    """Number of images that were decoded again, to the same pixels."""
    device_luma: float | None = None
    """Largest mean difference in luma, in levels, between an image decoded on a GPU and on the CPU."""
    apart: tuple[Distance, ...] = ()
    """One per image in a cell that compares decoders: its distance from what the first decoder made of its stream."""

    @classmethod
    def merge(cls, parts: Iterable[Seen]) -> Seen:
        """Return the observations of all parts together."""
        parts = list(parts)
        return cls(
            tuple(fidelity for part in parts for fidelity in part.fidelities),
            sum(part.checked for part in parts),
            max((part.device_luma for part in parts if part.device_luma is not None), default=None),
            tuple(image for part in parts for image in part.apart),
        )

    def only(self, ids: Collection[str]) -> Seen:
        """Return the observations of the images with these ids; the number of checks stays that of all."""
        return replace(
            self,
            fidelities=tuple(fidelity for fidelity in self.fidelities if fidelity.id in ids),
            apart=tuple(image for image in self.apart if image.id in ids),
        )

    def figures(self) -> FidelityFigures:
        """Return the part of a result that these images make."""
        spread = Spread.of(self.fidelities) if self.fidelities else None
        return FidelityFigures(
            checked=self.checked,
            device_difference=self.device_luma,
            psnr_mean=spread.mean if spread else None,
            psnr_median=spread.median if spread else None,
            outlier_count=len(spread.outliers) if spread else None,
            outliers=spread.outliers[:NAMED] if spread else (),
        )

    @property
    def decoder_difference(self) -> tuple[int, float] | None:
        """Largest difference of all images from the first decoder's, and the mean over them; None without any."""
        if not self.apart:
            return None
        return max(image.largest for image in self.apart), statistics.fmean(image.mean for image in self.apart)

    def as_dict(self) -> dict[str, Any]:
        """Return the observations as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Seen:
        """Return the inverse of `as_dict`."""
        return cls(
            tuple(Fidelity(**fidelity) for fidelity in values["fidelities"]),
            int(values["checked"]),
            values["device_luma"],
            tuple(Distance(**image) for image in values["apart"]),
        )


NOTHING: Final = Seen()
"""An empty record, for images that were not inspected."""
