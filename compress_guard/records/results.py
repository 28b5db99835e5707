"""What a run reports of a cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from compress_guard.records.texts import settle_texts
from compress_guard.records.vocabulary import (
    JUDGED,
    Bits,
    Correction,
    Orientation,
    Outcome,
    RateMode,
    SettledBy,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class SliceResult:
    """A part of a cell's images: how much it lost. Points, as everywhere."""

    slicing: str
    value: str
    images: int
    confidence: float
    verdict: Verdict
    """``unjudged`` for a slice without a limit of its own."""
    clean_score: float | None = None
    score: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    max_drop: float | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SliceResult:
        """From its JSON values; keys that this version does not know are left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{key: value for key, value in values.items() if key in known})


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
    """Mean of the images' bpp; like every figure of the rate, over the images used once there is a score, and over all
    of the plan where a cell stopped early."""
    bpp_pooled: float | None = None
    """All bits / all pixels."""
    bpp_se: float | None = None
    """Standard error of bpp_mean over the images."""
    bits: Bits | None = None
    """Whether rates count real streams or estimates from likelihoods."""
    bits_difference: float | None = None
    """Estimated bits / coded bits - 1 of the image, among those checked, where they are furthest apart."""
    bits_checked: int | None = None
    """Images of the guard that were coded for real beside the codec's forward pass; None for codecs without one."""
    reconstruction_difference: int | None = None
    """Largest difference, in levels, between those streams decoded and the forward reconstruction."""
    settings: tuple[tuple[float, int], ...] = ()
    """Each setting with the number of images coded at it."""
    mixed: bool = False
    """Two settings more than 15 % apart in mean rate share the target."""
    off_target: int | None = None
    """Images at the codec's floor or ceiling that miss the target by more than the tolerance."""
    floor_bpp: float | None = None
    """Where the target is unreachable: the lowest mean rate of the codec (dataset mode), or the highest floor among
    the images that are stuck (image mode)."""
    rate_tolerance: float | None = None
    """Largest relative distance from the target that counts as met: 0.02 is 2 %."""
    limit: int | None = None
    """Largest number of images allowed, by the file or the command line; None: all."""
    images: int | None = None
    """Images of the plan: the data set, or the seeded subset of a limit."""
    images_used: int | None = None
    """Images whose evidence the score rests on."""
    errors: int | None = None
    error_ids: tuple[str, ...] = ()
    """The first few images that failed to load or code."""
    turned: int | None = None
    """Images that were turned upright by their EXIF."""
    orientation: Orientation | None = None
    """How images were read that EXIF turns: ``upright`` or as ``stored``; None where it turns none."""
    boxes_outside: int | None = None
    """Images with boxes that leave them by more than a pixel; None where there are no boxes."""
    flat: int | None = None
    """Images of a single colour."""
    dark: int | None = None
    """Images that are almost black."""
    clean_score: float | None = None
    score: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    score_low: float | None = None
    """Lower end of the score's confidence interval; only where there is a min_score to judge it by."""
    score_high: float | None = None
    """Upper end of it."""
    max_drop: float | None = None
    min_score: float | None = None
    min_clean: float | None = None
    """Least clean score; None: a model that knows nothing is an error, 0: not even that is."""
    clean_low: float | None = None
    """Lower end of the clean score's confidence interval; only where there is a min_clean to judge it by."""
    clean_high: float | None = None
    """Upper end of it."""
    clean_remark: str | None = None
    """Why nobody could tell whether the model knows anything: too few images, or a sentence with `UNTOLD`; None where
    it did, or where there is a min_clean."""
    doubts: tuple[str, ...] = ()
    """Sentences on what makes a limit of the cell mean little; they fail it in a strict run."""
    interval_confidence: float | None = None
    """What the interval of the drop holds with by itself; more than `confidence` where looks before the last image had
    a part of the error."""
    correction: Correction = "none"
    """What `confidence` was corrected by."""
    stopped_early: bool = False
    """The verdict was certain before all images were used; `images_used` says how many it took."""
    resolvable_drop: float | None = None
    """Smallest distance between drop and limit that so many images tell apart four times in five: assuming that 5 % of
    the predictions flip, or once the drop has an interval, from that."""
    unseen_drop: float | None = None
    """The drop, in points, if the model found nothing in as many images like these as may exist though none was among
    those used; None for metrics with flags, whose interval covers it."""
    images_needed: int | None = None
    """After an inconclusive verdict: about how many images would settle it; None where none would."""
    changed: int | None = None
    """Images of which compression changed the evidence."""
    harmful_flips: int | None = None
    """Images that are right when clean and wrong when compressed; None for metrics without flags."""
    helpful_flips: int | None = None
    worst: tuple[tuple[str, float], ...] = ()
    """The first few images that cost the score most: id and the points of the drop that come from it."""
    slices: tuple[SliceResult, ...] = ()
    source_bpp: float | None = None
    """Mean bpp of those source images that were lossily coded files already."""
    lossy_sources: int | None = None
    """How many of the images that were looked at those are; None where the data does not tell."""
    sources_looked: int | None = None
    """Images whose origin the data told, all or a seeded sample."""
    control_images: int | None = None
    """Images that went through a lossless codec and the model, to the same predictions as the clean ones."""
    control_changed: int | None = None
    """How many of them were predicted otherwise."""
    control_mixed: int | None = None
    """Predictions of these images, clean, in batches of other neighbours; None where none could be mixed."""
    control_mixed_changed: int | None = None
    """How many of these were others than before."""
    swap_decoder: str | None = None
    """The second decoder that `swap_score` rests on."""
    swap_score: float | None = None
    """The compressed score with the streams decoded by that; the drop moves by as much as the score."""
    codec_version: str | None = None
    codec_moved: str | None = None
    """The version of the codec in the run before this one on the same store, where it was another."""
    codec_device: str | None = None
    """Where the codec worked, as in `device`."""
    codec_remark: str | None = None
    """What the codec met there, such as a GPU path that it had to leave."""
    checked: int | None = None
    """Images whose streams were decoded again, to the same pixels, before the model was judged."""
    device_difference: float | None = None
    """Largest mean difference in luma, in levels, between those images decoded on the GPU and on the CPU; None where
    the codec works on the CPU."""
    psnr_mean: float | None = None
    """Mean over the images of the decoded image's PSNR against its source, in dB; an exact copy counts as 100."""
    psnr_median: float | None = None
    outlier_count: int | None = None
    """Images that came back far worse than the others."""
    outliers: tuple[tuple[str, float], ...] = ()
    """The first few of them, the worst first: id and PSNR in dB."""
    encodes: float | None = None
    """Encoder calls made in this run for this cell, weighted by pixels: 1.0 is every image once."""
    check_encodes: int | None = None
    """Images coded beside that to check estimates, in the cell of a codec and guard that was measured first."""
    predictions: int | None = None
    """Images that the model was asked to predict for this cell (clean ones and those of controls count where
    this cell made them)."""
    remembered: int | None = None
    """Images whose evidence (clean, compressed or of controls) an earlier run had left, so that the model was not
    asked; None for a model without a fingerprint."""
    data_remark: str | None = None
    """A remark on how the images were read, such as data that its own thread alone can read."""
    model_moved: bool = False
    """The model answered the probing batch, or the first batch of a codec's cell, otherwise than the one with the same
    fingerprint did in an earlier run, of which therefore nothing was used."""
    decoder_moved: bool = False
    """The codec decoded streams to other pixels than in an earlier run, at the same version."""
    seconds: float | None = None

    def __post_init__(self) -> None:
        settle_texts(self)

    def as_dict(self) -> dict[str, Any]:
        """The cell as plain JSON values."""
        values: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        values["settings"] = [{"setting": setting, "images": count} for setting, count in self.settings]
        values["error_ids"] = list(self.error_ids)
        values["doubts"] = list(self.doubts)
        values["outliers"] = [{"id": name, "psnr": psnr} for name, psnr in self.outliers]
        values["worst"] = [{"id": name, "points": points} for name, points in self.worst]
        values["slices"] = [asdict(part) for part in self.slices]
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CellResult:
        """The inverse of `as_dict`; keys that this version does not know are left out."""
        known = {one.name for one in fields(cls)}
        kept = {key: value for key, value in values.items() if key in known}
        kept["settings"] = tuple((one["setting"], one["images"]) for one in kept.get("settings", ()))
        kept["error_ids"] = tuple(kept.get("error_ids", ()))
        kept["doubts"] = tuple(kept.get("doubts", ()))
        kept["outliers"] = tuple((one["id"], one["psnr"]) for one in kept.get("outliers", ()))
        kept["worst"] = tuple((one["id"], one["points"]) for one in kept.get("worst", ()))
        kept["slices"] = tuple(SliceResult.from_dict(part) for part in kept.get("slices", ()))
        return cls(**kept)

    @property
    def judged(self) -> bool:
        return self.verdict in JUDGED


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as its results file says it."""

    exit_status: int | None = None
    """The status that its process leaves with; None while the run goes on, and where it broke off without one."""
    not_measured: tuple[str, ...] = ()
    """Node ids of the cells that were selected and have no result, in the order of the run."""
