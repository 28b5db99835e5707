"""What a thresholds file asks for: guards and their cells."""

from __future__ import annotations

from dataclasses import dataclass, field

from compress_guard.records.codecs import CodecSpec, format_bpp
from compress_guard.records.recovery import Recovery
from compress_guard.records.throughput import Throughput
from compress_guard.records.vocabulary import Correction, OnInconclusive, OnMissing, Orientation, RateMode


@dataclass(frozen=True, slots=True)
class Policy:
    """How verdicts other than pass and fail become an outcome, and what the file itself said of it."""

    on_inconclusive: OnInconclusive = "pass"
    on_unreachable: OnMissing = "skip"
    on_unavailable: OnMissing = "fail"
    stated: frozenset[str] = frozenset()
    """The keys that the file sets itself: an explicit ``skip`` holds under --cg-strict too."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """One way of parting a guard's images, such as by weather; the slices are the values that it gives."""

    name: str
    by: str
    """Factory ``package.module:callable``, a field of the targets, or the name of a ready-made one."""


@dataclass(frozen=True, slots=True)
class SliceLimit:
    """The drop that slices are allowed at a cell's rate."""

    slicing: str
    value: str | None
    """Which slice; None: every one of that slicing that no other limit names."""
    max_drop: float
    """Points."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What makes a model certain to be the one that it was in an earlier run."""

    stated: str = ""
    """What the file says of it, such as a version: whoever states it vouches for it."""
    files: tuple[str, ...] = ()
    """Files that hold the whole model, from the folder of the thresholds file; their content counts."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One test: guard x codec x target rate."""

    guard: str
    codec: CodecSpec
    bpp: float
    max_drop: float | None
    """Allowed drop in points; None: measured and `unjudged` unless there is another limit."""
    min_score: float | None
    limit: int | None
    """Images of the data set to use, all if None."""
    line: int
    """Line in the thresholds file (1-based) that a failure should point to."""
    slice_limits: tuple[SliceLimit, ...] = ()
    min_clean: float | None = None
    """Least clean score in points. None: a model that knows nothing is an error; 0: not even that is."""
    doubts: tuple[str, ...] = ()
    """What makes a limit look like a slip, such as 0.05 where points are meant; fails the cell in a strict run."""

    @property
    def label(self) -> str:
        """What stands between the brackets of the node id, e.g. ``jpeg-0.25bpp``."""
        return f"{self.codec.alias}-{format_bpp(self.bpp)}"

    @property
    def name(self) -> str:
        """Guard and label, e.g. ``photos[jpeg-0.25bpp]``."""
        return f"{self.guard}[{self.label}]"

    @property
    def judged(self) -> bool:
        return self.max_drop is not None or self.min_score is not None or self.clean_floor is not None

    @property
    def clean_floor(self) -> float | None:
        """The least clean score that is judged: a `min_clean` of 0 is no limit, since nothing could miss it."""
        return self.min_clean or None

    @property
    def judged_limits(self) -> int:
        """How many of the cell's own limits are judged, each by an interval of its own that may miss the truth.

        Limits of slices are not counted: they take their part of the cell's error.
        """
        return sum(limit is not None for limit in (self.max_drop, self.min_score, self.clean_floor))


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
    """All cells of the file, whatever is selected; the codecs in the file's order, rates ascending."""
    rate: RateMode = "dataset"
    rate_tolerance: float = 0.02
    confidence: float = 0.95
    """Of every interval; a correction for many cells is in it already."""
    correction: Correction = "none"
    slicings: tuple[Slicing, ...] = ()
    decoder_swap: bool = False
    """Predict each cell also from what a second decoder makes of its streams, where there is one."""
    policy: Policy = field(default_factory=Policy)
    max_error_share: float = 0.0
    orientation: Orientation | None = None
    """How images are read that EXIF turns; None: as their targets tell."""
    fingerprint: Fingerprint | None = None
    """None: nothing that this model predicted in an earlier run is used again."""
    throughput: Throughput | None = None
    """None: the file asks for no throughput cells here."""
    recovery: Recovery | None = None
    """None: the file asks for no recovery study here."""
    line: int = 0

    def rates(self, codec: str) -> tuple[float, ...]:
        """All target rates of the codec with this alias in the file, ascending: what its rate plan is made for."""
        return tuple(sorted(cell.bpp for cell in self.cells if cell.codec.alias == codec))

    @property
    def min_clean(self) -> float | None:
        """The same in every cell."""
        return next((cell.min_clean for cell in self.cells), None)

    @property
    def codecs(self) -> tuple[CodecSpec, ...]:
        return tuple(dict.fromkeys(cell.codec for cell in self.cells))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A whole thresholds file."""

    path: str
    guards: tuple[Guard, ...]
