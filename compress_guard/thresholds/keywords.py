"""Ranges and choices of keys, one table for thresholds files and for keyword arguments of the Python API.

The readers of the file take them from here, and so do the checks below, for callers who have no file and no line.
"""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, get_args

from compress_guard.errors import OptionError
from compress_guard.records import Correction, OnInconclusive, OnMissing, Orientation, RateMode
from compress_guard.registry import unknown
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
}
LIMITS: Final = ("max_drop", "min_score", "min_clean")
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


def check_rate(mode: str, bpp: float, tolerance: float | None) -> None:
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


def listed_rates(bpp: float | Sequence[float]) -> list[float] | None:
    """Return the rates of a list in its order; None for a single rate, and for an object that is no rate.

    Raises `OptionError` for a list that is empty or holds a rate twice.
    """
    if isinstance(bpp, (int, float, str, bytes, Mapping, AbstractSet)) or getattr(bpp, "ndim", 1) == 0:
        return None
    try:
        rates = list(bpp)
    except TypeError:
        return None
    if any(getattr(rate, "ndim", 0) for rate in rates):
        return None
    if not rates:
        raise OptionError("bpp is an empty list; give at least one rate")
    for at, rate in enumerate(rates):
        if rate in rates[:at]:
            raise OptionError(f"rate {rate} bpp is given twice in bpp; keep one of them")
    return rates


def _check_type(key: str, value: object, span: Span) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise OptionError(f"{key} must be a number, found {value!r}; write a number from {span}")
