"""From a codec's specification to a codec that works here, and what may be asked of it."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from compress_guard.codecs.contract import Codec
from compress_guard.errors import CodecUnavailable, OptionError
from compress_guard.records import CodecSpec, Scalar
from compress_guard.registry import CODECS, unknown
from compress_guard.thresholds.keys.curve import RATES
from compress_guard.thresholds.settings import TOLERANCE, TOLERANCES
from compress_guard.thresholds.value import Span


def build_codec(spec: CodecSpec) -> Codec:
    """The codec that a specification names; raises `OptionError` for options that it does not take.

    Its relative paths mean the same files from now on, whatever becomes of the current folder.
    """
    if spec.type not in CODECS:
        raise OptionError(CODECS.unknown(spec.type))
    made = CODECS.resolve(spec.type)
    try:
        codec: Codec = made(**dict(spec.options))
    except TypeError as problem:
        known = tuple(name for name in inspect.signature(made).parameters if not name.startswith("_"))
        for name, _ in spec.options:
            if name not in known:
                raise OptionError(unknown(f"option of codec {spec.alias}", name, known)) from None
        if missing := missing_options(spec):
            raise OptionError(f"codec {spec.alias!r} needs {missing}; add what is missing to its options") from None
        raise OptionError(f"codec {spec.alias}: {problem}") from problem
    return codec.seen_from(Path.cwd() if spec.folder is None else Path(spec.folder))


def missing_options(spec: CodecSpec) -> str:
    """``path, arch``: the options that a registered codec needs and that its specification does not give."""
    parameters = inspect.signature(CODECS.resolve(spec.type)).parameters.values()
    required = [one.name for one in parameters if one.default is one.empty and one.kind is not one.VAR_KEYWORD]
    return ", ".join(name for name in required if name not in dict(spec.options))


def available_codec(spec: CodecSpec, device: str = "cpu") -> Codec:
    """The codec that a specification names, if it can run here, on this device where it can work there.

    Raises `CodecUnavailable`, `OptionError`.
    """
    codec = build_codec(spec)
    if (reason := codec.unavailable()) is not None:
        raise CodecUnavailable(reason)
    return codec.on(device)


def check_number(key: str, value: object, span: Span) -> None:
    """Raises `OptionError` for what is no number, with the sentence that a thresholds file gets."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise OptionError(f"{key} must be a number, found {value!r}; write a number from {span}")


def check_rate(mode: str, bpp: float, tolerance: float | None) -> None:
    """Raises `OptionError` for a rate mode that is not known, and a rate or tolerance out of range."""
    if mode not in TOLERANCE:
        raise OptionError(unknown("rate mode", mode, tuple(TOLERANCE)))
    if isinstance(bpp, bool):
        check_number("bpp", bpp, RATES)
    if tolerance is not None:
        check_number("rate_tolerance", tolerance, TOLERANCES)
    try:
        inside = bpp in RATES
    except (TypeError, ValueError, RuntimeError):  # of texts, of lists, and of arrays and tensors of several numbers
        raise OptionError(f"bpp is {bpp!r}; expected a rate in bits per pixel, a number in {RATES}") from None
    if not inside:
        raise OptionError(f"rate {bpp:g} bpp is outside {RATES}; use a rate in that range")
    if tolerance is not None and tolerance not in TOLERANCES:
        raise OptionError(f"rate tolerance {tolerance:g} is outside {TOLERANCES}; it is relative, 0.02 means 2 %")


def asked_rates(bpp: float | Sequence[float]) -> list[float] | None:
    """Return the rates of a list in its order, None where one rate was asked for, or something that is none.

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
            raise OptionError(f"rate {rate} bpp stands twice in bpp; keep one of them")
    return rates


def codec_options(options: Mapping[str, Any]) -> tuple[tuple[str, Scalar], ...]:
    """Options as a specification holds them, lists frozen; their order makes no difference."""
    return tuple((key, tuple(value) if isinstance(value, list) else value) for key, value in sorted(options.items()))
