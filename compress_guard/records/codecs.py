"""A codec, and rates, as a thresholds file and node ids name them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Scalar: TypeAlias = "str | int | float | bool | tuple[str | int | float, ...]"
"""A codec option as YAML gives it."""


@dataclass(frozen=True, slots=True)
class CodecSpec:
    """A codec as a thresholds file names it: an alias for a registered type with options."""

    alias: str
    type: str
    options: tuple[tuple[str, Scalar], ...] = ()
    folder: str | None = field(default=None, compare=False, repr=False)
    """Absolute folder that relative paths in the options start from; None: the current one when the codec is built."""


def format_rate(bpp: float) -> str:
    """Return a rate in bits per pixel with at least one decimal: ``0.25``, ``1.0``."""
    return repr(float(bpp))


def format_bpp(bpp: float) -> str:
    """Return a rate as node ids print it: ``0.25bpp``, ``1.0bpp``."""
    return f"{format_rate(bpp)}bpp"
