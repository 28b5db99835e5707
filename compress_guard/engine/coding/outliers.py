"""Images that came back far worse than the others: what a decoder that breaks on a few of them leaves behind."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.engine.coding.likeness import Rated

FEWEST: Final = 5
"""Images of which some can be called others: of four, two would be the neighbours of the other two."""
NAMED: Final = 5
"""Outliers that a result names."""
LEAST_DB: Final = 6.0
"""How far below the median an outlier's PSNR lies at least."""
LEAST_GAIN_DB: Final = 8.0
"""How far below the median its gain lies at least, however alike the others are: more than six times their error."""
SIGMAS: Final = 5.0
"""On the 25 photographs of gb82, by JPEG and WebP at 0.1 to 2 bpp, none lies more than 4.1 robust sigmas below."""
_MAD_TO_SIGMA: Final = 1.4826
"""Of normally distributed values."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What coding left of one image."""

    id: str
    psnr: float
    """Of the decoded image against its source, in dB."""
    coarse: float
    """Of the source's own block means against it, in dB: see `coarse_psnr`."""
    flat: float | None = None
    """PSNR of a flat picture of the source's mean colour against it, in dB; None for a source that is too narrow."""
    worse: bool = False
    """Whether the flat picture is clearly better, and coarseness is no excuse: see `likeness.Rated`."""

    @property
    def rated(self) -> Rated | None:
        """The decoded image beside the flat picture."""
        return None if self.flat is None else Rated(self.psnr, self.flat, self.worse)


@dataclass(frozen=True, slots=True)
class Spread:
    """The images of a cell together."""

    mean: float
    """Of the images' PSNR, in dB."""
    median: float
    outliers: tuple[tuple[str, float], ...]
    """(id, PSNR) of every outlier, the worst first."""

    @classmethod
    def of(cls, found: Sequence[Fidelity]) -> Spread:
        """Of at least one image.

        PSNR alone depends on content: at one bpp sand has 23 dB and haze 45, so that an image must be destroyed beyond
        any noise to stand out. What it gains over a copy of 8x8 block means hardly does: there the same photographs
        spread by a sigma of 2 to 3.6 dB instead of 5 to 9 in image mode, and images shifted by a few pixels stand out.
        An outlier lies far below the others in gain, and in PSNR too: a flat image, which has nothing to gain, is none.
        """
        levels = [one.psnr for one in found]
        median = statistics.median(levels)
        outliers: list[Fidelity] = []
        if len(found) >= FEWEST:
            gains = [one.psnr - one.coarse for one in found]
            middle = statistics.median(gains)
            sigma = _MAD_TO_SIGMA * statistics.median(abs(gain - middle) for gain in gains)
            lowest = middle - max(LEAST_GAIN_DB, SIGMAS * sigma)
            outliers = [
                one for one, gain in zip(found, gains, strict=True) if gain < lowest and one.psnr < median - LEAST_DB
            ]
        worst_first = sorted(outliers, key=lambda one: one.psnr)
        return cls(statistics.fmean(levels), median, tuple((one.id, one.psnr) for one in worst_first))
