"""Settings of codecs: the scale of an encoder, and the ladder of a command codec as a thresholds file writes it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from compress_guard.errors import OptionError

_EXPECTED: Final = "settings must be a list of different numbers or a range such as '1..100' or '25..0.5..0.5'"
# Numbers of 20 digits and more are no settings, and Decimal and int would print some of them with millions of digits.
_NUMBER: Final = r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?"
_RANGE: Final = re.compile(rf"\s*({_NUMBER})\.\.({_NUMBER})(?:\.\.({_NUMBER}))?\s*")
_LONGEST: Final = 10_000
_SHOWN: Final = 20
"""Number of settings of a list that a message prints."""
_LONGEST_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Scale:
    """Settings that an encoder takes, both ends included."""

    low: float
    high: float
    whole: bool = False
    """True if the encoder knows whole numbers alone, and would cut a fraction off."""

    def fault(self, setting: float) -> str | None:
        """Do what `SettingRange.setting_fault` does."""
        # A comparison that NaN fails as well.
        inside = self.low <= setting <= self.high and (not self.whole or float(setting).is_integer())
        return None if inside else f"{'whole numbers' if self.whole else 'numbers'} from {self.low:g} to {self.high:g}"


def parse_ladder(value: object) -> tuple[float, ...]:
    """Return the settings in the order given, which is from smallest to largest files.

    A range ``first..last`` or ``first..last..step`` counts up or down from `first` in steps of `step` (1 if not given)
    and ends at `last` or just before it: ``51..0`` is a quantiser from coarse to fine. Raises `OptionError` for
    anything else.
    """
    check_ladder(value)
    if isinstance(value, str):
        first, step, count = _parse_range(value)
        return tuple(float(first + step * index) for index in range(count))
    return tuple(_parse_number(number) for number in _listed(value))


def check_ladder(value: object) -> None:
    """Raise `OptionError` for a value that `parse_ladder` would refuse, without making a long range."""
    if isinstance(value, str):
        _parse_range(value)
        return
    settings = [_parse_number(number) for number in _listed(value)]
    if len(set(settings)) < len(settings):
        shown = settings if len(settings) <= _SHOWN else [*settings[:_SHOWN], "..."]
        raise OptionError(f"{_EXPECTED}, found a number twice in {shown}")


def _listed(value: object) -> tuple[object, ...]:
    if not isinstance(value, tuple | list) or not value:
        raise OptionError(f"{_EXPECTED}, found {value!r}")
    if len(value) > _LONGEST:
        raise OptionError(f"settings may be at most {_LONGEST}, found {len(value)}")
    return tuple(value)


def _parse_number(value: object) -> float:
    if isinstance(value, bool) or not re.fullmatch(_NUMBER, str(value)):
        raise OptionError(f"{_EXPECTED}, found {_clipped(value)} in the list")
    return float(str(value))


def _parse_range(text: str) -> tuple[Decimal, Decimal, int]:
    """Return the first setting, the signed step and the count of a range."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise OptionError(f"{_EXPECTED}, found {_clipped(text)}")
    # Decimal, so that 0..1..0.1 holds 0.3 and not 0.30000000000000004.
    first, last, step = (Decimal(part or 1) for part in match.groups())
    if step <= 0:
        raise OptionError(
            f"the step of settings must be above 0 (first..last gives the direction), found {_clipped(text)}"
        )
    count = int(abs(last - first) / step) + 1
    if count > _LONGEST:
        raise OptionError(f"settings may be at most {_LONGEST}, found {count} in {_clipped(text)}")
    step = step if last >= first else -step
    end = first + step * (count - 1)
    if count > 1 and (float(first) == float(first + step) or float(end) == float(end - step)):
        raise OptionError(f"{_EXPECTED}, found numbers in {_clipped(text)} that differ too little to tell them apart")
    return first, step, count


def _clipped(value: object) -> str:
    """Return the value as Python prints it, cut where it is long."""
    text = repr(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]} ..."
