"""Checks of codec options: each raises `OptionError` with what was expected and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from compress_guard.errors import OptionError

SUBSAMPLINGS = ("4:2:0", "4:2:2", "4:4:4")
"""Chroma resolutions from half in both directions to full."""

METADATA: Final = ("strip", "keep")
"""Values of the option `metadata`: leave ICC profile and EXIF of a source out of the stream, or put them into it."""


def require_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Raise `OptionError` unless `value` is one of `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        raise OptionError(f"{name} must be {_listed([repr(choice) for choice in allowed])}, found {value!r}")


def require_whole(name: str, value: object, low: int, high: int) -> None:
    """Raise `OptionError` unless `value` is a whole number from `low` to `high`; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise OptionError(f"{name} must be a whole number from {low} to {high}, found {value!r}")


def require_flag(name: str, value: object) -> None:
    """Raise `OptionError` unless `value` is true or false."""
    if not isinstance(value, bool):
        raise OptionError(f"{name} must be true or false, found {value!r}")


def require_text(name: str, value: object) -> None:
    """Raise `OptionError` unless `value` is a string that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise OptionError(f"{name} must be a text that is not empty, found {value!r}")


def require_positive(name: str, value: object) -> None:
    """Raise `OptionError` unless `value` is a finite number above 0; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise OptionError(f"{name} must be a number above 0, found {value!r}")


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else words[0]
