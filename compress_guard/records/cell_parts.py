"""The parts of a cell's result: what was asked for, coded, checked, predicted and judged.

Each field has the name of its key in the results file. A number that was not measured is None, never 0. Scores and
drops are points (0 to 100), rates are bits per pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.records.slices import SliceResult
from compress_guard.records.texts import settle_texts
from compress_guard.records.vocabulary import Bits, CleanReference, Correction, Orientation


@dataclass(frozen=True, slots=True)
class CellPart:
    """Base of the parts. It makes their texts printable."""

    def __post_init__(self) -> None:
        settle_texts(self)


@dataclass(frozen=True, slots=True)
class CodedRate(CellPart):
    """Rate of the coded images.

    The figures are over the images used once there is a score, and over all of the plan where a cell stopped early.
    """

    bpp_mean: float | None = None
    """Mean of the images' bpp."""
    bpp_pooled: float | None = None
    """All bits / all pixels."""
    bpp_se: float | None = None
    """Standard error of bpp_mean over the images."""
    settings: tuple[tuple[float, int], ...] = ()
    """Each setting with the number of images coded at it."""
    steps: tuple[tuple[str, float], ...] = ()
    """Each coded step of a pipeline, in its order, with the mean bits of its files per pixel of the source."""
    mixed: bool = False
    """Two settings more than 15 % apart in mean rate share the target."""
    off_target: int | None = None
    """Images at the codec's floor or ceiling that miss the target by more than the tolerance."""
    floor_bpp: float | None = None
    """For an unreachable target: the lowest mean rate of the codec (dataset mode), or the highest floor among the
    images that are stuck (image mode)."""
    metadata_images: int | None = None
    """Images whose streams hold an ICC profile or EXIF of their source; None for a codec that keeps neither."""
    metadata_bpp: float | None = None
    """Part of `bpp_mean` that these blocks take, without their headers."""


@dataclass(frozen=True, slots=True)
class CodecUsed(CellPart):
    """The codec that coded the cell."""

    bits: Bits | None = None
    """``coded`` if rates count real streams, ``estimated`` if they come from likelihoods."""
    codec_version: str | None = None
    codec_device: str | None = None
    """Device on which the codec worked, in the form of `CellResult.device`."""
    codec_remark: str | None = None
    """A remark of the codec on this device, such as a GPU path that it had to leave."""


@dataclass(frozen=True, slots=True)
class EstimateCheck(CellPart):
    """A codec's forward pass, compared with real streams of a few images."""

    bits_difference: float | None = None
    """Estimated bits / coded bits - 1 of the checked image for which they are furthest apart."""
    bits_checked: int | None = None
    """Images of the guard that were coded for real beside the forward pass; None for codecs without one."""
    reconstruction_difference: int | None = None
    """Largest difference, in levels, between those streams decoded and the forward reconstruction."""


@dataclass(frozen=True, slots=True)
class CellTerms(CellPart):
    """Terms of the cell, from the thresholds file and the command line."""

    rate_tolerance: float | None = None
    """Largest relative distance from the target rate that counts as met: 0.02 is 2 %; None without a target rate."""
    limit: int | None = None
    """Largest number of images allowed; None: all."""
    max_drop: float | None = None
    min_score: float | None = None
    target_quality: float | None = None
    """Setting of the codec that all images are coded at; None with a target rate, or with nothing to choose."""
    max_decoder_drop: float | None = None
    """Allowed drop against the first decoder, in a cell that compares decoders."""
    max_regression: float | None = None
    """Allowed fall of the compressed score below that of the baseline."""
    min_clean: float | None = None
    """Least clean score. None: a model that knows nothing is an error; 0: not even such a model is."""
    traffic: float | None = None
    """Share of production that the cell stands for, 0 to 1."""
    doubts: tuple[str, ...] = ()
    """Sentences on what makes a limit of the cell mean little; they fail it in a strict run."""
    correction: Correction = "none"
    """Correction that `CellResult.confidence` includes."""
    reference: CleanReference = "source"
    """Pictures of the clean side: the sources, or these as the codec scales and crops them, without coding."""
    waived: str | None = None
    """Reason of the waiver that turned the failure of the cell into a skip; None for every other outcome."""
    waived_until: str | None = None
    """Last day of the waiver that names the cell, ``2026-12-31``, whether it was needed or not."""


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
class Scores(CellPart):
    """Scores of the cell, and the drop between them."""

    clean_score: float | None = None
    score: float | None = None
    drop: float | None = None
    drop_low: float | None = None
    drop_high: float | None = None
    score_low: float | None = None
    """Lower end of the score's confidence interval; only with a min_score to judge by it."""
    score_high: float | None = None
    """Upper end of the score's interval."""


@dataclass(frozen=True, slots=True)
class CleanScore(CellPart):
    """The clean score, judged by itself: does the model know anything?"""

    clean_low: float | None = None
    """Lower end of the clean score's confidence interval; only with a min_clean to judge by it."""
    clean_high: float | None = None
    """Upper end of the clean score's interval."""
    clean_remark: str | None = None
    """Reason why it is unknown if the model knows anything: too few images, or a sentence with `UNTOLD`; None if it
    is known, or with a min_clean."""


