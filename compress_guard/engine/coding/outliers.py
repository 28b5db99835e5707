"""Images that came back far worse than the others: the trace of a decoder that breaks on a few of them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.engine.coding.likeness import Rated

FEWEST: Final = 5
"""Smallest number of images among which there can be outliers: of four, two might be like the other two."""
NAMED: Final = 5
"""Largest number of outliers that a result names."""
LEAST_DB: Final = 6.0
"""Smallest distance of an outlier's PSNR below the median."""
LEAST_GAIN_DB: Final = 8.0
"""Smallest distance of an outlier's gain below the median, however uniform the others are: more than six times
their error."""
SIGMAS: Final = 5.0
"""Distance in robust sigmas: none of the 25 photographs of gb82, by JPEG and WebP at 0.1 to 2 bpp, exceeds 4.1."""
_MAD_TO_SIGMA: Final = 1.4826
"""Ratio of the standard deviation to the median absolute deviation of normally distributed values."""


@dataclass(frozen=True, slots=True)
class Fidelity:
    """The quality of one decoded image."""

    id: str
    psnr: float
    """PSNR of the decoded image against its source, in dB."""
    coarse: float
    """PSNR of the source's own block means against it, in dB: see `coarse_psnr`."""
    flat: float | None = None
    """PSNR of a flat picture of the source's mean colour against it, in dB; None for a source that is too narrow."""
    worse: bool = False
    """True if the flat picture is clearly better, and coarseness does not explain it: see `likeness.Rated`."""

    @property
    def rated(self) -> Rated | None:
        """The decoded image beside the flat picture."""
        return None if self.flat is None else Rated(self.psnr, self.flat, self.worse)


@dataclass(frozen=True, slots=True)
class Spread:
    """The quality of all decoded images of a cell."""

    mean: float
    """Mean PSNR of the images, in dB."""
    median: float
    outliers: tuple[tuple[str, float], ...]
    """(id, PSNR) of every outlier, the worst first."""

    @classmethod
    def of(cls, images: Sequence[Fidelity]) -> Spread:
        """Summarise at least one image.

        PSNR alone depends on content: at one bpp sand has 23 dB and haze 45, so only a destroyed image would stand out.
        The gain over a copy of 8x8 block means hardly depends on content: the same photographs spread by a sigma of 2
        to 3.6 dB instead of 5 to 9 in image mode, and images shifted by a few pixels stand out. An outlier lies far
        below the others in gain and in PSNR: a flat image, which cannot gain anything, is no outlier.
        """
        levels = [image.psnr for image in images]
        median = statistics.median(levels)
        outliers: list[Fidelity] = []
        if len(images) >= FEWEST:
            gains = [image.psnr - image.coarse for image in images]
            middle = statistics.median(gains)
            sigma = _MAD_TO_SIGMA * statistics.median(abs(gain - middle) for gain in gains)
            lowest = middle - max(LEAST_GAIN_DB, SIGMAS * sigma)
            outliers = [
                image
                for image, gain in zip(images, gains, strict=True)
                if gain < lowest and image.psnr < median - LEAST_DB
            ]
        worst_first = sorted(outliers, key=lambda image: image.psnr)
        return cls(statistics.fmean(levels), median, tuple((image.id, image.psnr) for image in worst_first))
