"""What a recovery study trains and tests, what it has to bring back, and what a run reports of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Literal, TypeAlias

from compress_guard.records.codecs import CodecSpec, format_bpp
from compress_guard.records.texts import settle_texts
from compress_guard.records.vocabulary import Outcome, SettledBy, Verdict

MIXED: Final = "mixed"
TrainedRate: TypeAlias = "float | Literal['mixed']"
"""The rate that a model was finetuned at in bits per pixel, or all rates of the study by turns."""


@dataclass(frozen=True, slots=True)
class RecoveryCell:
    """One test of a study: a model finetuned on images of one codec at one rate, or at all rates by turns."""

    guard: str
    codec: CodecSpec
    bpp: TrainedRate
    min_recovered: float | None
    """Share of the drop, 0 to 1, that has to come back for certain; None: nothing is judged."""
    line: int
    """Of the thresholds file."""
    limit: int | None = None
    """Evaluation images that the guard allows this codec; None: all."""

    @property
    def label(self) -> str:
        """``recovery-jpeg-0.25bpp``, ``recovery-jpeg-mixed``."""
        return f"recovery-{self.codec.alias}-{format_trained(self.bpp)}"

    @property
    def name(self) -> str:
        """Guard and label, e.g. ``photos[recovery-jpeg-0.25bpp]``."""
        return f"{self.guard}[{self.label}]"

    @property
    def judged(self) -> bool:
        """Whether there is a limit."""
        return self.min_recovered is not None


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a guard's model is finetuned, and the cells that come of it."""

    train: str
    """Factory ``package.module:callable`` of the training data: like a guard's data."""
    trainer: str | None = None
    """Factory-like callable ``package.module:callable`` (module, batches, steps, ...) -> module; None: the task's."""
    steps: int = 400
    batch: int = 8
    """Images a step."""
    images: int = 600
    """Training images, a seeded choice, each coded once per codec and rate."""
    seeds: tuple[int, ...] = (0, 1, 2)
    learning_rate: float | None = None
    """Offered to the trainer; None: its own."""
    cells: tuple[RecoveryCell, ...] = ()

    @property
    def points(self) -> tuple[tuple[CodecSpec, float], ...]:
        """Every codec and rate that models are tested at, in the file's order, rates ascending within a codec."""
        codecs = dict.fromkeys(cell.codec for cell in self.cells)
        return tuple((codec, rate) for codec in codecs for rate in self.rates(codec))

    def rates(self, codec: CodecSpec) -> tuple[float, ...]:
        """The rates of a codec in bits per pixel, ascending."""
        rates = {cell.bpp for cell in self.cells if cell.codec == codec and not isinstance(cell.bpp, str)}
        return tuple(sorted(rates))


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the drop that came back, 0 to 1 and beyond: 1 is all of it."""

    value: float | None
    """None where there is no drop to divide by."""
    low: float | None = None
    high: float | None = None
    """Interval over images; None where it is unbounded."""
    seeds: tuple[float, ...] = ()
    """The share of each seed alone."""
    reason: str = ""
    """Why there is no value."""


@dataclass(frozen=True, slots=True)
class RecoveryPoint:
    """What one finetuned model is worth at one codec and rate. Scores are points, 0 to 100, and the mean over seeds."""

    codec: str
    bpp: float
    bpp_mean: float | None
    """Of the evaluation images as coded."""
    compressed: float
    """The original's score there."""
    control: float
    """The score there of the model that was finetuned on clean images."""
    finetuned: float
    control_seeds: tuple[float, ...]
    finetuned_seeds: tuple[float, ...]
    recovered: Share
    """(finetuned - compressed) / (clean - compressed)."""
    beyond_control: Share
    """(finetuned - control) / (control on clean images - control)."""

    def __post_init__(self) -> None:
        settle_texts(self)

    def lost(self, clean: float) -> float:
        """Points below the original's `clean` score at the best of original and finetuned model, never below 0.

        What the original reads without any training is not lost either, where finetuning did harm.
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
    trained_bpp: TrainedRate
    verdict: Verdict
    outcome: Outcome
    settled_by: SettledBy
    reason: str
    confidence: float
    min_recovered: float | None = None
    limit: int | None = None
    """Largest number of evaluation images allowed; None: all."""
    seed: int | None = None
    """Of the choice of images, the mix of settings and the bootstrap; those of the trainings are `seeds`."""
    images: int | None = None
    """Evaluation images that every score is of."""
    train_images: int | None = None
    train_errors: int | None = None
    """Training images that could not be read."""
    train_tested: int | None = None
    """Training images that are among the evaluation images too, and so were left out."""
    steps: int | None = None
    batch: int | None = None
    seeds: tuple[int, ...] = ()
    learning_rate: float | None = None
    """That the file asks for; None: the trainer's own."""
    trainer: str | None = None
    device: str | None = None
    clean: float | None = None
    """The original's score on clean images."""
    control_clean: float | None = None
    finetuned_clean: float | None = None
    finetuned_clean_seeds: tuple[float, ...] = ()
    points: tuple[RecoveryPoint, ...] = ()
    """The model at every codec and rate of the study: the ones that it was trained on, and the transfer to others."""
    trained: int | None = None
    """Trainings that this run made; the others were kept from earlier ones."""
    seconds: float | None = None

    def __post_init__(self) -> None:
        settle_texts(self)

    def own(self) -> tuple[RecoveryPoint, ...]:
        """The points that the model was trained for."""
        at = (point for point in self.points if point.codec == self.codec)
        return tuple(point for point in at if self.trained_bpp in (MIXED, point.bpp))

    @property
    def lost(self) -> float | None:
        """Most points, over its own rates, that no model brought back: an upper bound of lost information."""
        own, clean = self.own(), self.clean
        return None if clean is None or not own else max(point.lost(clean) for point in own)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self) | {"lost": self.lost}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RecoveryResult:
        """The inverse of `as_dict`; unknown keys of newer versions are left out."""
        return cls(**_known(cls, values) | {"points": tuple(_point(one) for one in values.get("points", ()))})


def _point(values: Mapping[str, Any]) -> RecoveryPoint:
    shares = {key: Share(**_known(Share, values[key])) for key in ("recovered", "beyond_control")}
    return RecoveryPoint(**_known(RecoveryPoint, values) | shares)


def _known(record: type[RecoveryResult | RecoveryPoint | Share], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that a record has fields for, lists as the tuples that they were."""
    names = {field.name for field in fields(record)}
    return {name: tuple(one) if isinstance(one, list) else one for name, one in values.items() if name in names}


def format_trained(bpp: TrainedRate) -> str:
    """``0.25bpp``, ``mixed``."""
    return bpp if isinstance(bpp, str) else format_bpp(bpp)