@dataclass(frozen=True, slots=True)
class Precision(CellPart):
    """Precision of the drop: its confidence, and what the images can resolve."""

    interval_confidence: float | None = None
    """Confidence of the drop's own interval; more than `CellResult.confidence` if looks before the last image had a
    part of the error."""
    stopped_early: bool = False
    """The verdict was certain before all images were used; `images_used` is the number that it took."""
    resolvable_drop: float | None = None
    """Smallest distance between drop and limit that so many images tell apart four times in five: assuming that 5 % of
    the predictions flip, or once the drop has an interval, from that."""
    unseen_drop: float | None = None
    """The drop if the model found nothing in as many images like these as may exist though none was among those used;
    None for metrics with flags, whose interval covers it."""
    images_needed: int | None = None
    """Approximate number of images that would settle an inconclusive verdict; None where none would."""
    groups_needed: int | None = None
    """Number of groups with so many images, of the present mean size; None if the guard has no groups."""
    design_effect: float | None = None
    """Images that tell as much about the drop as one that stands alone; None without flags or groups."""


@dataclass(frozen=True, slots=True)
class LossFigures(CellPart):
    """Images and slices that the drop comes from."""

    changed: int | None = None
    """Images whose evidence compression changed."""
    harmful_flips: int | None = None
    """Images that are right when clean and wrong when compressed; None for metrics without flags."""
    helpful_flips: int | None = None
    worst: tuple[tuple[str, float], ...] = ()
    """The first few images that cost the score most: id and the points of the drop that come from it."""
    slices: tuple[SliceResult, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceFigures(CellPart):
    """Source images that were lossily coded files already."""

    source_bpp: float | None = None
    """Mean bpp of these files."""
    lossy_sources: int | None = None
    """Number of them among the images looked at; None if the data does not tell."""
    sources_looked: int | None = None
    """Images whose origin the data told, all or a seeded sample."""


@dataclass(frozen=True, slots=True)
class ControlFigures(CellPart):
    """Lossless control: images whose predictions must not change."""

    control_images: int | None = None
    """Images that went through a lossless codec and the model, to the same predictions as the clean ones."""
    control_changed: int | None = None
    """Number of them that were predicted otherwise."""
    control_mixed: int | None = None
    """Clean predictions of these images in batches of other neighbours; None where none could be mixed."""
    control_mixed_changed: int | None = None
    """Number of these that differ from before."""


@dataclass(frozen=True, slots=True)
class DecoderSwap(CellPart):
    """The same streams, decoded by a second decoder."""

    swap_decoder: str | None = None
    """The second decoder that `swap_score` rests on."""
    swap_score: float | None = None
    """The compressed score with the streams decoded by it; the drop moves by as much as the score."""


@dataclass(frozen=True, slots=True)
class DecoderComparison(CellPart):
    """The decoder of the images and, in a cell that compares decoders, what it does to the score."""

    decoder: str | None = None
    """Name of the decoder; None where the guard names no decoders."""
    decoder_version: str | None = None
    """Library and version of the decoder."""
    first_decoder: str | None = None
    """Name of the decoder that it is compared with, on the same streams; None in other cells."""
    decoder_drop: float | None = None
    """Score by the first decoder minus the score by this one."""
    decoder_drop_low: float | None = None
    decoder_drop_high: float | None = None
    decoder_difference_max: int | None = None
    """Largest difference in a channel, in levels of 0 to 255, between the pixels of both decoders."""
    decoder_difference_mean: float | None = None
    """Mean over the images of the mean absolute difference between them, in levels."""


@dataclass(frozen=True, slots=True)
class FidelityFigures(CellPart):
    """Decoded images, compared with their sources before the model saw them."""

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


@dataclass(frozen=True, slots=True)
class AgainstBaseline(CellPart):
    """Scores of the images that the run and its baseline both have; None without a baseline."""

    baseline_images: int | None = None
    """Images that both have: the same id, pixels and target; None if they are not compared one by one."""
    baseline_paired: bool | None = None
    """True if the same images are compared one by one, False if only scores are."""
    baseline_score: float | None = None
    """Compressed score of the baseline on these images."""
    regression: float | None = None
    """Fall of the compressed score: that of the baseline minus that of this run, in points."""
    regression_low: float | None = None
    regression_high: float | None = None
    drop_change: float | None = None
    """Drop of this run minus drop of the baseline on the same images, in points."""
    drop_change_low: float | None = None
    drop_change_high: float | None = None
    baseline_remark: str | None = None
    """Reason why the cell is not compared, or not image by image; None where it is."""


@dataclass(frozen=True, slots=True)
class EarlierRuns(CellPart):
    """Evidence of earlier runs on the same store, and what has moved since."""

    codec_moved: str | None = None
    """Version of the codec in the run before this one, if it was another."""
    remembered: int | None = None
    """Images whose evidence (clean, compressed or of controls) an earlier run had left, so that the model was not
    asked; None for a model without a fingerprint."""
    model_moved: bool = False
    """The model with this fingerprint answered the probing batch, or the first batch of a codec's cell, otherwise than
    in an earlier run; nothing of that run was used."""
    decoder_moved: bool = False
    """The codec decoded streams to other pixels than in an earlier run, at the same version."""


@dataclass(frozen=True, slots=True)
class WorkDone(CellPart):
    """Work that this run did for the cell."""

    encodes: float | None = None
    """Encoder calls, weighted by pixels: 1.0 is every image once."""
    check_encodes: int | None = None
    """Images coded beside that to check estimates, in the cell of a codec and guard that was measured first."""
    predictions: int | None = None
    """Images that the model was asked to predict (clean ones and those of controls count where this cell made
    them)."""
    seconds: float | None = None
