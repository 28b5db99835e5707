"""What crosses a layer, a worker or a file: frozen records without images."""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays: TypeAlias = Mapping[str, NDArray[Any]]

SCHEMA: Final = "compress-guard/1"

RateMode = Literal["dataset", "image"]
Verdict = Literal["pass", "fail", "inconclusive", "unreachable", "unavailable", "unjudged", "codec_error", "error"]
Outcome = Literal["passed", "failed", "skipped"]
SettledBy = Literal["interval", "policy", "point"]
OnInconclusive = Literal["pass", "fail", "point"]
OnMissing = Literal["skip", "fail"]
Scalar: TypeAlias = "str | int | float | bool | tuple[str | int | float, ...]"

JUDGED: Final[frozenset[str]] = frozenset({"pass", "fail", "inconclusive"})
"""The verdicts that compare a drop with a threshold."""


# What a thresholds file asks for


@dataclass(frozen=True, slots=True)
class CodecSpec:
    """A codec as a thresholds file names it: an alias for a registered type with options."""

    alias: str
    type: str
    options: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """How verdicts other than pass and fail become an outcome, and what the file itself said of it."""

    on_inconclusive: OnInconclusive = "pass"
    on_unreachable: OnMissing = "skip"
    on_unavailable: OnMissing = "fail"
    stated: frozenset[str] = frozenset()
    """The keys that the file sets itself: an explicit ``skip`` holds under --cg-strict too."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One test: guard x codec x target rate."""

    guard: str
    codec: CodecSpec
    bpp: float
    max_drop: float | None
    """Allowed drop in points; None: measured and `unjudged` unless there is a min_score."""
    min_score: float | None
    limit: int | None
    """Images of the data set to use, all if None."""
    line: int
    """Line in the thresholds file (1-based) that a failure should point to."""

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
        return self.max_drop is not None or self.min_score is not None


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
    policy: Policy = field(default_factory=Policy)
    max_error_share: float = 0.0
    line: int = 0

    def rates(self, codec: str) -> tuple[float, ...]:
        """All target rates of the codec with this alias in the file, ascending: what its rate plan is made for."""
        return tuple(sorted(cell.bpp for cell in self.cells if cell.codec.alias == codec))

    @property
    def codecs(self) -> tuple[CodecSpec, ...]:
        return tuple(dict.fromkeys(cell.codec for cell in self.cells))


@dataclass(frozen=True, slots=True)
class Thresholds:
    """A whole thresholds file."""

    path: str
    guards: tuple[Guard, ...]


def format_bpp(bpp: float) -> str:
    """A rate as node ids print it, with at least one decimal: ``0.25bpp``, ``1.0bpp``."""
    return f"{float(bpp)!r}bpp"


# What rate control decides


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What rate control knows of an image: a stable id and its number of pixels."""

    id: str
    pixels: int


@dataclass(frozen=True, slots=True)
class PlannedRate:
    """How every image is coded at one target rate."""

    target: float
    settings: tuple[float | None, ...]
    """One per image, in data order; None where the image could not be coded."""
    lengths: tuple[int | None, ...]
    """Bytes of each image's stream."""
    bpp: tuple[float | None, ...]
    """8 x bytes / pixels of each image."""
    reachable: bool
    floor: float | None
    """Where the rate is unreachable: the lowest mean bpp that the codec reaches (dataset mode), or the highest floor
    among the images that are stuck (image mode)."""
    off_target: int
    """Images at the codec's floor or ceiling that miss the target by more than the tolerance."""
    mixed: bool
    """Two settings more than 15 % apart in mean rate were mixed."""
    encodes: float
    """Encoder calls that this rate's search asked for, weighted by pixels: encoded pixels / pixels of all images."""

    @property
    def bpp_mean(self) -> float | None:
        """Mean over the images of each image's bpp."""
        rates = [rate for rate in self.bpp if rate is not None]
        return sum(rates) / len(rates) if rates else None

    @property
    def bpp_se(self) -> float | None:
        """Standard error of bpp_mean over the images, None for fewer than two."""
        rates = [rate for rate in self.bpp if rate is not None]
        if len(rates) < 2:
            return None
        mean = sum(rates) / len(rates)
        return math.sqrt(sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1) / len(rates))

    @property
    def setting_counts(self) -> dict[float, int]:
        """How many images are coded at each setting, settings ascending."""
        used = [setting for setting in self.settings if setting is not None]
        return {setting: used.count(setting) for setting in sorted(set(used))}


@dataclass(frozen=True, slots=True)
class RatePlan:
    """How a codec brings the images of a guard to each of its target rates."""

    mode: RateMode
    rates: tuple[PlannedRate, ...]
    """One per target, ascending."""

    def at(self, bpp: float) -> PlannedRate:
        return next(planned for planned in self.rates if planned.target == bpp)


