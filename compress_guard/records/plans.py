"""Input and output of rate control: images, and the setting of each at each target rate."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

from compress_guard.records.vocabulary import RateMode

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """An image as rate control sees it: a stable id and a number of pixels."""

    id: str
    pixels: int


@dataclass(frozen=True, slots=True)
class PlannedRate:
    """Setting of every image at one target rate."""

    target: float
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
    off_target: int
    """Images at the codec's floor or ceiling that miss the target by more than the tolerance."""
    mixed: bool
    """Two settings more than 15 % apart in mean rate are mixed."""
    encodes: float
    """Encoder calls that this rate's search asked for, weighted by pixels: encoded pixels / pixels of all images."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PlannedRate:
        """Return the planned rate that these JSON values describe."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
        }
        return cls(**fields)

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

    def without(self, lost: Container[int]) -> PlannedRate:
        """Return this plan without the images at these positions, as if they could not be coded."""

        def rest(values: Sequence[T | None]) -> tuple[T | None, ...]:
            return tuple(None if at in lost else value for at, value in enumerate(values))

        return replace(self, settings=rest(self.settings), lengths=rest(self.lengths), bpp=rest(self.bpp))


@dataclass(frozen=True, slots=True)
class RatePlan:
    """Settings of one codec that bring the images of a guard to each of its target rates."""

    mode: RateMode
    rates: tuple[PlannedRate, ...]
    """Planned rates, one for each target, ascending."""

    def fits(self, mode: RateMode, rates: Sequence[float], images: int, ladder: Container[float]) -> bool:
        """Return True if this can be a plan for this number of images at these rates, with settings of this ladder."""
        return (
            self.mode == mode
            and [planned.target for planned in self.rates] == sorted(rates)
            and all(len(values) == images for rate in self.rates for values in (rate.settings, rate.lengths, rate.bpp))
            and all(setting is None or setting in ladder for rate in self.rates for setting in rate.settings)
        )

    def at(self, bpp: float) -> PlannedRate:
        """Return the plan of this target rate."""
        return next(planned for planned in self.rates if planned.target == bpp)

    def to_bytes(self) -> bytes:
        """Return the plan as JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> RatePlan:
        """Return the plan in bytes of `to_bytes`; raises ValueError for other bytes."""
        try:
            values = json.loads(data)
            return cls(values["mode"], tuple(PlannedRate.from_dict(rate) for rate in values["rates"]))
        except Exception as problem:  # damaged JSON may be nested too deeply, or hold anything
            raise ValueError(f"these bytes are not a rate plan: {problem}") from problem


def seeded_fraction(seed: int, image_id: str) -> float:
    """Return a number in [0, 1) that depends only on the seed and the image's id; mixes and subsets choose by it."""
    # Ids are often file names, and those need not be valid Unicode.
    digest = hashlib.blake2b(f"{seed}:{image_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
