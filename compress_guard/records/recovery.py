"""Recovery studies: their trainings and tests, their limits, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, TypeAlias

from compress_guard.records.codecs import CodecSpec
from compress_guard.records.points import OperatingPoint, Quality, Rate
from compress_guard.records.texts import settle_texts
from compress_guard.records.vocabulary import Outcome, SettledBy, Verdict

MIXED: Final = "mixed"
TrainedRate: TypeAlias = float | Literal["mixed"]
"""The rate that a model was finetuned at in bits per pixel, or all points of the study by turns."""
TrainedPoint: TypeAlias = "OperatingPoint | Literal['mixed']"
"""The point that a model was finetuned at, or all points of the study by turns."""


@dataclass(frozen=True, slots=True)
class RecoveryCell:
    """One test of a study: a model finetuned on images of one codec at one point, or at all points by turns."""

    guard: str
    codec: CodecSpec
    point: TrainedPoint
    min_recovered: float | None
    """Least share of the drop, 0 to 1, that must certainly come back; None: nothing is judged."""
    line: int
    """Line in the thresholds file (1-based)."""
    limit: int | None = None
    """Largest number of evaluation images for this codec; None: all."""

    @property
    def bpp(self) -> TrainedRate | None:
        """Rate of the training images, or `MIXED`; None at a quality."""
        if isinstance(self.point, str):
            return self.point
        return self.point.bpp if isinstance(self.point, Rate) else None

    @property
    def quality(self) -> float | None:
        """Setting of the training images; None at a rate, or for mixed points."""
        return self.point.setting if isinstance(self.point, Quality) else None

    @property
    def label(self) -> str:
        """``recovery-jpeg-0.25bpp``, ``recovery-jpeg-q75``, ``recovery-jpeg-mixed``."""
        return f"recovery-{self.codec.alias}-{format_trained(self.point)}"

    @property
    def name(self) -> str:
        """Guard and label, e.g. ``photos[recovery-jpeg-0.25bpp]``."""
        return f"{self.guard}[{self.label}]"

    @property
    def judged(self) -> bool:
        """True if there is a limit."""
        return self.min_recovered is not None


@dataclass(frozen=True, slots=True)
class Recovery:
    """Settings for finetuning a guard's model, and the cells that test it."""

    train: str
    """Factory ``package.module:callable`` of the training data, in the form of a guard's data."""
    trainer: str | None = None
    """Callable ``package.module:callable`` (module, batches, steps, ...) -> module; None: that of the task."""
    steps: int = 400
    batch: int = 8
    """Images in a step."""
    images: int = 600
    """Number of training images, a seeded choice; each is coded once per codec and rate."""
    seeds: tuple[int, ...] = (0, 1, 2)
    learning_rate: float | None = None
    """Learning rate offered to the trainer; None: its own."""
    cells: tuple[RecoveryCell, ...] = ()

    @property
    def points(self) -> tuple[tuple[CodecSpec, OperatingPoint], ...]:
        """Codecs and points that models are tested at, in the file's order, rates first and ascending in a codec."""
        codecs = dict.fromkeys(cell.codec for cell in self.cells)
        return tuple((codec, point) for codec in codecs for point in self.points_of(codec))

    def points_of(self, codec: CodecSpec) -> tuple[OperatingPoint, ...]:
        """Return the points of a codec: rates ascending, then qualities ascending."""
        points = {cell.point for cell in self.cells if cell.codec == codec and not isinstance(cell.point, str)}
        rates = sorted(point.bpp for point in points if isinstance(point, Rate))
        settings = sorted(point.setting for point in points if isinstance(point, Quality))
        return (*map(Rate, rates), *map(Quality, settings))


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the drop that came back, 0 to 1 and beyond: 1 is all of it."""

    value: float | None
    """The share; None if there is no drop to divide by."""
    low: float | None = None
    high: float | None = None
    """Upper end of the interval over images; either end is None if it is unbounded."""
    seeds: tuple[float, ...] = ()
    """The share of each seed alone."""
    reason: str = ""
    """Reason why there is no value."""


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """Scores of one finetuned model at one codec and point, from 0 to 100, each the mean over seeds."""

    codec: str
    bpp: float | None
    """Target rate; None at a quality."""
    bpp_mean: float | None
    """Mean bpp of the coded evaluation images."""
    compressed: float
    """Score of the original model."""
    control: float
    """Score of the model that was finetuned on clean images."""
    finetuned: float
    control_seeds: tuple[float, ...]
    finetuned_seeds: tuple[float, ...]
    recovered: Share
    """(finetuned - compressed) / (clean - compressed)."""
    beyond_control: Share
    """(finetuned - control) / (control on clean images - control)."""
    quality: float | None = None
    """Setting of the coded evaluation images; None with a target rate."""

    def __post_init__(self) -> None:
        settle_texts(self)

    @property
    def point(self) -> OperatingPoint:
        """Operating point of the images."""
        return Rate(self.bpp) if self.bpp is not None else Quality(self.quality or 0.0)

    @property
    def label(self) -> str:
        """Text of tables: ``jpeg 0.25bpp``, ``jpeg q75``."""
        return f"{self.codec} {self.point.label}"

    def lost(self, clean: float) -> float:
        """Return how many points the better of original and finetuned model is below `clean`, at least 0.

        `clean` is the original's score on clean images. If finetuning did harm, the original's own score counts.
        """
        return max(0.0, clean - max(self.compressed, self.finetuned))


@dataclass(frozen=True, slots=True)
class RecoveryResult:
    """One recovery cell of the results. A number that was not measured is None, never 0."""

    id: str
    guard: str
    task: str
    metric: str
    codec: str
    trained_bpp: TrainedRate | None
    verdict: Verdict
    outcome: Outcome
    settled_by: SettledBy
    reason: str
    confidence: float
    trained_quality: float | None = None
    """Setting of the training images; None with a rate, or for mixed points."""
    min_recovered: float | None = None
    limit: int | None = None
    """Largest number of evaluation images allowed; None: all."""
    seed: int | None = None
    """Seed of the choice of images, the mix of settings and the bootstrap; the trainings have `seeds`."""
    images: int | None = None
    """Number of evaluation images behind every score."""
    train_images: int | None = None
    train_errors: int | None = None
    """Training images that could not be read."""
    train_tested: int | None = None
    """Training images that were left out because they are among the evaluation images."""
    steps: int | None = None
    batch: int | None = None
    seeds: tuple[int, ...] = ()
    learning_rate: float | None = None
    """Learning rate that the file asks for; None: the trainer's own."""
    trainer: str | None = None
    device: str | None = None
    clean: float | None = None
    """Score of the original model on clean images."""
    control_clean: float | None = None
    finetuned_clean: float | None = None
    finetuned_clean_seeds: tuple[float, ...] = ()
    points: tuple[RecoveryPoint, ...] = ()
    """Scores at every codec and rate of the study: those that the model was trained on, and the transfer to others."""
    trained: int | None = None
    """Trainings that this run made; the others were kept from earlier runs."""
    seconds: float | None = None
    waived: str | None = None
    """Reason of the waiver that turned the failure of the cell into a skip; None for every other outcome."""
    waived_until: str | None = None
    """Last day of the waiver that names the cell, ``2026-12-31``, whether it was needed or not."""
    limit_line: int | None = None
    """Line in the thresholds file that a failure points to."""

    def __post_init__(self) -> None:
        settle_texts(self)

    @property
    def trained_point(self) -> TrainedPoint:
        """Point that the model was finetuned at."""
        if isinstance(self.trained_bpp, str):
            return self.trained_bpp
        return Rate(self.trained_bpp) if self.trained_bpp is not None else Quality(self.trained_quality or 0.0)

    def own(self) -> tuple[RecoveryPoint, ...]:
        """Return the points that the model was trained for."""
        at = (point for point in self.points if point.codec == self.codec)
        return tuple(point for point in at if self.trained_point in (MIXED, point.point))

    @property
    def lost(self) -> float | None:
        """Most points, over its own rates, that no model brought back: an upper bound on lost information."""
        own, clean = self.own(), self.clean
        return None if clean is None or not own else max(point.lost(clean) for point in own)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return asdict(self) | {"lost": self.lost}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RecoveryResult:
        """Return the result of which `as_dict` gave the values; keys that this version does not know are left out."""
        return cls(**_known(cls, values) | {"points": tuple(map(_point, values.get("points", ())))})


def _point(values: Mapping[str, Any]) -> RecoveryPoint:
    shares = {key: Share(**_known(Share, values[key])) for key in ("recovered", "beyond_control")}
    return RecoveryPoint(**_known(RecoveryPoint, values) | shares)


def _known(record: type[RecoveryResult | RecoveryPoint | Share], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a record has fields for, with lists as tuples."""
    names = {field.name for field in fields(record)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in names}


def format_trained(point: TrainedPoint) -> str:
    """Return the name of a trained point: ``0.25bpp``, ``q75``, ``mixed``."""
    return point if isinstance(point, str) else point.label
