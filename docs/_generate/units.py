"""Units of the figures in results, by the names of their fields."""

from __future__ import annotations

import re
from typing import Final

_RULES: Final = (
    ("bits per pixel", r"bpp|bpp_.*|.*_bpp"),
    ("share", r".*confidence|covered|rate_tolerance|traffic|min_recovered|bits_difference"),
    ("scale of the codec", r"quality|.*_quality"),
    ("dB", r"psnr_.*"),
    ("seconds", r"seconds"),
    ("levels, 0 to 255", r"(device|decoder|reconstruction)_difference.*"),
    ("megapixels per second", r".*speed|speed_.*"),
    ("megapixels", r"megapixels"),
    ("times the reference", r"(min_)?ratio(_.*)?"),
    ("megabytes", r"(max_)?growth|peak_memory"),
    ("per image", r"encodes"),
    ("none", r"design_effect|learning_rate"),
    ("points", r".*(score|drop|regression|clean|compressed|control|finetuned|drop_change)(_(low|high|seeds))*"),
)


def unit(name: str) -> str | None:
    """Return the unit of a figure; None if no rule fits its name."""
    return next((text for text, rule in _RULES if re.fullmatch(rule, name)), None)
