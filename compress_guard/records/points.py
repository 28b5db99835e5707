"""Operating points: what a cell asks of its codec, and how node ids and messages print it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from compress_guard.records.codecs import format_bpp


@dataclass(frozen=True, slots=True)
class Rate:
    """A target rate, to which the settings of the images are searched."""

    bpp: float
    """Bits per pixel of the source."""

    @property
    def label(self) -> str:
        """Text of node ids: ``0.25bpp``."""
        return format_bpp(self.bpp)

    @property
    def phrase(self) -> str:
        """Text of sentences, behind the codec: ``at 0.25 bpp``."""
        return f"at {self.bpp:g} bpp"

    @property
    def short(self) -> str:
        """Text of lists: ``0.25 bpp``."""
        return f"{self.bpp:g} bpp"


@dataclass(frozen=True, slots=True)
class Quality:
    """A setting on the codec's own scale, the same for all images: nothing is searched or mixed."""

    setting: float

    @property
    def label(self) -> str:
        """Text of node ids: ``q75``."""
        return f"q{format_setting(self.setting)}"

    @property
    def phrase(self) -> str:
        """Text of sentences, behind the codec: ``at quality 75``."""
        return f"at quality {format_setting(self.setting)}"

    @property
    def short(self) -> str:
        """Text of lists: ``q75``."""
        return self.label


@dataclass(frozen=True, slots=True)
class Fixed:
    """The only operating point of a codec whose options leave nothing open."""

    @property
    def label(self) -> str:
        """Text of node ids, which name the codec alone."""
        return ""

    @property
    def phrase(self) -> str:
        """Text of sentences, which name the codec alone."""
        return ""

    @property
    def short(self) -> str:
        """Text of lists, which name the codec alone."""
        return ""


OperatingPoint: TypeAlias = Rate | Quality | Fixed


def format_setting(setting: float) -> str:
    """Return a setting without needless decimals: ``75``, ``0.5``."""
    return str(int(setting)) if float(setting).is_integer() else repr(float(setting))


def labelled(codec: str, point: OperatingPoint) -> str:
    """Return codec and point as node ids print them: ``jpeg-0.25bpp``, ``jpeg-q75``, ``upload``."""
    return f"{codec}-{point.label}" if point.label else codec


def phrased(codec: str, point: OperatingPoint) -> str:
    """Return codec and point as sentences print them: ``jpeg at 0.25 bpp``, ``jpeg at quality 75``, ``upload``."""
    return f"{codec} {point.phrase}" if point.phrase else codec


def shortened(codec: str, point: OperatingPoint) -> str:
    """Return codec and point as lists of cells print them: ``jpeg 0.25 bpp``, ``jpeg q75``, ``upload``."""
    return f"{codec} {point.short}" if point.short else codec
