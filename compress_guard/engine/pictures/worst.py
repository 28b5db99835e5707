"""The images that cost a cell most, side by side: each is decoded and predicted once more, and drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from compress_guard.engine.pictures import drawing
from compress_guard.engine.pictures.kept import WorstImage
from compress_guard.engine.prediction.batches import Batch, clean_batch, coded_batch
from compress_guard.engine.prediction.shards import Shard

if TYPE_CHECKING:
    from compress_guard.engine.coding.coder import Coder
    from compress_guard.engine.images.sample import Sample
    from compress_guard.engine.prediction.clean.side import CleanSide
    from compress_guard.records import Geometry, NamedImage, PlannedRate
    from compress_guard.tasks.contract import Arrays

MOST_IMAGES: Final = 3
"""Images of a cell that fails or is undecided; other cells have one."""

_Answered = dict[str, tuple[Batch, int, "Arrays"]]
"""A batch, the place in it, and the answer, by the image."""


def worst_images(
    clean: CleanSide,
    limit: int | None,
    coder: Coder,
    planned: PlannedRate,
    worst: Sequence[tuple[NamedImage, float]],
) -> tuple[WorstImage, ...]:
    """Return pictures of these images, given by their ids and points; images that cannot be coded again are left out.

    The model is asked once for the clean and once for the coded images. Raises what the model and the data raise.
    """
    subject, shown = clean.subject, clean.view(limit)
    places = {info.id: at for at, info in enumerate(coder.survey.infos)}
    positions = [places[image.id] for image, _ in worst if image.id in places]
    classes = subject.names(limit).classes
    device = subject.device
    before = _answered(clean, clean_batch(shown.samples, shown.survey, positions, device))
    after = _answered(clean, coded_batch(coder, planned, positions, device, None))
    return tuple(
        replace(
            _image(coder.source(places[image.id]), classes, before[image.id], after[image.id]),
            points=points,
            name=image.name or "",
        )
        for image, points in worst
        if image.id in before and image.id in after
    )


def _answered(clean: CleanSide, batch: Batch) -> _Answered:
    """Return the model's answer to each image of a batch."""
    shard = Shard(lambda: batch, batch.ids, "", "pictures")
    images = [image.clone() for image in batch.images]  # a model may work in place
    answers = clean.subject.model.predict(shard, batch)
    batch.images[:] = images
    return {name: (batch, at, answer) for at, (name, answer) in enumerate(zip(batch.ids, answers, strict=True))}


def _image(
    source: Sample,
    classes: Mapping[int, str],
    before: tuple[Batch, int, Arrays],
    after: tuple[Batch, int, Arrays],
) -> WorstImage:
    (clean, clean_at, clean_answer), (coded, coded_at, coded_answer) = before, after
    clean_frame, coded_frame = clean.frames[clean_at], coded.frames[coded_at]
    clean_image = drawing.in_frame(clean.images[clean_at], clean_frame)
    coded_image = drawing.in_frame(coded.images[coded_at], coded_frame)
    changed = drawing.taken_for(clean_answer, coded_answer, classes)
    return WorstImage(
        source.id,
        0.0,
        drawing.words(source.target, classes),
        drawing.words(clean_answer, classes),
        "; ".join(filter(None, (drawing.words(coded_answer, classes), changed))),
        (
            drawing.drawn(clean_image, clean_answer, _corner(clean_frame)),
            drawing.drawn(coded_image, coded_answer, _corner(coded_frame)),
            drawing.difference(clean_image, coded_image),
        ),
        truth=drawing.drawn(clean_image, source.target, (0, 0)) if drawing.is_placed(source.target) else b"",
        key=drawing.key((source.target, clean_answer, coded_answer), classes),
    )


def _corner(geometry: Geometry) -> tuple[int, int]:
    """Return the corner (x, y) of the part that a picture shows."""
    left, top, _, _ = geometry.box
    return round(left), round(top)
