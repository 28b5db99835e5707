"""A codec and rates as a thresholds file and node ids name them, and the frame of what a codec delivers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, TypeAlias

Scalar: TypeAlias = "str | int | float | bool | tuple[str | int | float | PipelineStep, ...]"
"""A codec option as YAML gives it."""

PIPELINE: Final = "pipeline"
"""Type of the codec that is made of steps."""
SOURCE: Final = "source"
RESIZE: Final = "resize"
CROP: Final = "crop"


@dataclass(frozen=True, slots=True)
class PipelineStep:
    """One step of a pipeline: the source's own file, a change of geometry, or a codec."""

    name: str
    """Name in the file: ``resize``, ``jpeg`` or one of the file's own names."""
    type: str
    """``source``, ``resize``, ``crop`` or the type of a registered codec."""
    options: tuple[tuple[str, Scalar], ...] = ()
    quality: float | None = None
    """Setting on the codec's own scale; None where it is open, and for steps that are no codecs."""

    @property
    def codes(self) -> bool:
        """True for a step that encodes and decodes."""
        return self.type not in (SOURCE, RESIZE, CROP)


@dataclass(frozen=True, slots=True)
class CodecSpec:
    """A codec as a thresholds file names it: an alias for a registered type with options."""

    alias: str
    type: str
    options: tuple[tuple[str, Scalar], ...] = ()
    folder: str | None = field(default=None, compare=False, repr=False)
    """Absolute folder that relative paths in the options start from; None: the current one when the codec is built."""

    @property
    def steps(self) -> tuple[PipelineStep, ...]:
        """Steps of a pipeline; none for other codecs."""
        given = dict(self.options).get("steps") if self.type == PIPELINE else None
        return tuple(step for step in given if isinstance(step, PipelineStep)) if isinstance(given, tuple) else ()

    @property
    def fixed(self) -> bool:
        """True for a pipeline whose steps leave no quality open: it has a single operating point."""
        qualities = [step.quality for step in self.steps if step.codes]
        return bool(qualities) and None not in qualities

    @property
    def delivers(self) -> str:
        """Type of the codec whose files come out: that of the last codec in a pipeline, its own for other codecs."""
        return next((step.type for step in reversed(self.steps) if step.codes), self.type)

    @property
    def crops(self) -> bool:
        """True for a pipeline with a step that cuts a part out of its images."""
        return any(step.type == CROP for step in self.steps)


@dataclass(frozen=True, slots=True)
class Geometry:
    """The part of a source that a delivered picture shows, and the picture's size."""

    source: tuple[int, int]
    """(H, W) of the source in pixels."""
    box: tuple[float, float, float, float]
    """(x1, y1, x2, y2) of that part, in pixels of the source."""
    delivered: tuple[int, int]
    """(H, W) of the delivered picture in pixels."""

    @classmethod
    def unchanged(cls, size: tuple[int, int]) -> Geometry:
        """Return the geometry of a codec that delivers the source's own size (H, W)."""
        height, width = size
        return cls(size, (0.0, 0.0, float(width), float(height)), size)

    @property
    def cropped(self) -> bool:
        """True if a part of the source is not delivered."""
        height, width = self.source
        return self.box != (0.0, 0.0, float(width), float(height))

    @property
    def same(self) -> bool:
        """True if the delivered picture has the source's frame and size."""
        return not self.cropped and self.delivered == self.source


def format_rate(bpp: float) -> str:
    """Return a rate in bits per pixel with at least one decimal: ``0.25``, ``1.0``."""
    return repr(float(bpp))


def format_bpp(bpp: float) -> str:
    """Return a rate as node ids print it: ``0.25bpp``, ``1.0bpp``."""
    return f"{format_rate(bpp)}bpp"
