"""Images of a cell: their numbers, and their state on arrival."""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.records.cell_parts.part import CellPart
from compress_guard.records.vocabulary import Orientation


@dataclass(frozen=True, slots=True)
class ImageCounts(CellPart):
    """Numbers of images that the cell planned, used and lost."""

    images: int | None = None
    """Images of the plan: the data set, or the seeded subset of a limit."""
    images_used: int | None = None
    """Images whose evidence the score rests on."""
    groups: int | None = None
    """Groups that these images belong to, which the intervals are over; None if the guard has no groups."""
    errors: int | None = None
    error_ids: tuple[str, ...] = ()
    """The first few images that failed to load or code."""
    crop_emptied: int | None = None
    """Images of which a crop left no object, or no pixel that counts; None for a codec that crops nothing."""


@dataclass(frozen=True, slots=True)
class IntakeCounts(CellPart):
    """Images and targets as the data set gave them."""

    turned: int | None = None
    """Images that were turned upright by their EXIF."""
    orientation: Orientation | None = None
    """Reading of images that EXIF turns: ``upright`` or as ``stored``; None where it turns none."""
    boxes_outside: int | None = None
    """Images with boxes that leave them by more than a pixel; None where there are no boxes."""
    flat: int | None = None
    """Images of a single colour."""
    dark: int | None = None
    """Images that are almost black: their levels fill no more than a corner of what their mode holds."""
    near_equal: int | None = None
    """Images that are nearly equal to the next one in the order of the data and belong to another group, or none."""
    data_remark: str | None = None
    """A remark on how the images were read, such as data that only its own thread can read."""


@dataclass(frozen=True, slots=True)
class SourceFigures(CellPart):
    """Source images that were lossily coded files already."""

    source_bpp: float | None = None
    """Mean bpp of these files."""
    lossy_sources: int | None = None
    """Number of them among the images looked at; None if the data does not tell."""
    sources_looked: int | None = None
    """Images whose origin the data told, all or a seeded sample."""