# What verdicts say


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its confidence interval, in points; low <= value <= high."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """Paired evidence against a threshold."""

    clean_score: float | None
    score: float | None
    drop: Interval | None
    score_interval: Interval | None
    """Of the compressed score; computed only where there is a min_score to judge it by."""
    verdict: Verdict
    reason: str
    """One sentence with both sides: ``top1 fell by 3.1 points (76.2 to 73.1, 95 % interval 1.9 to 4.3), allowed 2.0``.
    """


# What one image contributes to a score


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Per-image evidence of one pass over (part of) a data set: named numpy arrays for each image id."""

    ids: tuple[str, ...]
    items: tuple[Arrays, ...]

    @classmethod
    def merge(cls, parts: Iterable[Evidence]) -> Evidence:
        """Shards put together, in the order given; exact."""
        parts = list(parts)
        return cls(
            tuple(name for part in parts for name in part.ids), tuple(item for part in parts for item in part.items)
        )

    def select(self, ids: Sequence[str]) -> Evidence:
        """The evidence of these images, in this order; KeyError for an id that is not there."""
        where = {name: index for index, name in enumerate(self.ids)}
        return Evidence(tuple(ids), tuple(self.items[where[name]] for name in ids))

    def to_bytes(self) -> bytes:
        """One compressed npz: per array name the values of all images end to end, and each image's shape."""
        import numpy as np

        names = tuple(self.items[0]) if self.items else ()
        arrays: dict[str, NDArray[Any]] = {"ids": np.array(self.ids, dtype=np.str_)}
        # An archive has checksums of its contents, not of its directory: a name could get lost unseen.
        arrays["names"] = np.array(names, dtype=np.str_)
        for name in names:
            values = [np.asarray(item[name]) for item in self.items]
            arrays[f"values.{name}"] = np.concatenate([value.reshape(-1) for value in values])
            arrays[f"shapes.{name}"] = np.array([value.shape for value in values], dtype=np.int64).reshape(
                len(values), values[0].ndim
            )
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Evidence:
        """The inverse of `to_bytes`; nothing is unpickled. Raises ValueError for bytes that are damaged."""
        try:
            return cls._read(data)
        except Exception as problem:  # a damaged archive fails in a dozen ways, NotImplementedError among them
            raise ValueError(f"these bytes are not evidence: {problem}") from problem

    @classmethod
    def _read(cls, data: bytes) -> Evidence:
        import numpy as np

        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            ids = tuple(str(name) for name in arrays["ids"])
            items: list[dict[str, NDArray[Any]]] = [{} for _ in ids]
            for name in (str(name) for name in arrays["names"]):
                values, shapes = arrays[f"values.{name}"], arrays[f"shapes.{name}"]
                start = 0
                for item, shape in zip(items, shapes.tolist(), strict=True):
                    end = start + math.prod(shape)
                    item[name] = values[start:end].reshape(shape)
                    start = end
        return cls(ids, tuple(items))


# What a run reports


@dataclass(frozen=True, slots=True)
class CellResult:
    """One cell of the results: the fields of the JSON file and, with the prefix cg_, of the JUnit properties.

    Scores and drops are points (0 to 100), rates bits per pixel. A number that was not measured is None, never 0.
    """

    id: str
    guard: str
    task: str
    metric: str
    codec: str
    target_bpp: float
    verdict: Verdict
    outcome: Outcome
    settled_by: SettledBy
    reason: str
    rate: RateMode
    device: str
    seed: int
    confidence: float
    bpp_mean: float | None = None
    """Mean of the images' bpp."""
    bpp_pooled: float | None = None
    """All bits / all pixels."""
    bpp_se: float | None = None
    """Standard error of bpp_mean over the images."""
    bits: Literal["coded", "estimated"] | None = None
    settings: tuple[tuple[float, int], ...] = ()
    """Each setting with the number of images coded at it."""
    mixed: bool = False
    off_target: int | None = None
    floor_bpp: float | None = None
    limit: int | None = None
    """Largest number of images allowed, by the file or the command line; None: all."""
    images: int | None = None
    """Images of the plan: the data set, or the seeded subset of a limit."""
    images_used: int | None = None
    """Images whose evidence the score rests on."""
    errors: int | None = None
    error_ids: tuple[str, ...] = ()
    """The first few images that failed to load or code."""
    clean_score: float | None = None
    score: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    score_low: float | None = None
    score_high: float | None = None
    max_drop: float | None = None
    min_score: float | None = None
    codec_version: str | None = None
    encodes: float | None = None
    """Encoder calls made in this run for this cell, weighted by pixels: 1.0 is every image once."""
    predictions: int | None = None
    """Images that the model was asked to predict for this cell (clean ones count where this cell made them)."""
    seconds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """The cell as plain JSON values."""
        values: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        values["settings"] = [{"setting": setting, "images": count} for setting, count in self.settings]
        values["error_ids"] = list(self.error_ids)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CellResult:
        """The inverse of `as_dict`; keys that this version does not know are left out."""
        known = {one.name for one in fields(cls)}
        kept = {key: value for key, value in values.items() if key in known}
        kept["settings"] = tuple((one["setting"], one["images"]) for one in kept.get("settings", ()))
        kept["error_ids"] = tuple(kept.get("error_ids", ()))
        return cls(**kept)

    @property
    def judged(self) -> bool:
        return self.verdict in JUDGED


def seeded_fraction(seed: int, image_id: str) -> float:
    """A number in [0, 1) that depends on the seed and the image's id alone: how mixes and subsets choose images."""
    # Ids are often file names, and those need not be valid Unicode.
    digest = hashlib.blake2b(f"{seed}:{image_id}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
