"""Operating points that cover the files of a profile, each with the share of the traffic that it stands for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import floor, log, log10
from typing import Final, Literal

from compress_guard.traffic.distribution import Distribution
from compress_guard.traffic.profile import FormatProfile, TrafficProfile

_ORDER: Final = (50, 5, 95, 25, 75)
"""Percentiles that become points, the most important first."""
_QUALITY_STEP: Final = 3.0
"""Least distance between two qualities that get points of their own."""
_BPP_STEP: Final = 1.15
"""Least ratio between two rates that get points of their own."""
_LEAST_SHARE: Final = 0.01
"""Least share of the images that a format needs to get cells."""
_RATES: Final = (0.02, 8.0)
"""Range of the key bpp of a thresholds file."""
_SUBSAMPLINGS: Final = ("4:2:0", "4:2:2", "4:4:4")
_WITH_CHROMA: Final = frozenset(["jpeg", "avif", "heic"])
"""Codecs with an option for the chroma resolution, which the headers of their files tell."""
_DIGITS: Final = 4


@dataclass(frozen=True, slots=True)
class CoveredPoint:
    """One operating point of a codec, and the share of all images that it stands for."""

    value: float
    share: float


@dataclass(frozen=True, slots=True)
class CoveredCodec:
    """The points of one codec."""

    codec: str
    kind: Literal["quality", "bpp"]
    points: tuple[CoveredPoint, ...]
    """Points in ascending order, at least one."""
    subsampling: str | None = None
    """Chroma of most files, where the codec has such an option."""
    progressive: bool = False
    """True if most files are progressive."""

    @property
    def share(self) -> float:
        return sum(point.share for point in self.points)


@dataclass(frozen=True, slots=True)
class Cover:
    """Codecs with their points, and how much of the traffic they leave out."""

    codecs: tuple[CoveredCodec, ...]
    lossless: float
    """Share of the images in lossless files, which need no cell."""

    @property
    def share(self) -> float:
        return sum(part.share for part in self.codecs)


def cover_of(profile: TrafficProfile) -> Cover:
    """Return points from the 5th to the 95th percentile of each format with at least 1 % of the images.

    JPEG files have qualities. The headers of other formats do not tell the quality that an encoder was given, so these
    have rates, without metadata. Files outside the percentiles belong to no point: a mean over the points says nothing
    about them.
    """
    codecs = [
        covered
        for part in profile.formats
        if part.codec is not None and profile.share(part) >= _LEAST_SHARE
        if (covered := _covered(part, part.codec, profile.images)) is not None
    ]
    lossless = sum(part.files for part in profile.formats if part.lossless)
    return Cover(tuple(codecs), lossless / profile.images)


def _covered(part: FormatProfile, codec: str, images: int) -> CoveredCodec | None:
    qualities = part.qualities
    chroma = next((name for name in part.chroma if name in _SUBSAMPLINGS), None) if codec in _WITH_CHROMA else None
    if codec == "jpeg":
        if qualities is None:
            return None
        points = _points(qualities, images, float, _near_quality, lambda a, b: abs(a - b))
        progressive = 2 * (part.progressive or 0) > part.files
        return CoveredCodec(codec, "quality", points, chroma, progressive) if points else None
    rates = part.distribution(lambda header: header.coded_bpp)
    points = _points(rates, images, _two_digits, _near_rate, lambda a, b: abs(log(a / b)))
    points = tuple(point for point in points if _RATES[0] <= point.value <= _RATES[1])
    return CoveredCodec(codec, "bpp", points, chroma) if points else None


def _near_quality(value: float, other: float) -> bool:
    return abs(value - other) < _QUALITY_STEP


def _near_rate(value: float, other: float) -> bool:
    return max(value, other) / min(value, other) < _BPP_STEP


def _points(
    values: Distribution,
    images: int,
    rounded: Callable[[float], float],
    near: Callable[[float, float], bool],
    distance: Callable[[float, float], float],
) -> tuple[CoveredPoint, ...]:
    """Return the percentiles that are not near one another, with the share of the images nearest to each."""
    kept: list[float] = []
    for percent in _ORDER:
        value = rounded(values.percentile(percent))
        if not any(near(value, other) for other in kept):
            kept.append(value)
    kept.sort()
    low, high = values.percentile(5), values.percentile(95)
    counts = Counter(
        min(kept, key=lambda point: distance(point, value)) for value in values.values if low <= value <= high
    )
    # Rounded down, so that no sum of shares is above 1.
    shares = {point: floor(counts[point] / images * 10**_DIGITS + 1e-9) / 10**_DIGITS for point in kept}
    return tuple(CoveredPoint(point, share) for point, share in shares.items() if share > 0)


def _two_digits(value: float) -> float:
    return round(value, 1 - floor(log10(value)))
