"""Scores of a cell: the drop and its precision, the images that it comes from, and the distance from a baseline."""

from __future__ import annotations

from dataclasses import dataclass

from compress_guard.records.cell_parts.part import CellPart
from compress_guard.records.named import ClassScore, NamedImage
from compress_guard.records.slices import SliceResult


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
    worst_images: tuple[NamedImage, ...] = ()
    """The images of `worst`, in its order, with their names and classes; empty in results of older versions."""
    names_remark: str | None = None
    """Reason why images or classes have no names although the data gives some; None where there is none."""
    class_scores: tuple[ClassScore, ...] = ()
    """Scores of the classes that the score is a mean over, by label; the hundred that lost most if there are more."""
    slices: tuple[SliceResult, ...] = ()


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
