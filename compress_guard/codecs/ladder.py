"""The ladder of a command codec as a thresholds file writes it: a list of numbers or a range in a string."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from compress_guard.errors import OptionError

_EXPECTED: Final = "settings must be a list of different numbers or a range such as '1..100' or '25..0.5..0.5'"
_NUMBER: Final = r"-?\d+(?:\.\d+)?"
_RANGE: Final = re.compile(rf"\s*({_NUMBER})\.\.({_NUMBER})(?:\.\.({_NUMBER}))?\s*")
_LONGEST: Final = 10_000


def parse_ladder(value: object) -> tuple[float, ...]:
    """Settings in the order given, which is from smallest to largest files.

    A range ``first..last`` or ``first..last..step`` counts up or down from `first` in steps of `step` (1 if not given)
    and ends at `last` or just before it: ``51..0`` is a quantiser from coarse to fine. Raises `OptionError` for
    anything else.
    """
    if isinstance(value, str):
        settings = _parse_range(value)
    elif isinstance(value, tuple | list) and value:
        settings = tuple(_parse_number(one) for one in value)
    else:
        raise OptionError(f"{_EXPECTED}, found {value!r}")
    if len(set(settings)) < len(settings):
        raise OptionError(f"{_EXPECTED}, found a number twice in {list(settings)}")
    return settings


def _parse_number(value: object) -> float:
    if isinstance(value, bool) or not re.fullmatch(_NUMBER, str(value)):
        raise OptionError(f"{_EXPECTED}, found {value!r} in the list")
    return float(str(value))


def _parse_range(text: str) -> tuple[float, ...]:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise OptionError(f"{_EXPECTED}, found {text!r}")
    # Decimal, so that 0..1..0.1 holds 0.3 and not 0.30000000000000004.
    first, last, step = (Decimal(part or 1) for part in match.groups())
    if step <= 0:
        raise OptionError(f"the step of settings must be above 0 (first..last gives the direction), found {text!r}")
    count = int(abs(last - first) / step) + 1
    if count > _LONGEST:
        raise OptionError(f"settings may be at most {_LONGEST}, found {count} in {text!r}")
    return tuple(float(first + (step if last >= first else -step) * index) for index in range(count))
