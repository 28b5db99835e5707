"""One cell as a report shows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from compress_guard.records import CellResult, phrased
from compress_guard.report import numbers
from compress_guard.report.blocks.cell_texts import between, word
from compress_guard.report.blocks.failed import missed_limits
from compress_guard.report.blocks.wrapping import shortened_name
from compress_guard.report.groups import coded_by
from compress_guard.report.html.advice import advice
from compress_guard.report.html.marks import Tone, is_waived, mark, tone
from compress_guard.report.html.pictures import ImageView
from compress_guard.report.rerun import pytest_command


@dataclass(frozen=True, slots=True)
class CellView:
    """Texts of one cell."""

    anchor: str
    id: str
    name: str
    """Codec and operating point: ``jpeg at 0.25 bpp``."""
    tone: Tone
    mark: str
    waived: bool
    """True for a known failure that a waiver names."""
    number: str
    """The drop, or the word in its place."""
    interval: str
    limit: str
    reason: str
    since: str
    """Sentence on the score of the baseline; empty without one."""
    places: str
    """Lines of the thresholds file with the limits that were missed; empty if they are not known."""
    advice: tuple[str, ...]
    command: str
    facts: tuple[tuple[str, str], ...]
    """Names and values of what else is known."""
    worst: tuple[tuple[str, str, str], ...]
    """Names of the images that cost the score most, the change of the predicted class if it is known, and points."""
    worst_share: str
    """Sentence on how much of the drop these images make up; empty without them."""
    images: tuple[ImageView, ...]
    """Views of the worst images that have pictures."""
    classes: tuple[tuple[str, str, str, str], ...]
    """Name of each class, its score clean and compressed, and the change; those that lost most come first."""
    classes_caption: str

    @property
    def hit(self) -> str:
        """Sentence that names the images and classes that lost most; empty if they are not known."""
        worst = [(shortened_name(name, _ROOM), shortened_name(change, 2 * _ROOM)) for name, change, _ in self.worst]
        images = ", ".join(f"{name} ({change})" if change else name for name, change in worst[:_MOST_NAMED])
        lost = [f"{shortened_name(name, _ROOM)} {change}" for name, *_, change in self.classes[:_MOST_NAMED]]
        classes = ", ".join(lost)
        parts = [f"worst images {images}" if images else "", f"worst classes {classes}" if classes else ""]
        text = "; ".join(part for part in parts if part)
        return f"{text[:1].upper()}{text[1:]}." if text else ""

    @classmethod
    def of(
        cls, result: CellResult, anchor: str, guard: Sequence[CellResult], images: tuple[ImageView, ...] = ()
    ) -> CellView:
        """Return the texts of a result; `guard` has the results of its guard."""
        compares = result.first_decoder is not None
        drop, limit = (result.decoder_drop, result.max_decoder_drop) if compares else (result.drop, result.max_drop)
        ends = (result.decoder_drop_low, result.decoder_drop_high) if compares else (result.drop_low, result.drop_high)
        return cls(
            anchor,
            result.id,
            phrased(coded_by(result), result.point),
            tone(result),
            mark(result),
            is_waived(result),
            word(result) if drop is None else numbers.points(drop),
            between(*ends),
            "" if limit is None else numbers.limit(limit),
            result.reason,
            _since(result),
            missed_limits(result),
            tuple(advice(result, guard)),
            pytest_command(result),
            tuple(_facts(result)),
            tuple((image.shown, image.change or "", f"{points:.2f}") for image, points in result.named_worst),
            _worst_share(result),
            images,
            tuple(_classes(result)),
            f"{_of_a_class(result.metric)} of each class on the same images, in points",
        )


_ROOM: Final = 60
"""Most characters of a name in the head of a report."""
_MOST_NAMED: Final = 3
"""Most images and classes that the head of a report names."""


def _of_a_class(metric: str) -> str:
    """Return the name that a mean over classes has for one class: ``IoU``, ``AP_50``."""
    return "IoU" if metric == "miou" else metric.replace("map", "AP", 1)


def _classes(result: CellResult) -> Iterator[tuple[str, str, str, str]]:
    for each in sorted(result.class_scores, key=lambda each: each.score - each.clean):
        change = numbers.signed(each.score - each.clean)
        yield each.shown, numbers.points(each.clean), numbers.points(each.score), change


def _since(result: CellResult) -> str:
    """Return ``In the baseline the score was 80.1; now it is 3.4 lower (2.0 to 4.8).``, so that nobody asks when."""
    if result.baseline_score is None or result.regression is None:
        return ""
    ends = between(result.regression_low, result.regression_high)
    change = f"{numbers.points(abs(result.regression))} {'higher' if result.regression < 0 else 'lower'}"
    certain = f"; the interval of the fall is {ends}" if ends else ""
    return f"In the baseline the score was {numbers.points(result.baseline_score)}: now it is {change}{certain}."


def _worst_share(result: CellResult) -> str:
    """Return ``Together 3.3 of the 22.2 points; 100 images changed.``, so that nobody takes a few images for all."""
    if not result.worst or result.drop is None or result.changed is None:
        return ""
    share = numbers.points(sum(points for _, points in result.worst))
    changed = numbers.count(result.changed, "image")
    return f"Together {share} of the {numbers.points(result.drop)} points; {changed} changed."


def _facts(result: CellResult) -> Iterator[tuple[str, str]]:
    """Yield the names and values of the figures that there are."""
    if result.clean_score is not None and result.score is not None:
        yield f"{result.metric} clean", numbers.points(result.clean_score)
        yield f"{result.metric} compressed", numbers.points(result.score)
    if result.waived is not None:
        yield "waived", f"{result.waived}, until {result.waived_until}"
    if result.regression is not None:
        fell = between(result.regression_low, result.regression_high)
        yield "score below the baseline", f"{numbers.points(result.regression)}{f' ({fell})' if fell else ''}"
    if result.score_low is not None:
        yield "interval of the score", between(result.score_low, result.score_high)
    if result.min_score is not None:
        yield "min_score", numbers.limit(result.min_score)
    if result.images_used is not None:
        yield "images", f"{result.images_used}"
    if result.groups is not None:
        yield "groups", f"{result.groups}"
    if result.errors:
        yield "images that failed", f"{result.errors}: {', '.join(result.error_ids)}"
    if result.changed is not None:
        yield "images that changed", f"{result.changed}"
    if result.harmful_flips is not None and result.helpful_flips is not None:
        yield "newly wrong", f"{result.harmful_flips}"
        yield "newly right", f"{result.helpful_flips}"
    if result.psnr_mean is not None:
        yield "mean PSNR", f"{result.psnr_mean:.1f} dB"
    if result.confidence is not None:
        yield "confidence", numbers.percent(result.confidence)
    for doubt in result.doubts:
        yield "doubt", doubt
    yield "device", result.device
