"""Ranges and choices of keys, one table for thresholds files and for keyword arguments of the Python API.

The readers of the file take them from here, and so do the checks below, for callers who have no file and no line.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, get_args

from compress_guard.errors import OptionError
from compress_guard.records import (
    CleanReference,
    CodecSpec,
    Correction,
    OnInconclusive,
    OnMissing,
    Orientation,
    RateMode,
    format_setting,
)
from compress_guard.registry import setting_faults, unknown
from compress_guard.thresholds.keys.curve import POINTS, RATES, looks_like_quality
from compress_guard.thresholds.value import Span


@dataclass(frozen=True, slots=True)
class NumberKey:
    """A key that takes a number."""

    span: Span
    advice: str
    """The end of the message about a keyword argument outside the span."""
    phrase: str = ""
    """The name of the number in that message, where it is not the key."""


NUMBERS: Final[Mapping[str, NumberKey]] = {
    "rate_tolerance": NumberKey(Span(0, 0.5, open_low=True), "it is relative, 0.02 means 2 %", phrase="rate tolerance"),
    "confidence": NumberKey(Span(0.5, 1, open_low=True, open_high=True), "0.95 is usual"),
    "max_error_share": NumberKey(Span(0, 1, open_high=True), "0 allows no failure"),
    "max_drop": NumberKey(POINTS, "give it in points"),
    "max_decoder_drop": NumberKey(POINTS, "give it in points"),
    "min_score": NumberKey(POINTS, "give it in points"),
    "min_clean": NumberKey(POINTS, "give it in points"),
    "max_regression": NumberKey(POINTS, "give it in points"),
}
LIMITS: Final = ("max_drop", "min_score", "min_clean", "max_regression")
"""The limits of a guard, in points."""
POLICIES: Final[Mapping[str, tuple[str, ...]]] = {
    "on_inconclusive": get_args(OnInconclusive),
    "on_unreachable": get_args(OnMissing),
    "on_unavailable": get_args(OnMissing),
}
"""The choices of each policy."""
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "rate": get_args(RateMode),
    "correction": get_args(Correction),
    "orientation": get_args(Orientation),
    "reference": get_args(CleanReference),
    **POLICIES,
}
"""The texts of each key that takes one of a few."""


def check_number(key: str, value: float) -> None:
    """Raise `OptionError` for a keyword argument that is no number, or a number outside the key's span."""
    known = NUMBERS[key]
    _check_type(key, value, known.span)
    if value not in known.span:
        raise OptionError(f"{known.phrase or key} {value:g} is outside {known.span}; {known.advice}")


def check_policy(key: str, choice: str) -> None:
    """Raise `OptionError` for a policy that the key does not have."""
    if choice not in POLICIES[key]:
        *first, last = POLICIES[key]
        raise OptionError(f"{key} is {choice!r}; expected {', '.join(first)} or {last}")


def check_rate(mode: str, bpp: Any, tolerance: float | None) -> None:
    """Raise `OptionError` for a rate mode that is not known, and for a rate or a tolerance out of range."""
    if mode not in CHOICES["rate"]:
        raise OptionError(unknown("rate mode", mode, CHOICES["rate"]))
    if isinstance(bpp, bool):
        _check_type("bpp", bpp, RATES)
    try:
        inside = bpp in RATES
    except (TypeError, ValueError, RuntimeError):  # of texts, of lists, and of arrays and tensors of several numbers
        raise OptionError(f"bpp is {bpp!r}; expected a rate in bits per pixel, a number in {RATES}") from None
    if not inside:
        meant = f", or did you mean quality={bpp:g}?" if looks_like_quality(bpp) else ""
        raise OptionError(f"rate {bpp:g} bpp is outside {RATES}; use a rate in that range{meant}")
    if tolerance is not None:
        check_number("rate_tolerance", tolerance)


def check_quality(quality: object) -> float:
    """Return a setting on a codec's own scale; raise `OptionError` for what is no finite number."""
    try:
        setting = math.nan if isinstance(quality, (bool, str, bytes)) else float(quality)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):  # of lists, and of arrays and tensors of several numbers
        setting = math.nan
    if not math.isfinite(setting):
        raise OptionError(f"quality is {quality!r}; expected a setting on the codec's own scale, a number")
    return setting


def check_setting(spec: CodecSpec, quality: object) -> float:
    """Return a setting that this codec takes, as far as it can tell without its library; raise `OptionError`."""
    setting = check_quality(quality)
    (taken,) = setting_faults(spec, [setting])
    if taken is not None:
        rate = ", or give it as a rate by bpp" if setting in RATES else ""
        found = f"{format_setting(setting)} is no quality of {spec.alias}, which takes {taken}"
        raise OptionError(f"{found}; use one of these{rate}")
    return setting


def check_nothing_asked(spec: CodecSpec, bpp: object, quality: object) -> None:
    """Raise `OptionError` for a rate or a quality that is stated for a codec which leaves nothing open."""
    for key, value in (("bpp", None if isinstance(bpp, RateByDefault) else bpp), ("quality", quality)):
        if value is not None:
            raise OptionError(
                f"{key} is {value!r}, and the steps of codec {spec.alias} leave no quality open; leave {key} out, or "
                "the quality of its last codec"
            )


class RateByDefault(float):
    """A target rate that the caller has not stated, and that holds only without a quality."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the number, for signatures."""
        return float.__repr__(self)


DEFAULT_BPP: Final = RateByDefault(0.25)
"""Target rate of the functions that take one."""


@dataclass(frozen=True, slots=True)
class AskedByKeyword:
    """Rates and qualities that a call asks for, in its order; they are not checked yet."""

    rates: tuple[Any, ...]
    qualities: tuple[Any, ...]
    alone: bool
    """True for a call that asks for one of them and not for a list."""

    @classmethod
    def of(cls, bpp: object, quality: object) -> AskedByKeyword:
        """Read the keywords ``bpp`` and ``quality``: numbers or lists; the second one may be None, and so may the first
        beside a quality.

        Raises `OptionError` for a list that is empty or holds a number twice.
        """
        asked = quality is not None
        rates = [] if asked and (bpp is None or isinstance(bpp, RateByDefault)) else _listed("bpp", bpp)
        qualities = _listed("quality", quality) if asked else []
        return cls(
            (bpp,) if rates is None else tuple(rates),
            (quality,) if qualities is None else tuple(qualities),
            alone=(rates is None) != (qualities is None) and not (rates or qualities),
        )


_COUNTED: Final = {"bpp": ("rate", " bpp"), "quality": ("quality", "")}
"""The name of one number of a list, and its unit, in messages."""


def _listed(key: str, values: Any) -> list[Any] | None:
    """Return the numbers of a list in its order; None for a single one, and for an object that is none."""
    if isinstance(values, (int, float, str, bytes, Mapping, AbstractSet)) or getattr(values, "ndim", 1) == 0:
        return None
    try:
        numbers = list(values)
    except TypeError:
        return None
    if any(getattr(number, "ndim", 0) for number in numbers):
        return None
    what, unit = _COUNTED[key]
    if not numbers:
        raise OptionError(f"{key} is an empty list; give at least one {what}")
    for at, number in enumerate(numbers):
        if number in numbers[:at]:
            raise OptionError(f"{what} {number}{unit} is given twice in {key}; keep one of them")
    return numbers


def _check_type(key: str, value: object, span: Span) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise OptionError(f"{key} must be a number, found {value!r}; write a number from {span}")
