"""The texts of one cell: its drop and mark, the interval, the limit, the setting that the rate came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from compress_guard.records import Rate, format_setting, shortened
from compress_guard.report import numbers
from compress_guard.report.groups import coded_by
from compress_guard.report.signs import Signs, style

if TYPE_CHECKING:
    from compress_guard.records import CellResult


@dataclass(frozen=True, slots=True)
class CellTexts:
    """Texts of one cell; a text is empty where there is nothing to tell."""

    name: str
    """Codec and operating point: ``jpeg 0.25 bpp``."""
    drop: str
    """The drop, or the word in its place."""
    mark: str
    style: str
    interval: str
    limit: str
    """Allowed drop: that between decoders where the cell compares them."""
    setting: str
    """Setting of the codec that the rate came to; empty for a cell at a given setting."""
    traffic: str
    measured: bool
    """True if `drop` is a number."""

    @classmethod
    def of(cls, result: CellResult, signs: Signs) -> CellTexts:
        """Return the texts of a result."""
        compares = result.first_decoder is not None
        drop, limit = (result.decoder_drop, result.max_decoder_drop) if compares else (result.drop, result.max_drop)
        ends = (result.decoder_drop_low, result.decoder_drop_high) if compares else (result.drop_low, result.drop_high)
        return cls(
            shortened(coded_by(result), result.point),
            word(result) if drop is None else numbers.points(drop),
            signs.mark(result),
            style(result),
            "" if drop is None else between(*ends),
            "" if limit is None else numbers.limit(limit),
            "" if compares or not isinstance(result.point, Rate) else setting(result),
            "" if result.traffic is None else numbers.share(result.traffic),
            drop is not None,
        )

    @property
    def marked(self) -> str:
        """The drop with its mark behind it: ``14.5 ?``."""
        return f"{self.drop} {self.mark}" if self.mark else self.drop


def word(result: CellResult) -> str:
    """Return the text in place of a drop that was not measured."""
    if result.verdict == "unreachable" and result.floor_bpp is not None:
        return f"floor {numbers.bpp(result.floor_bpp)}"
    return result.verdict.replace("_", " ")


def between(low: float | None, high: float | None) -> str:
    """Return an interval: ``1.9 to 4.3``; empty without one."""
    return "" if low is None or high is None else f"{numbers.points(low)} to {numbers.points(high)}"


def setting(result: CellResult) -> str:
    """Return the setting of all images, ``q 12``, or their mean, ``q about 12``; empty where none is known."""
    images = sum(count for _, count in result.settings)
    if not images or result.drop is None:
        return ""
    if len(result.settings) == 1:
        return f"q {_short(result.settings[0][0])}"
    mean = sum(value * count for value, count in result.settings) / images
    whole = all(float(value).is_integer() for value, _ in result.settings)
    return f"q about {mean:.0f}" if whole else f"q about {mean:.3g}"


def _short(value: float) -> str:
    return format_setting(value) if float(value).is_integer() else f"{value:.3g}"
