"""The keys of `defaults`, each of which a guard may set again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from compress_guard.records import CleanReference, CodecSpec, Correction, Grouping, Orientation, Policy, RateMode
from compress_guard.thresholds.catalogue import Catalogue
from compress_guard.thresholds.keys.curve import Curve, read_drops
from compress_guard.thresholds.keys.decoders import DecoderLimits, Decoders, read_decoders, read_limits
from compress_guard.thresholds.keys.groups import read_groups
from compress_guard.thresholds.keys.per_codec import PerCodec
from compress_guard.thresholds.keys.points import AskedPoints, Qualities, read_quality
from compress_guard.thresholds.keys.rates import Rates, read_bpp, read_codecs
from compress_guard.thresholds.keys.recovery import Finetuning
from compress_guard.thresholds.keys.throughput import Asked
from compress_guard.thresholds.keywords import CHOICES, NUMBERS, POLICIES
from compress_guard.thresholds.value import Entry, Value

TOLERANCE: Final[Mapping[RateMode, float]] = {"dataset": 0.02, "image": 0.05}
"""Relative tolerance of the rate by default: 2 % of the mean, 5 % of each image."""


CODECS_BY_DEFAULT: Final = ("jpeg", "webp", "avif")
RATES_BY_DEFAULT: Final = PerCodec(Rates((0.1, 0.25, 0.5, 1.0, 2.0)))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of `defaults`; after `updated` those of one guard."""

    codecs: tuple[CodecSpec, ...]
    bpp: PerCodec[Rates] | None = field(default_factory=lambda: RATES_BY_DEFAULT)
    """Rates that the file asks for, None for none; see `points`."""
    quality: PerCodec[Qualities] | None = None
    rate: RateMode = "dataset"
    rate_tolerance: float | None = None
    limit: PerCodec[int | None] = field(default_factory=PerCodec)
    confidence: float = 0.95
    correction: Correction = "none"
    decoder_swap: bool = False
    decoders: Decoders | None = None
    max_decoder_drop: DecoderLimits | None = None
    max_error_share: float = 0.0
    max_regression: PerCodec[Curve] | None = None
    min_clean: Curve | None = None
    orientation: Orientation | None = None
    groups: Grouping | None = None
    reference: CleanReference = "source"
    policy: Policy = field(default_factory=Policy)
    throughput: Asked | None = None
    recovery: Finetuning | None = None

    @classmethod
    def initial(cls, catalogue: Catalogue) -> Settings:
        """Return the settings where the file has none."""
        return cls(tuple(catalogue.named(name) for name in CODECS_BY_DEFAULT))

    @property
    def points(self) -> AskedPoints:
        """Rates and qualities; the rates by default hold only where the file states neither."""
        rates = None if self.bpp is RATES_BY_DEFAULT and self.quality is not None else self.bpp
        return AskedPoints(rates, self.quality)

    @property
    def tolerance(self) -> float:
        """Relative; that of the rate mode unless the file gives one."""
        return TOLERANCE[self.rate] if self.rate_tolerance is None else self.rate_tolerance

    def updated(self, table: Mapping[str, Entry], catalogue: Catalogue) -> Settings:
        """Return the settings with the keys of a table laid over them; keys that are not of `defaults` are ignored."""
        settings, policy = self, self.policy
        for key, entry in table.items():
            if key in POLICIES:
                stated = {key: entry.value.choice(key, POLICIES[key])}
                policy = replace(policy, stated=policy.stated | {key}, **stated)  # type: ignore[arg-type]  # a choice of it
            elif key == RECOVERY:
                # Each guard has training data of its own, while the schedule is often one for all.
                recovery = Finetuning.read(entry.value, key, catalogue, self.recovery)
                settings = replace(settings, recovery=recovery)
            elif key in READERS:
                settings = replace(settings, **{key: READERS[key](entry.value, key, catalogue)})
        return replace(settings, policy=policy)


def _limit(value: Value, what: str, catalogue: Catalogue) -> PerCodec[int | None]:
    return PerCodec.read(value, what, catalogue, _images)


def _images(value: Value, what: str) -> int | None:
    scalar = value.scalar
    if value.empty:
        return None
    if isinstance(scalar, bool) or not isinstance(scalar, int) or scalar < 1:
        remedy = "write a number of images, or null for all of them"
        raise value.error(f"{what} must be a whole number above 0 or null, found {value.described}", remedy)
    return scalar


def _points(value: Value, key: str, catalogue: Catalogue) -> Curve | None:
    """Read one number for all rates and codecs, or nothing."""
    del catalogue
    return None if value.empty else Curve((_number(value, key),), line=value.line, places=(value.place,))


def _number(value: Value, key: str, catalogue: Catalogue | None = None) -> float:
    del catalogue
    return value.number(key, NUMBERS[key].span)


def _choice(value: Value, key: str, catalogue: Catalogue) -> str:
    del catalogue
    return value.choice(key, CHOICES[key])


READERS: Final[Mapping[str, Callable[[Value, str, Catalogue], Any]]] = {
    "codecs": read_codecs,
    "bpp": read_bpp,
    "quality": read_quality,
    "rate": _choice,
    "rate_tolerance": _number,
    "limit": _limit,
    "confidence": _number,
    "correction": _choice,
    "decoders": read_decoders,
    "max_decoder_drop": read_limits,
    "decoder_swap": lambda value, key, _: value.flag(key),
    "max_regression": lambda value, key, catalogue: None if value.empty else read_drops(value, key, catalogue),
    "min_clean": _points,
    "max_error_share": _number,
    "orientation": lambda value, key, catalogue: None if value.empty else _choice(value, key, catalogue),
    "groups": read_groups,
    "reference": _choice,
    "throughput": Asked.read,
}
RECOVERY: Final = "recovery"
"""The key that is merged with that of the defaults; all others replace theirs as a whole."""
KEYS: Final = (*READERS, *POLICIES, RECOVERY)
