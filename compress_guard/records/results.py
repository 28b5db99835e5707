"""The result of a cell, composed of parts, and how a run ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Generic, Self, TypeVar, overload

from compress_guard.records.cell_parts.coding import (
    CodecUsed,
    CodedRate,
    DecoderComparison,
    DecoderSwap,
    EstimateCheck,
    FidelityFigures,
)
from compress_guard.records.cell_parts.images import ImageCounts, IntakeCounts, SourceFigures
from compress_guard.records.cell_parts.part import CellPart
from compress_guard.records.cell_parts.scores import AgainstBaseline, CleanScore, LossFigures, Precision, Scores
from compress_guard.records.cell_parts.terms import CellTerms
from compress_guard.records.cell_parts.work import ControlFigures, EarlierRuns, WorkDone
from compress_guard.records.named import ClassScore, NamedImage
from compress_guard.records.points import Fixed, OperatingPoint, Quality, Rate
from compress_guard.records.slices import SliceResult
from compress_guard.records.texts import settle_texts
from compress_guard.records.traffic import TrafficResult
from compress_guard.records.vocabulary import JUDGED, Outcome, RateMode, SettledBy, Verdict

T = TypeVar("T")


class Flat(Generic[T]):
    """A field of one of the parts, readable on the result itself."""

    def __init__(self, read: Callable[[CellResult], T]) -> None:
        self._read: Final = read

    @overload
    def __get__(self, result: None, owner: type[CellResult]) -> Self: ...

    @overload
    def __get__(self, result: CellResult, owner: type[CellResult]) -> T: ...

    def __get__(self, result: CellResult | None, owner: type[CellResult]) -> Self | T:
        """Return the field of this result."""
        return self if result is None else self._read(result)


@dataclass(frozen=True, slots=True)
class CellResult:
    """One cell of the results: the fields of the JSON file and, with the prefix ``cg_``, of the JUnit properties.

    The parts group the figures by where they come from, and document them. Each field of a part is readable on the
    result too: ``result.drop`` is ``result.scores.drop``. The result is flat in files: see `as_dict`. Scores and drops
    are points (0 to 100), rates bits per pixel. A number that was not measured is None, never 0.
    """

    id: str
    guard: str
    task: str
    metric: str
    codec: str
    target_bpp: float | None
    verdict: Verdict
    outcome: Outcome
    settled_by: SettledBy
    reason: str
    rate: RateMode | None
    device: str
    seed: int
    confidence: float
    terms: CellTerms = field(default_factory=CellTerms)
    coded: CodedRate = field(default_factory=CodedRate)
    codec_used: CodecUsed = field(default_factory=CodecUsed)
    estimates: EstimateCheck = field(default_factory=EstimateCheck)
    counts: ImageCounts = field(default_factory=ImageCounts)
    intake: IntakeCounts = field(default_factory=IntakeCounts)
    sources: SourceFigures = field(default_factory=SourceFigures)
    control: ControlFigures = field(default_factory=ControlFigures)
    fidelity: FidelityFigures = field(default_factory=FidelityFigures)
    scores: Scores = field(default_factory=Scores)
    clean: CleanScore = field(default_factory=CleanScore)
    precision: Precision = field(default_factory=Precision)
    losses: LossFigures = field(default_factory=LossFigures)
    swap: DecoderSwap = field(default_factory=DecoderSwap)
    decoding: DecoderComparison = field(default_factory=DecoderComparison)
    against: AgainstBaseline = field(default_factory=AgainstBaseline)
    earlier: EarlierRuns = field(default_factory=EarlierRuns)
    work: WorkDone = field(default_factory=WorkDone)

    # In the order of the JSON file, behind the fields above that are no parts.
    target_quality = Flat(lambda cell: cell.terms.target_quality)
    bpp_mean = Flat(lambda cell: cell.coded.bpp_mean)
    bpp_pooled = Flat(lambda cell: cell.coded.bpp_pooled)
    bpp_se = Flat(lambda cell: cell.coded.bpp_se)
    bits = Flat(lambda cell: cell.codec_used.bits)
    bits_difference = Flat(lambda cell: cell.estimates.bits_difference)
    bits_checked = Flat(lambda cell: cell.estimates.bits_checked)
    reconstruction_difference = Flat(lambda cell: cell.estimates.reconstruction_difference)
    settings = Flat(lambda cell: cell.coded.settings)
    steps = Flat(lambda cell: cell.coded.steps)
    mixed = Flat(lambda cell: cell.coded.mixed)
    off_target = Flat(lambda cell: cell.coded.off_target)
    floor_bpp = Flat(lambda cell: cell.coded.floor_bpp)
    metadata_images = Flat(lambda cell: cell.coded.metadata_images)
    metadata_bpp = Flat(lambda cell: cell.coded.metadata_bpp)
    rate_tolerance = Flat(lambda cell: cell.terms.rate_tolerance)
    limit = Flat(lambda cell: cell.terms.limit)
    images = Flat(lambda cell: cell.counts.images)
    images_used = Flat(lambda cell: cell.counts.images_used)
    groups = Flat(lambda cell: cell.counts.groups)
    errors = Flat(lambda cell: cell.counts.errors)
    error_ids = Flat(lambda cell: cell.counts.error_ids)
    crop_emptied = Flat(lambda cell: cell.counts.crop_emptied)
    turned = Flat(lambda cell: cell.intake.turned)
    orientation = Flat(lambda cell: cell.intake.orientation)
    boxes_outside = Flat(lambda cell: cell.intake.boxes_outside)
    flat = Flat(lambda cell: cell.intake.flat)
    dark = Flat(lambda cell: cell.intake.dark)
    near_equal = Flat(lambda cell: cell.intake.near_equal)
    reference = Flat(lambda cell: cell.terms.reference)
    clean_score = Flat(lambda cell: cell.scores.clean_score)
    score = Flat(lambda cell: cell.scores.score)
    drop = Flat(lambda cell: cell.scores.drop)
    drop_low = Flat(lambda cell: cell.scores.drop_low)
    drop_high = Flat(lambda cell: cell.scores.drop_high)
    score_low = Flat(lambda cell: cell.scores.score_low)
    score_high = Flat(lambda cell: cell.scores.score_high)
    max_drop = Flat(lambda cell: cell.terms.max_drop)
    min_score = Flat(lambda cell: cell.terms.min_score)
    min_clean = Flat(lambda cell: cell.terms.min_clean)
    clean_low = Flat(lambda cell: cell.clean.clean_low)
    clean_high = Flat(lambda cell: cell.clean.clean_high)
    clean_remark = Flat(lambda cell: cell.clean.clean_remark)
    traffic = Flat(lambda cell: cell.terms.traffic)
    doubts = Flat(lambda cell: cell.terms.doubts)
    limit_places = Flat(lambda cell: cell.terms.limit_places)
    waived = Flat(lambda cell: cell.terms.waived)
    waived_until = Flat(lambda cell: cell.terms.waived_until)
    limit_line = Flat(lambda cell: cell.terms.limit_line)
    interval_confidence = Flat(lambda cell: cell.precision.interval_confidence)
    correction = Flat(lambda cell: cell.terms.correction)
    stopped_early = Flat(lambda cell: cell.precision.stopped_early)
    resolvable_drop = Flat(lambda cell: cell.precision.resolvable_drop)
    unseen_drop = Flat(lambda cell: cell.precision.unseen_drop)
    images_needed = Flat(lambda cell: cell.precision.images_needed)
    groups_needed = Flat(lambda cell: cell.precision.groups_needed)
    design_effect = Flat(lambda cell: cell.precision.design_effect)
    changed = Flat(lambda cell: cell.losses.changed)
    harmful_flips = Flat(lambda cell: cell.losses.harmful_flips)
    helpful_flips = Flat(lambda cell: cell.losses.helpful_flips)
    worst = Flat(lambda cell: cell.losses.worst)
    worst_images = Flat(lambda cell: cell.losses.worst_images)
    names_remark = Flat(lambda cell: cell.losses.names_remark)
    class_scores = Flat(lambda cell: cell.losses.class_scores)
    slices = Flat(lambda cell: cell.losses.slices)
    source_bpp = Flat(lambda cell: cell.sources.source_bpp)
    lossy_sources = Flat(lambda cell: cell.sources.lossy_sources)
    sources_looked = Flat(lambda cell: cell.sources.sources_looked)
    control_images = Flat(lambda cell: cell.control.control_images)
    control_changed = Flat(lambda cell: cell.control.control_changed)
    control_mixed = Flat(lambda cell: cell.control.control_mixed)
    control_mixed_changed = Flat(lambda cell: cell.control.control_mixed_changed)
    swap_decoder = Flat(lambda cell: cell.swap.swap_decoder)
    swap_score = Flat(lambda cell: cell.swap.swap_score)
    swap_remark = Flat(lambda cell: cell.swap.swap_remark)
    decoder = Flat(lambda cell: cell.decoding.decoder)
    decoder_version = Flat(lambda cell: cell.decoding.decoder_version)
    first_decoder = Flat(lambda cell: cell.decoding.first_decoder)
    decoder_drop = Flat(lambda cell: cell.decoding.decoder_drop)
    decoder_drop_low = Flat(lambda cell: cell.decoding.decoder_drop_low)
    decoder_drop_high = Flat(lambda cell: cell.decoding.decoder_drop_high)
    max_decoder_drop = Flat(lambda cell: cell.terms.max_decoder_drop)
    decoder_difference_max = Flat(lambda cell: cell.decoding.decoder_difference_max)
    decoder_difference_mean = Flat(lambda cell: cell.decoding.decoder_difference_mean)
    baseline_images = Flat(lambda cell: cell.against.baseline_images)
    baseline_paired = Flat(lambda cell: cell.against.baseline_paired)
    baseline_score = Flat(lambda cell: cell.against.baseline_score)
    regression = Flat(lambda cell: cell.against.regression)
    regression_low = Flat(lambda cell: cell.against.regression_low)
    regression_high = Flat(lambda cell: cell.against.regression_high)
    max_regression = Flat(lambda cell: cell.terms.max_regression)
    drop_change = Flat(lambda cell: cell.against.drop_change)
    drop_change_low = Flat(lambda cell: cell.against.drop_change_low)
    drop_change_high = Flat(lambda cell: cell.against.drop_change_high)
    baseline_remark = Flat(lambda cell: cell.against.baseline_remark)
    codec_version = Flat(lambda cell: cell.codec_used.codec_version)
    codec_moved = Flat(lambda cell: cell.earlier.codec_moved)
    codec_device = Flat(lambda cell: cell.codec_used.codec_device)
    codec_remark = Flat(lambda cell: cell.codec_used.codec_remark)
    checked = Flat(lambda cell: cell.fidelity.checked)
    device_difference = Flat(lambda cell: cell.fidelity.device_difference)
    psnr_mean = Flat(lambda cell: cell.fidelity.psnr_mean)
    psnr_median = Flat(lambda cell: cell.fidelity.psnr_median)
    outlier_count = Flat(lambda cell: cell.fidelity.outlier_count)
    outliers = Flat(lambda cell: cell.fidelity.outliers)
    encodes = Flat(lambda cell: cell.work.encodes)
    check_encodes = Flat(lambda cell: cell.work.check_encodes)
    predictions = Flat(lambda cell: cell.work.predictions)
    remembered = Flat(lambda cell: cell.earlier.remembered)
    data_remark = Flat(lambda cell: cell.intake.data_remark)
    model_moved = Flat(lambda cell: cell.earlier.model_moved)
    decoder_moved = Flat(lambda cell: cell.earlier.decoder_moved)
    seconds = Flat(lambda cell: cell.work.seconds)

    def __post_init__(self) -> None:
        settle_texts(self)

    @classmethod
    def field_names(cls) -> tuple[str, ...]:
        """Return the names of all fields, flat, in the order of the JSON file."""
        own = (each.name for each in fields(cls) if each.name not in _PARTS)
        return *own, *(name for name, value in vars(cls).items() if isinstance(value, Flat))

    def as_dict(self) -> dict[str, Any]:
        """Return the cell as plain JSON values, flat."""
        values: dict[str, Any] = {name: getattr(self, name) for name in self.field_names()}
        values["settings"] = [{"setting": setting, "images": count} for setting, count in self.settings]
        values["steps"] = [{"step": step, "bpp": bpp} for step, bpp in self.steps]
        values["error_ids"] = list(self.error_ids)
        values["doubts"] = list(self.doubts)
        values["limit_places"] = [{"limit": key, "place": place} for key, place in self.limit_places]
        values["outliers"] = [{"id": name, "psnr": psnr} for name, psnr in self.outliers]
        values["worst"] = [{"id": name, "points": points} for name, points in self.worst]
        values["worst_images"] = [asdict(image) for image in self.worst_images]
        values["class_scores"] = [asdict(each) for each in self.class_scores]
        values["slices"] = [asdict(part) for part in self.slices]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CellResult:
        """Return the result of which `as_dict` gave the values; keys that this version does not know are left out."""
        kept = dict(values)
        kept["settings"] = tuple((part["setting"], part["images"]) for part in values.get("settings", ()))
        kept["steps"] = tuple((part["step"], part["bpp"]) for part in values.get("steps", ()))
        kept["error_ids"] = tuple(values.get("error_ids", ()))
        kept["doubts"] = tuple(values.get("doubts", ()))
        kept["limit_places"] = tuple((each["limit"], each["place"]) for each in values.get("limit_places", ()))
        kept["outliers"] = tuple((image["id"], image["psnr"]) for image in values.get("outliers", ()))
        kept["worst"] = tuple((image["id"], image["points"]) for image in values.get("worst", ()))
        kept["worst_images"] = tuple(NamedImage.from_dict(image) for image in values.get("worst_images", ()))
        kept["class_scores"] = tuple(ClassScore.from_dict(each) for each in values.get("class_scores", ()))
        kept["slices"] = tuple(SliceResult.from_dict(part) for part in values.get("slices", ()))
        return cls.from_fields(kept)

    @classmethod
    def from_fields(cls, values: Mapping[str, Any]) -> CellResult:
        """Compose a result from the values of its flat fields; unknown names are left out."""
        composed: dict[str, Any] = {each.name: values[each.name] for each in fields(cls) if each.name in values}
        for name, part in _PARTS.items():
            composed[name] = part(**{each.name: values[each.name] for each in fields(part) if each.name in values})
        return cls(**composed)

    @property
    def point(self) -> OperatingPoint:
        """Operating point of the cell."""
        if self.target_bpp is not None:
            return Rate(self.target_bpp)
        return Fixed() if self.target_quality is None else Quality(self.target_quality)

    @property
    def named_worst(self) -> tuple[tuple[NamedImage, float], ...]:
        """The images that cost the score most with the points of each; results of older versions have only ids."""
        named = {image.id: image for image in self.worst_images}
        return tuple((named.get(name) or NamedImage(name), points) for name, points in self.worst)

    @property
    def judged(self) -> bool:
        """True if the verdict compares a drop with a limit."""
        return self.verdict in JUDGED


_MAKERS: Final[Mapping[str, object]] = {each.name: each.default_factory for each in fields(CellResult)}
_PARTS: Final[Mapping[str, type[CellPart]]] = {
    name: made for name, made in _MAKERS.items() if isinstance(made, type) and issubclass(made, CellPart)
}
"""The parts of a result, by the names of its fields."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The whole of which a run may be a part: all cells that its thresholds file has for a run of its kind."""

    digest: str | None = None
    """sha256 of the text of the thresholds file; None for a run without one."""
    cells: tuple[str, ...] = ()
    """Names of these cells, ``photos[jpeg-0.25bpp]``, in the order of the file, selected or not."""
    shard: str | None = None
    """Part that the run measured, ``2/5``; None for a run that was not cut."""


@dataclass(frozen=True, slots=True)
class Ending:
    """End of a run, as its results file states it."""

    exit_status: int | None = None
    """Exit status of its process; None while the run goes on, or if it broke off without one."""
    not_measured: tuple[str, ...] = ()
    """Node ids of the cells that were selected and have no result, in the order of the run."""
    traffic: tuple[TrafficResult, ...] = ()
    """The drop of each guard over its traffic."""
    scope: Scope = field(default_factory=Scope)
    """The whole of which the run may be a part: digest of the thresholds file and names of all its cells."""
