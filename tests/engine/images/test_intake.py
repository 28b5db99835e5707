"""Boxes that leave their images or are no pixels: counted, told, and beyond a share an error."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

import compress_guard
from compress_guard.codecs.pictures.levels import Levels
from compress_guard.engine.images.intake import Intake
from compress_guard.engine.images.placing import Arrival, Placing
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.errors import DataError
from compress_guard.registry import TASKS

WITHIN = (10.0, 8.0, 40.0, 32.0)


def picture(number, height=48, width=64):
    return torch.randint(0, 256, (3, height, width), generator=torch.Generator().manual_seed(number)).to(torch.uint8)


def target(*boxes):
    return {"boxes": torch.tensor(boxes).reshape(-1, 4), "labels": torch.ones(len(boxes), dtype=torch.int64)}


def intake(*targets, task="detection"):
    chosen = TASKS.resolve(task)()
    rows = [(picture(at), one, f"i{at}") for at, one in enumerate(targets)]
    return survey(Samples(SampleReader(rows, chosen.target, placing=Placing(chosen))), chosen.classes).intake


def refusal(*targets):
    with pytest.raises(DataError) as caught:
        intake(*targets)
    return str(caught.value)


@pytest.mark.parametrize(
    ("box", "outside"),
    [
        ((0.0, 0.0, 64.0, 48.0), 0),
        ((-1.0, -1.0, 65.0, 49.0), 0),
        ((-1.5, 0.0, 5.0, 5.0), 1),
        ((0.0, -1.5, 5.0, 5.0), 1),
        ((5.0, 5.0, 65.5, 6.0), 1),
        ((5.0, 5.0, 6.0, 49.5), 1),
    ],
)
def test_boxes_that_leave_an_image_by_more_than_a_pixel_are_counted(box, outside) -> None:
    found = intake(target(WITHIN, box), *[target(WITHIN)] * 9, target())
    assert found.boxes_outside == outside


def test_images_without_boxes_do_not_count() -> None:
    assert intake(target(), target()).boxes_outside is None
    assert intake(0, 1, task="classification") == Intake(turned=0, orientation=None, boxes_outside=None, flat=0, dark=0)
    assert intake(torch.zeros(48, 64, dtype=torch.int64), task="segmentation").boxes_outside is None


def test_a_tenth_of_the_images_may_have_such_boxes() -> None:
    far = target((50.0, 8.0, 90.5, 32.0))
    assert intake(*[far] * 2, *[target(WITHIN)] * 18, *[target()] * 9).boxes_outside == 2
    assert refusal(*[target(WITHIN)] * 17, far, target(WITHIN), *[target((50.0, 8.0, 80.0, 60.0))] * 2) == (
        "boxes leave 3 of 21 images that have any, the furthest by 26.5 pixels: in image i17 of 64x48 pixels they "
        "reach from (50, 8) to (90.5, 32); expected boxes within their images, but for 10 % of these; look whether "
        "they are (x, y, width, height) or (y1, x1, y2, x2), or belong to the image in another size or orientation "
        "(see the key orientation), hand over (x1, y1, x2, y2) in pixels of the image, and clip boxes that are right "
        "but for an edge"
    )


def test_where_the_guard_sets_the_orientation_that_comes_first() -> None:
    far = {
        str(at): Arrival(Levels("RGB", 0, 255, None, False), 6, "stored", None, (50.0, 8.0, 90.0, 32.0), (48, 64))
        for at in range(3)
    }
    with pytest.raises(DataError) as found:
        Intake.of(far)
    assert str(found.value) == (
        "boxes leave 3 of 3 images that have any, the furthest by 26 pixels: in image 0 of 64x48 pixels they reach "
        "from (50, 8) to (90, 32); expected boxes within their images, but for 10 % of these; EXIF turns some of these "
        "images, which were read as orientation: stored; try orientation: upright first, then look whether they are "
        "(x, y, width, height) or (y1, x1, y2, x2), or belong to the image in another size; hand over (x1, y1, x2, y2) "
        "in pixels of the image, and clip boxes that are right but for an edge"
    )


def test_a_single_image_among_few_is_no_share_and_all_images_are() -> None:
    far = target((50.0, 8.0, 90.0, 32.0))
    assert intake(far, *[target(WITHIN)] * 3).boxes_outside == 1
    assert refusal(far).startswith("boxes leave 1 of 1 images that have any, the furthest by 26 pixels: ")


@pytest.mark.parametrize("name", ["y first", "of an image of twice the size", "of the upright image"])
def test_kinds_of_boxes_that_are_meant_otherwise(name) -> None:
    def meant(at):
        x1, y1 = 34.0 + at, 3.0 + at
        return {
            "y first": (y1, x1, y1 + 12, x1 + 20),
            "of an image of twice the size": (2 * x1, 2 * y1, 2 * x1 + 40, 2 * y1 + 24),
            "of the upright image": (48 - y1 - 12, x1, 48 - y1, x1 + 20),
        }[name]

    assert refusal(*[target(meant(at)) for at in range(8)]).startswith("boxes leave ")


def test_boxes_that_are_shares_of_the_image() -> None:
    shares = [target((0.1, 0.2, 0.5 + 0.05 * at, 0.9), (0.0, 0.0, 1.0, 1.0)) for at in range(9)]
    assert refusal(*shares, target()) == (
        "all boxes of 9 images lie within 0 to 1; expected (x1, y1, x2, y2) in pixels; multiply x by the width and y "
        "by the height of the image, and make corners of centres and sizes"
    )
    assert intake(*shares, target(WITHIN)).boxes_outside == 0


def test_tiny_images_may_have_tiny_boxes() -> None:
    chosen = TASKS.resolve("detection")()
    rows = [(picture(0, 4, 6), target((0.0, 0.0, 1.0, 1.0)))]
    assert survey(Samples(SampleReader(rows, chosen.target, placing=Placing(chosen)))).intake.boxes_outside == 0


def test_a_guard_counts_and_a_guard_refuses() -> None:
    def model(images):
        found = {"boxes": torch.tensor([WITHIN]), "scores": torch.tensor([0.9]), "labels": torch.tensor([1])}
        return [found for _ in images]

    def measured(*targets):
        rows = [(picture(at), one) for at, one in enumerate(targets)]
        return compress_guard.measure(model, rows, task="detection", codec="webp", bpp=4.0, device="cpu", workers=1)

    slip = target((50.0, 8.0, 70.0, 32.0))
    assert measured(slip, *[target(WITHIN)] * 9).boxes_outside == 1
    with pytest.raises(DataError, match="^boxes leave 2 of 3 images that have any"):
        measured(slip, slip, target(WITHIN))


def test_pictures_of_one_colour_are_counted() -> None:
    rows = [(torch.full((3, 8, 9), 40 + 50 * at, dtype=torch.uint8), 0) for at in range(3)] + [(picture(0), 0)]
    assert survey(Samples(SampleReader(rows, lambda raw, size: raw))).intake.flat == 3


def test_dark_pictures_are_counted_by_what_their_mode_holds() -> None:
    rows = [(picture(0) // 32, 0), (picture(1), 0), (torch.zeros(3, 8, 8, dtype=torch.uint8), 0)]
    rows += [(Image.fromarray(np.full((4, 5), level, np.uint16)), 0) for level in (4095, 16383, 16384, 65535)]
    rows += [(Image.fromarray(np.full((4, 5), level, np.float32)), 0) for level in (0.5, 200)]
    assert survey(Samples(SampleReader(rows, lambda raw, size: raw))).intake.dark == 5


def test_what_was_refused_is_not_read_again() -> None:
    from compress_guard.engine.images.subsets import ReadingOptions
    from compress_guard.engine.prediction.subject import Subject

    class Data:
        reads = 0

        def __len__(self):
            return 3

        def __getitem__(self, index):
            Data.reads += 1
            return picture(index), target((50.0, 8.0, 90.0, 32.0))

    subject = Subject("detection", lambda: None, Data, ReadingOptions(0), device="cpu")
    for _ in range(2):
        with pytest.raises(DataError, match="^boxes leave 3 of 3 images"):
            subject.subset(None)
    assert Data.reads == 3
