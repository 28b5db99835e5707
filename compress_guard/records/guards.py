"""Contents of a thresholds file: guards and their cells."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from compress_guard.records.codecs import CodecSpec
from compress_guard.records.points import OperatingPoint, Quality, Rate, labelled
from compress_guard.records.recovery import Recovery
from compress_guard.records.throughput import Throughput
from compress_guard.records.vocabulary import (
    CleanReference,
    Correction,
    OnInconclusive,
    OnMissing,
    Orientation,
    RateMode,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules that turn verdicts other than pass and fail into an outcome."""

    on_inconclusive: OnInconclusive = "pass"
    on_unreachable: OnMissing = "skip"
    on_unavailable: OnMissing = "fail"
    stated: frozenset[str] = frozenset()
    """Keys that the file sets itself: an explicit ``skip`` also holds under --cg-strict."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """One way to divide a guard's images, such as by weather; each value that it gives is a slice."""

    name: str
    by: str
    """Factory ``package.module:callable``, a field of the targets, or the name of a ready-made one."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """The way in which a guard's images belong together, such as frames of one clip."""

    by: str
    """Factory ``package.module:callable``, a field of the targets, or the name of a ready-made one."""
    call: Callable[[Any, str], object] | None = None
    """The callable itself, which Python code may hand over in the place of a name; `by` then names it in messages."""


@dataclass(frozen=True, slots=True)
class SliceLimit:
    """The drop that slices may have at a cell's rate."""

    slicing: str
    value: str | None
    """Name of the slice; None: every slice of the slicing that no other limit names."""
    max_drop: float
    """Allowed drop in points."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Proof that a model is the one of an earlier run."""

    stated: str = ""
    """Text from the file, such as a version; its author vouches for it."""
    files: tuple[str, ...] = ()
    """Files that hold the whole model, relative to the thresholds file; their content counts."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A known failure: cells that may miss their limits until a date."""

    cells: str
    """Pattern of the names of the cells: ``*`` and ``?`` are wildcards, brackets stand for themselves."""
    reason: str
    until: str
    """The last day, ``2026-12-31``."""
    line: int = 0

    def covers(self, name: str) -> bool:
        """Return True for the name of a cell, such as ``photos[jpeg-0.25bpp]``, that the pattern fits."""
        return name_fits(name, self.cells)


