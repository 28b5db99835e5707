"""JPEG 2000 by Pillow and OpenJPEG, rate-controlled by the encoder itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from compress_guard.codecs.ladder import Scale
from compress_guard.codecs.pillow import PillowCodec

_LOWEST: Final = 0.02
_HIGHEST: Final = 16.0
_STEPS: Final = math.ceil(math.log(_HIGHEST / _LOWEST) / math.log(1.01))
_LADDER: Final = tuple(float(f"{_LOWEST * (_HIGHEST / _LOWEST) ** (step / _STEPS):.4g}") for step in range(_STEPS + 1))
_SCALE: Final = Scale(_LOWEST, _HIGHEST)


@dataclass(frozen=True, slots=True)
class Jp2(PillowCodec):
    """JPEG 2000 with the irreversible 9/7 wavelet and colour transform; the setting is the nominal rate in bpp.

    It is nominal: an image that the quantiser codes in full stays below a high rate, and headers of about 0.25 kB make
    small images exceed a low one. The size that counts is the stream's.
    """

    type: ClassVar[str] = "jp2"
    format: ClassVar[str] = "JPEG2000"
    feature: ClassVar[str] = "jpg_2000"
    library: ClassVar[str] = "openjpeg"
    max_side: ClassVar[int] = 2**31 - 1
    holds_lock: ClassVar[bool] = True

    @property
    def ladder(self) -> tuple[float, ...]:
        """Settings: nominal rates from 0.02 to 16 bpp in steps of 1 %."""
        return _LADDER

    @property
    def scale(self) -> Scale:
        """See `PillowCodec.scale`."""
        return _SCALE

    def _save_options(self, setting: float) -> Mapping[str, Any]:
        return {
            "quality_mode": "rates",
            # OpenJPEG asks for the compression ratio, source pixels having 24 bits.
            "quality_layers": [24 / setting],
            "irreversible": True,
            # Without the colour transform 0.5 bpp costs 2 dB.
            "mct": 1,
        }
