"""Settings on a codec's own scale to draw from, in place of rates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, final

from compress_guard.codecs.contract import Codec
from compress_guard.errors import OptionError
from compress_guard.records import format_setting
from compress_guard.registry import setting_fault

_EXPECTED: Final = "expected a setting of the codec, a pair (low, high) or a list of settings"


@final
class DrawnSettings:
    """A range of settings to draw from evenly, or a few settings to choose from."""

    def __init__(self, low: float, high: float, choices: Sequence[float] = ()) -> None:
        self.low: Final = low
        self.high: Final = high
        self.choices: Final = tuple(choices)
        """Settings to choose from; empty where the codec takes any number between both ends."""

    def at(self, chance: float) -> float:
        """Return the setting for a number drawn evenly from 0 to 1."""
        if self.choices:
            return self.choices[min(int(chance * len(self.choices)), len(self.choices) - 1)]
        return self.low + chance * (self.high - self.low)

    @classmethod
    def of(cls, name: str, codec: Codec, quality: object) -> DrawnSettings:
        """Read the keyword `quality` for the codec of this name: a number, a pair as a tuple, or a list of numbers.

        From a pair a codec that takes whole numbers alone gets these, each as likely as any other. Raises `OptionError`
        for what is neither, and for settings that the codec does not take.
        """
        given = quality.get(name) if isinstance(quality, Mapping) else quality
        numbers: list[Any] = list(given) if isinstance(given, list | tuple) else [given]
        if not numbers or not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
            raise OptionError(f"quality of {name} is {given!r}; {_EXPECTED}")
        for number in numbers:
            if (taken := setting_fault(codec, number)) is not None:
                raise OptionError(f"{format_setting(number)} is no quality of {name}, which takes {taken}")
        settings = [float(number) for number in numbers]
        if not isinstance(given, tuple):
            return cls(min(settings), max(settings), settings)
        if len(settings) != 2 or settings[0] > settings[1]:
            raise OptionError(f"quality of {name} is {given!r}; {_EXPECTED}: a tuple is a pair, its lower end first")
        low, high = settings
        return cls(low, high, _between(codec, low, high))


def _between(codec: Codec, low: float, high: float) -> list[float]:
    """Return all settings between two of a codec; none where it takes any number there."""
    if low < high and setting_fault(codec, low + (high - low) / math.pi) is None:
        return []
    whole = (float(number) for number in range(math.ceil(low), math.floor(high) + 1))
    steps = (setting for setting in codec.ladder if low <= setting <= high)
    return sorted({*steps, *(number for number in whole if setting_fault(codec, number) is None)})
