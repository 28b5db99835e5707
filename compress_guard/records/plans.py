"""What rate control knows of an image and decides for it."""

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
    """What rate control knows of an image: a stable id and its number of pixels."""

    id: str
    pixels: int


@dataclass(frozen=True, slots=True)
class PlannedRate:
    """How every image is coded at one target rate."""

    target: float
    settings: tuple[float | None, ...]
    """One per image, in data order; None where the image could not be coded."""
    lengths: tuple[int | None, ...]
    """Bytes of each image's stream."""
    bpp: tuple[float | None, ...]
    """8 x bytes / pixels of each image."""
    reachable: bool
    floor: float | None
    """Where the rate is unreachable: the lowest mean bpp that the codec reaches (dataset mode), or the highest floor
    among the images that are stuck (image mode)."""
    off_target: int
    """Images at the codec's floor or ceiling that miss the target by more than the tolerance."""
    mixed: bool
    """Two settings more than 15 % apart in mean rate were mixed."""
    encodes: float
    """Encoder calls that this rate's search asked for, weighted by pixels: encoded pixels / pixels of all images."""

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PlannedRate:
        """From its JSON values."""
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
        """How many images are coded at each setting, settings ascending."""
        used = [setting for setting in self.settings if setting is not None]
        return {setting: used.count(setting) for setting in sorted(set(used))}

    def without(self, lost: Container[int]) -> PlannedRate:
        """The same plan with the images at these positions taken out, as if they could not be coded."""

        def rest(values: Sequence[T | None]) -> tuple[T | None, ...]:
            return tuple(None if at in lost else value for at, value in enumerate(values))

        return replace(self, settings=rest(self.settings), lengths=rest(self.lengths), bpp=rest(self.bpp))


@dataclass(frozen=True, slots=True)
class RatePlan:
    """How a codec brings the images of a guard to each of its target rates."""

    mode: RateMode
    rates: tuple[PlannedRate, ...]
    """One per target, ascending."""

    def fits(self, mode: RateMode, rates: Sequence[float], images: int, ladder: Container[float]) -> bool:
        """Return whether this can be the plan of so many images at these rates, with settings of this ladder."""
        return (
            self.mode == mode
            and [planned.target for planned in self.rates] == sorted(rates)
            and all(len(values) == images for one in self.rates for values in (one.settings, one.lengths, one.bpp))
            and all(setting is None or setting in ladder for one in self.rates for setting in one.settings)
        )

    def at(self, bpp: float) -> PlannedRate:
        return next(planned for planned in self.rates if planned.target == bpp)

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> RatePlan:
        """The inverse of `to_bytes`; raises ValueError for bytes that are none."""
        try:
            values = json.loads(data)
            return cls(values["mode"], tuple(PlannedRate.from_dict(one) for one in values["rates"]))
        except Exception as problem:  # of damaged JSON too: it may be nested too deeply, or hold anything
            raise ValueError(f"these bytes are not a rate plan: {problem}") from problem


def seeded_fraction(seed: int, image_id: str) -> float:
    """A number in [0, 1) that depends on the seed and the image's id alone: how mixes and subsets choose images."""
    # Ids are often file names, and those need not be valid Unicode.
    digest = hashlib.blake2b(f"{seed}:{image_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
