"""Input and output of rate control: images, and the setting of each at each operating point."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from compress_guard.records.points import Fixed, OperatingPoint, Quality, Rate
from compress_guard.records.vocabulary import RateMode

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """An image as rate control sees it: a stable id and a number of pixels."""

    id: str
    pixels: int


@dataclass(frozen=True, slots=True)
class PlannedRate:
    """Setting of every image at one operating point."""

    point: OperatingPoint
    settings: tuple[float | None, ...]
    """Setting of each image, in data order; None for an image that could not be coded."""
    lengths: tuple[int | None, ...]
    """Bytes of each image's stream, None as in `settings`."""
    bpp: tuple[float | None, ...]
    """8 x bytes / pixels of each image, None as in `settings`."""
    reachable: bool
    floor: float | None
    """For an unreachable rate: the lowest mean bpp of the codec (dataset mode), or the highest floor among the images
    that are stuck (image mode)."""
    off_target: int | None
    """Images at the codec's floor or ceiling that miss the target by more than the tolerance; None without a target."""
    mixed: bool
    """Two settings more than 15 % apart in mean rate are mixed."""
    encodes: float
    """Encoder calls that this rate's search asked for, weighted by pixels: encoded pixels / pixels of all images."""

    def as_dict(self) -> dict[str, Any]:
        """Return the planned rate as JSON values."""
        return asdict(self) | {"point": _point_as_dict(self.point)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PlannedRate:
        """Return the planned rate that these JSON values describe."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        fields["point"] = _point_from_dict(fields["point"])
        return cls(**fields)

    @property
    def target(self) -> float | None:
        """Target rate in bits per pixel; None at another operating point."""
        return self.point.bpp if isinstance(self.point, Rate) else None

    @property
    def nominal_bpp(self) -> float:
        """Target rate in bits per pixel, or the mean of the images' own at another operating point."""
        return self.target or self.bpp_mean or 0.0

    @property
    def bpp_mean(self) -> float | None:
        """Mean over the images of each image's bpp."""
        rates = [rate for rate in self.bpp if rate is not None]
        return sum(rates) / len(rates) if rates else None

    @property
    def bpp_se(self) -> float | None:
        """Standard error of bpp_mean over the images, None for fewer than two."""
        rates = [rate for rate in self.bpp if rate is not None]
        if len(rates) < 2:
            return None
        mean = sum(rates) / len(rates)
        return math.sqrt(sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1) / len(rates))

    @property
    def setting_counts(self) -> dict[float, int]:
        """Number of images coded at each setting, settings ascending."""
        used = [setting for setting in self.settings if setting is not None]
        return {setting: used.count(setting) for setting in sorted(set(used))}

    def shared(self) -> PlannedRate:
        """Return this plan as another cell made it: without encoder calls."""
        return replace(self, encodes=0.0)

    def without(self, lost: Container[int]) -> PlannedRate:
        """Return this plan without the images at these positions, as if they could not be coded."""

        def rest(values: Sequence[T | None]) -> tuple[T | None, ...]:
            return tuple(None if at in lost else value for at, value in enumerate(values))

        return replace(self, settings=rest(self.settings), lengths=rest(self.lengths), bpp=rest(self.bpp))


@dataclass(frozen=True, slots=True)
class RatePlan:
    """Settings of one codec that bring the images of a guard to each of its operating points."""

    mode: RateMode
    rates: tuple[PlannedRate, ...]
    """One for each operating point: target rates ascending, then the points whose setting is given."""

    def fits(self, mode: RateMode, points: Sequence[OperatingPoint], images: int, settings: Container[float]) -> bool:
        """Return True if this can be a plan for this number of images at these points, with these settings only."""
        return (
            self.mode == mode
            and [planned.point for planned in self.rates] == list(points)
            and all(len(values) == images for rate in self.rates for values in (rate.settings, rate.lengths, rate.bpp))
            and all(setting is None or setting in settings for rate in self.rates for setting in rate.settings)
        )

    def at(self, point: OperatingPoint) -> PlannedRate:
        """Return the plan of this operating point."""
        return next(planned for planned in self.rates if planned.point == point)

    @property
    def finest(self) -> PlannedRate:
        """The plan of the operating point with the highest rate."""
        return max(self.rates, key=lambda planned: planned.nominal_bpp)

    def to_bytes(self) -> bytes:
        """Return the plan as JSON."""
        values = {"mode": self.mode, "rates": [rate.as_dict() for rate in self.rates]}
        return json.dumps(values, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> RatePlan:
        """Return the plan in bytes of `to_bytes`; raises ValueError for other bytes."""
        try:
            values = json.loads(data)
            return cls(values["mode"], tuple(PlannedRate.from_dict(rate) for rate in values["rates"]))
        except Exception as problem:  # damaged JSON may be nested too deeply, or hold anything
            raise ValueError(f"these bytes are not a rate plan: {problem}") from problem


def _point_as_dict(point: OperatingPoint) -> dict[str, float]:
    match point:
        case Rate(bpp):
            return {"bpp": bpp}
        case Quality(setting):
            return {"quality": setting}
        case Fixed():
            return {}


def _point_from_dict(values: Mapping[str, float]) -> OperatingPoint:
    if "bpp" in values:
        return Rate(values["bpp"])
    return Quality(values["quality"]) if "quality" in values else Fixed()


def seeded_fraction(seed: int, image_id: str) -> float:
    """Return a number in [0, 1) that depends only on the seed and the image's id; mixes and subsets choose by it."""
    # Ids are often file names, and those need not be valid Unicode.
    digest = hashlib.blake2b(f"{seed}:{image_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def seeded_numbers(seed: int, prefix: str) -> Callable[[int], int]:
    """Return a function that gives each whole number a 64-bit one, fast enough for millions of them.

    Its result for `n` is 2**64 times `seeded_fraction(seed, f"{prefix}{n}")` before that is rounded.
    """
    start = hashlib.blake2b(f"{seed}:{prefix}".encode(), digest_size=8)

    def number(count: int) -> int:
        rest = start.copy()
        rest.update(b"%d" % count)
        return int.from_bytes(rest.digest(), "big")

    return number
