"""Throughput cells: what is timed, their limits, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

from compress_guard.records.codecs import CodecSpec
from compress_guard.records.points import Fixed, OperatingPoint, Quality, Rate, labelled
from compress_guard.records.texts import settle_texts
from compress_guard.records.vocabulary import Outcome, SettledBy, Verdict

Work: TypeAlias = Literal["encode", "decode", "round_trip"]
"""Work that is timed. A round trip is encoding, then decoding, as a gate needs it."""


@dataclass(frozen=True, slots=True)
class SpeedLimits:
    """Limits of one throughput cell; None: no limit."""

    min_ratio: float | None = None
    """Speed / speed of the reference codec at the same rate on the same images, in the same run."""
    min_speed: float | None = None
    """Megapixels per second; judged only on `Throughput.device`."""


@dataclass(frozen=True, slots=True)
class ThroughputCell:
    """One test: a codec, an operating point, what is timed, and its limits."""

    guard: str
    codec: CodecSpec
    point: OperatingPoint
    work: Work
    limits: SpeedLimits
    line: int
    """Line in the thresholds file (1-based)."""

    @property
    def bpp(self) -> float | None:
        """Target rate in bits per pixel; None at another operating point."""
        return self.point.bpp if isinstance(self.point, Rate) else None

    @property
    def quality(self) -> float | None:
        """Setting of the codec; None at another operating point."""
        return self.point.setting if isinstance(self.point, Quality) else None

    @property
    def label(self) -> str:
        """``throughput-jpeg-0.25bpp`` for a round trip, ``throughput-jpeg-q75-encode`` for a part of it."""
        part = "" if self.work == "round_trip" else f"-{self.work}"
        return f"throughput-{labelled(self.codec.alias, self.point)}{part}"

    @property
    def name(self) -> str:
        """Guard and label, e.g. ``photos[throughput-jpeg-0.25bpp]``."""
        return f"{self.guard}[{self.label}]"

    @property
    def judged(self) -> bool:
        """True if there is a limit."""
        return self.limits != SpeedLimits()


@dataclass(frozen=True, slots=True)
class Throughput:
    """Settings for measuring the throughput of a guard's codecs, and the cells."""

    reference: CodecSpec
    """Codec that the others are compared with."""
    images: int = 8
    """Number of images of the guard's data, a seeded choice; coded in one call."""
    rounds: int = 10
    """Number of timed passes, each beside one of the reference."""
    device: str | None = None
    """Name of the device that `min_speed` is meant for, as results print it; it is judged nowhere else."""
    max_growth: float | None = None
    """Megabytes by which memory may grow from the first round to the last."""
    cells: tuple[ThroughputCell, ...] = ()


@dataclass(frozen=True, slots=True)
class ThroughputResult:
    """One throughput cell of the results. Speeds are megapixels of the source per second, memory megabytes of 10^6
    bytes. A number that was not measured is None, never 0.
    """

    id: str
    guard: str
    codec: str
    target_bpp: float | None
    work: Work
    verdict: Verdict
    outcome: Outcome
    settled_by: SettledBy
    reason: str
    seed: int
    confidence: float
    target_quality: float | None = None
    """Setting that all images are coded at; None with a target rate."""
    bpp_mean: float | None = None
    images: int | None = None
    """Number of images in a call."""
    megapixels: float | None = None
    """Megapixels of these images together."""
    rounds: int | None = None
    """Number of timed passes after the warm-up."""
    threads: int | None = None
    """CPU threads that the codec may use."""
    device: str | None = None
    """Device of the run, e.g. ``cuda:0 (NVIDIA H200)``, ``cpu (AMD EPYC)``."""
    codec_device: str | None = None
    """Device of the codec itself; images are there before the clock starts."""
    codec_version: str | None = None
    speed: float | None = None
    """Median over the rounds."""
    speed_low: float | None = None
    """Interval of the median."""
    speed_high: float | None = None
    reference: str | None = None
    """The codec compared with; None for the reference itself."""
    reference_version: str | None = None
    reference_bpp: float | None = None
    """Mean rate of the reference on these images."""
    reference_speed: float | None = None
    ratio: float | None = None
    """Median over the rounds of speed / speed of the reference in the same round."""
    ratio_low: float | None = None
    ratio_high: float | None = None
    min_ratio: float | None = None
    min_speed: float | None = None
    limit_device: str | None = None
    """The device that min_speed is meant for."""
    transfer_speed: float | None = None
    """Speed of moving the images to the codec's device (encode), from it (decode) or both; None for the CPU."""
    peak_memory: float | None = None
    """Most memory that the rounds took beyond what was held before them."""
    growth: float | None = None
    """Memory held after the last round minus that after the first, after garbage collection."""
    max_growth: float | None = None
    seconds: float | None = None
    waived: str | None = None
    """Reason of the waiver that turned the failure of the cell into a skip; None for every other outcome."""
    waived_until: str | None = None
    """Last day of the waiver that names the cell, ``2026-12-31``, whether it was needed or not."""
    limit_line: int | None = None
    """Line in the thresholds file that a failure points to."""

    def __post_init__(self) -> None:
        settle_texts(self)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return asdict(self)

    @property
    def point(self) -> OperatingPoint:
        """Operating point of the cell."""
        if self.target_bpp is not None:
            return Rate(self.target_bpp)
        return Fixed() if self.target_quality is None else Quality(self.target_quality)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ThroughputResult:
        """Return the result of which `as_dict` gave the values; keys that this version does not know are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})