@dataclass(frozen=True, slots=True)
class Cell:
    """One test: guard x codec x operating point."""

    guard: str
    codec: CodecSpec
    point: OperatingPoint
    max_drop: float | None
    """Allowed drop in points; None: measured and `unjudged` unless there is another limit."""
    min_score: float | None
    limit: int | None
    """Number of images of the data set to use; None: all."""
    line: int
    """Line in the thresholds file (1-based) that a failure should point to."""
    slice_limits: tuple[SliceLimit, ...] = ()
    min_clean: float | None = None
    """Least clean score in points. None: a model that knows nothing is an error; 0: not even that is."""
    traffic: float | None = None
    """Share of production that the cell stands for; None: the file gives none."""
    max_regression: float | None = None
    """Allowed fall, in points, of the compressed score below that of the baseline; None: compared, not judged."""
    doubts: tuple[str, ...] = ()
    """Sentences on limits that look like a slip, such as 0.05 where points are meant; they fail a strict run."""
    decoder: str | None = None
    """Name of the decoder of the streams; None: the codec's own."""
    first_decoder: str | None = None
    """Name of the decoder that `decoder` is compared with, in a cell that is there for that alone; else None."""
    max_decoder_drop: float | None = None
    """Allowed drop, in points, of the score by `decoder` below that by `first_decoder`: the only limit of such a
    cell."""
    limit_line: int | None = None
    """Line in the file of the number that the first of its limits takes here; None for a cell without a file."""
    places: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """Key of each limit of the cell with the place of its number in the file: ``("max_drop", "thresholds.yaml:14")``;
    twice where the limit lies between two given ones."""

    @property
    def label(self) -> str:
        """Text between the brackets of the node id, e.g. ``jpeg-0.25bpp`` or ``jpeg-0.25bpp-opencv``."""
        behind = "" if self.first_decoder is None else f"-{self.decoder}"
        return labelled(self.codec.alias, self.point) + behind

    @property
    def bpp(self) -> float | None:
        """Target rate in bits per pixel; None at another operating point."""
        return self.point.bpp if isinstance(self.point, Rate) else None

    @property
    def quality(self) -> float | None:
        """Setting of the codec that all images are coded at; None at another operating point."""
        return self.point.setting if isinstance(self.point, Quality) else None

    @property
    def name(self) -> str:
        """Guard and label, e.g. ``photos[jpeg-0.25bpp]``."""
        return f"{self.guard}[{self.label}]"

    @property
    def judged(self) -> bool:
        """True if the cell has a limit of its own."""
        return self.judged_limits > 0

    @property
    def clean_floor(self) -> float | None:
        """Least clean score that is judged: a `min_clean` of 0 is no limit, since nothing could miss it."""
        return self.min_clean or None

    @property
    def judged_limits(self) -> int:
        """Number of the cell's own limits that are judged, each by an interval of its own that may miss the truth.

        Limits of slices do not count: they take their part of the cell's error.
        """
        limits = (self.max_drop, self.min_score, self.clean_floor, self.max_decoder_drop, self.max_regression)
        return sum(limit is not None for limit in limits)

    @property
    def against(self) -> Cell | None:
        """The cell of the first decoder, with the limit of this cell as its max_drop; None for other cells."""
        if self.first_decoder is None:
            return None
        return replace(
            self,
            max_drop=self.max_decoder_drop,
            decoder=self.first_decoder,
            first_decoder=None,
            max_decoder_drop=None,
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """One model on one data set with its thresholds."""

    name: str
    task: str
    metric: str
    model: str
    """Factory ``package.module:callable`` or ``fixture:NAME``."""
    data: str
    cells: tuple[Cell, ...]
    """Cells of the file, selected or not; codecs in the file's order, rates ascending."""
    rate: RateMode = "dataset"
    rate_tolerance: float = 0.02
    confidence: float = 0.95
    """Confidence of every interval; it includes a correction for many cells."""
    correction: Correction = "none"
    slicings: tuple[Slicing, ...] = ()
    groups: Grouping | None = None
    """Images that belong together, so that intervals are over groups; None: each stands alone."""
    decoder_swap: bool = False
    """Also predict each cell from streams decoded by a second decoder, if there is one."""
    policy: Policy = field(default_factory=Policy)
    max_error_share: float = 0.0
    orientation: Orientation | None = None
    """Reading of images that EXIF turns; None: their targets decide."""
    reference: CleanReference = "source"
    """Clean side of the cells whose codec scales or crops."""
    fingerprint: Fingerprint | None = None
    """Proof of the model's identity; None: no prediction of an earlier run is used again."""
    throughput: Throughput | None = None
    """Throughput cells; None: the file asks for none."""
    recovery: Recovery | None = None
    """Recovery study; None: the file asks for none."""
    waivers: tuple[Waiver, ...] = ()
    """Waivers of cells of this guard; at most one covers each cell."""
    line: int = 0

    def waiver(self, name: str) -> Waiver | None:
        """Return the waiver of the cell of any kind with this name; None if the file has none."""
        return next((waiver for waiver in self.waivers if waiver.covers(name)), None)

    def points(self, codec: str) -> tuple[OperatingPoint, ...]:
        """Return the operating points of the codec with this alias, all of which its plan covers: rates first."""
        given = dict.fromkeys(cell.point for cell in self.cells if cell.codec.alias == codec)
        return (*map(Rate, self.rates(codec)), *(point for point in given if not isinstance(point, Rate)))

    def rates(self, codec: str) -> tuple[float, ...]:
        """Return the target rates of the codec with this alias, ascending."""
        rates = (cell.bpp for cell in self.cells if cell.codec.alias == codec)
        return tuple(sorted({bpp for bpp in rates if bpp is not None}))

    @property
    def decoder(self) -> str | None:
        """Decoder of the cells that compare no decoders; None: the codecs' own."""
        return next((cell.first_decoder or cell.decoder for cell in self.cells), None)

    @property
    def min_clean(self) -> float | None:
        """Least clean score in points, the same in every cell."""
        return next((cell.min_clean for cell in self.cells), None)

    @property
    def codecs(self) -> tuple[CodecSpec, ...]:
        """Codecs of the cells, in the file's order."""
        return tuple(dict.fromkeys(cell.codec for cell in self.cells))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A whole thresholds file."""

    path: str
    guards: tuple[Guard, ...]
    digest: str | None = None
    """sha256 of the text of the file; None without a text."""

    def names(self, *, gated: bool = True, timed: bool = False, studied: bool = False) -> tuple[str, ...]:
        """Return the names of the cells of these kinds, in the order of a run."""
        names = []
        for guard in self.guards:
            names += [cell.name for cell in guard.cells if gated]
            if timed and guard.throughput is not None:
                names += [cell.name for cell in guard.throughput.cells]
        studies = (guard.recovery for guard in self.guards if studied and guard.recovery is not None)
        return (*names, *(cell.name for recovery in studies for cell in recovery.cells))


def name_fits(name: str, pattern: str) -> bool:
    """Return True if the name of a cell fits a pattern, whose brackets stand for themselves."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))  # the name of every cell has a pair of brackets
