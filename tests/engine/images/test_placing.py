"""Images that EXIF turns, with boxes and masks for either way: what tells, what stays open, what is said."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

import compress_guard
from compress_guard.codecs.pictures.orientation import SIDEWAYS, stored_pil
from compress_guard.engine.images.placing import Placing, overshoot
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.errors import DataError
from compress_guard.registry import TASKS

HEIGHT, WIDTH = 48, 80
"""Size of the upright scenes."""
REMEDIES = (
    "orientation: upright (images are turned by EXIF, targets are upright already) or orientation: stored (nothing is "
    "turned)"
)


def with_exif(image, orientation, kind="PNG"):
    """The image as such a file hands it out, opened and not loaded."""
    block, file = Image.Exif(), io.BytesIO()
    if orientation != 1:
        block[0x0112] = orientation
    image.save(file, kind, exif=block)
    return Image.open(io.BytesIO(file.getvalue()))


def scene(number, *, height=HEIGHT, width=WIDTH, left=None):
    """An upright picture of a bright rectangle on dark noise, and the rectangle (x1, y1, x2, y2)."""
    noise = np.random.default_rng(number)
    pixels = noise.integers(20, 60, (height, width, 3)).astype(np.uint8)
    left = int(noise.integers(2, width - 24)) if left is None else left
    top = int(noise.integers(2, height - 16))
    pixels[top : top + 12, left : left + 20] = 230
    return Image.fromarray(pixels), (left, top, left + 20, top + 12)


def mask_of(box, size):
    mask = np.zeros((size[1], size[0]), np.uint8)
    x1, y1, x2, y2 = box
    mask[y1:y2, x1:x2] = 1
    return Image.fromarray(mask)


def as_stored(mask, orientation):
    """A mask of the upright scene as it lies on the stored one."""
    return stored_pil(mask, orientation)


def box_of(mask):
    rows, columns = np.nonzero(np.asarray(mask))
    return [float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)]


def rows_of(task, orientations, meant, **scenes):
    """A data set whose images have these orientations, and targets that are meant for the upright or the stored one."""
    rows = []
    for number, orientation in enumerate(orientations):
        image, box = scene(number, **scenes)
        mask = mask_of(box, image.size)
        mask = mask if meant == "upright" else as_stored(mask, orientation)
        target = (
            np.asarray(mask)
            if task == "segmentation"
            else {"boxes": torch.tensor([box_of(mask)]), "labels": torch.tensor([1])}
        )
        rows.append((with_exif(stored_pil(image, orientation), orientation), target, f"s{number}"))
    return rows


def finder(task):
    """A model that finds the bright rectangle."""

    def answer(image):
        bright = (image.float().mean(0) > 140).long()
        if task == "segmentation":
            return bright
        return {
            "boxes": torch.tensor([box_of(bright)]),
            "scores": torch.tensor([0.9]),
            "labels": torch.tensor([1]),
        }

    return lambda images: [answer(image) for image in images]


def measured(task, rows, **wanted):
    wanted = {"codec": "webp", "bpp": 2.0, "device": "cpu", "workers": 1, **wanted}
    return compress_guard.measure(finder(task), rows, task=task, **wanted)


TASK = pytest.mark.parametrize("task", ["detection", "segmentation"])
MEANT = pytest.mark.parametrize("meant", ["upright", "stored"])


@TASK
@MEANT
def test_what_the_guard_says_holds_for_all_eight(task, meant) -> None:
    result = measured(task, rows_of(task, range(1, 9), meant), orientation=meant)
    assert result.clean_score == pytest.approx(100)
    assert (result.orientation, result.turned) == (meant, 7 if meant == "upright" else 0)


@TASK
@MEANT
@pytest.mark.parametrize("orientation", sorted(SIDEWAYS))
def test_targets_tell_where_the_sides_differ(task, meant, orientation) -> None:
    # Of the boxes of orientations that swap the sides some lie within both images.
    orientations = [orientation] * 8 + [1, 2, 3, 4]
    result = measured(task, rows_of(task, orientations, meant))
    assert result.clean_score == pytest.approx(100)
    assert (result.orientation, result.turned) == (meant, 11 if meant == "upright" else 0)


@TASK
@MEANT
def test_a_plain_loop_has_the_same_answers(task, meant) -> None:
    rows = rows_of(task, [6, 5, 7, 8, 6, 3, 1], meant)
    seen = []

    def model(images):
        seen.extend(images)
        return finder(task)(images)

    compress_guard.measure(model, rows, task=task, codec="webp", bpp=2.0, device="cpu", workers=1)
    plain = [np.asarray(ImageOps.exif_transpose(image) if meant == "upright" else image) for image, _, _ in rows]
    for shown, expected in zip(seen, plain, strict=False):
        assert np.array_equal(shown.permute(1, 2, 0).numpy(), expected)


OPEN = {
    "flips and half turns": ([2, 3, 4, 1], {}),
    "squares": ([6, 5, 8, 1], {"height": 64, "width": 64}),
}


@TASK
@MEANT
@pytest.mark.parametrize("name", OPEN)
def test_what_nothing_tells_is_an_error_that_counts_and_names_both_remedies(task, meant, name) -> None:
    orientations, scenes = OPEN[name]
    rows = rows_of(task, orientations, meant, **scenes)
    with pytest.raises(DataError) as caught:
        measured(task, rows)
    assert str(caught.value) == (
        "EXIF turns 3 images whose targets fit the upright image and the image as stored alike (the first: s0); "
        f"expected a mask's size or a box that tells which is meant; set {REMEDIES}"
    )
    assert measured(task, rows, orientation=meant).clean_score == pytest.approx(100)


def test_boxes_that_fit_both_ways_leave_it_open() -> None:
    rows = rows_of("detection", [6, 6, 1], "upright", left=10)
    with pytest.raises(DataError, match=r"^EXIF turns 2 images whose targets fit .* alike"):
        measured("detection", rows)


def test_one_image_that_tells_is_enough_whatever_stands_before_it() -> None:
    rows = rows_of("detection", [6, 2, 3, 6, 4], "stored", left=10)
    rows += [(image, target, "told") for image, target, _ in rows_of("detection", [8], "stored", left=56)]
    result = measured("detection", rows)
    assert result.clean_score == pytest.approx(100)
    assert (result.orientation, result.turned) == ("stored", 0)


@TASK
def test_images_that_contradict_one_another_are_an_error_with_both_counts(task) -> None:
    # To the right of an upright image, and at the bottom of the stored one.
    one, other = rows_of(task, [6, 6, 6], "upright", left=56), rows_of(task, [6], "stored", left=4)
    with pytest.raises(DataError) as caught:
        measured(task, one + [(image, target, "odd") for image, target, _ in other[:1]])
    assert str(caught.value) == (
        "EXIF turns 4 images, and their targets disagree: those of 3 fit the upright image only (the first: s0), those "
        f"of 1 the image as stored only (the first: odd); expected one way for the whole data set; mend the targets, "
        f"or set {REMEDIES}"
    )


def test_an_image_without_anything_to_place_is_not_open() -> None:
    rows = rows_of("detection", [1, 1], "upright")
    empty = {"boxes": torch.zeros(0, 4), "labels": torch.zeros(0, dtype=torch.int64)}
    rows += [(with_exif(stored_pil(scene(9)[0], 3), 3), empty, "empty")]
    found = survey(
        Samples(SampleReader(rows, TASKS.resolve("detection")().target, placing=Placing(TASKS.resolve("detection")())))
    )
    assert (found.intake.turned, found.intake.orientation) == (1, "upright")
    rows = rows_of("segmentation", [1, 1], "upright")
    rows += [(with_exif(stored_pil(scene(9)[0], 3), 3), np.full((HEIGHT, WIDTH), 255, np.uint8), "ignored")]
    assert measured("segmentation", rows).turned == 1


def test_classification_turns_and_counts() -> None:
    rows = [(with_exif(stored_pil(scene(at)[0], turn), turn), 0) for at, turn in enumerate([1, 6, 3, 8, 1])]
    shown = []

    def model(images):
        shown.extend(tuple(image.shape[1:]) for image in images)
        return [torch.tensor([1.0, 0.0]) for _ in images]

    def run(**wanted):
        shown.clear()
        return compress_guard.measure(
            model, rows, task="classification", codec="webp", min_clean=0, bpp=2.0, device="cpu", **wanted
        )

    result = run()
    assert (result.turned, result.orientation) == (3, "upright")
    assert set(shown) == {(HEIGHT, WIDTH)}
    result = run(orientation="stored")
    assert (result.turned, result.orientation) == (0, "stored")
    assert set(shown) == {(HEIGHT, WIDTH), (WIDTH, HEIGHT)}
    assert run(limit=None, orientation="upright").turned == 3


def test_sets_without_a_turn_have_none() -> None:
    result = measured("detection", rows_of("detection", [1] * 4, "upright"))
    assert (result.turned, result.orientation) == (0, None)


def test_a_mask_of_neither_size_is_its_images_error_with_both_sizes() -> None:
    rows = rows_of("segmentation", [6, 1, 1], "upright")
    rows[0] = (rows[0][0], np.zeros((50, 80), np.uint8), "odd")
    with pytest.raises(DataError) as caught:
        measured("segmentation", rows)
    assert str(caught.value) == (
        "1 of 3 images failed, allowed by max_error_share 0: 0; the first: sample 0 (id odd): target of a 3x48x80 "
        "image is a numpy array of shape (50, 80); expected an integer label map of shape (48, 80), the image's height "
        "and width; give every pixel of the image its label"
    )
    assert measured("segmentation", rows, max_error_share=0.4).errors == 1


@MEANT
def test_a_mask_that_fits_the_other_way_says_so(meant) -> None:
    other = "stored" if meant == "upright" else "upright"
    rows = rows_of("segmentation", [6, 1, 1], other)
    with pytest.raises(DataError) as caught:
        measured("segmentation", rows, orientation=meant)
    (height, width), how = ((80, 48), "as its file stores it") if meant == "upright" else ((48, 80), "as EXIF turns it")
    assert str(caught.value).endswith(
        f"target of a 3x{width}x{height} image is a numpy array of shape ({height}, {width}); expected an integer "
        f"label map of shape ({width}, {height}), the image's height and width; it has width and height the other way "
        f"round: transpose it, or turn what is not yet upright; the image {how} is 3x{height}x{width}, which fits: see "
        "the key orientation"
    )


@given(st.integers(1, 8), st.sampled_from(["upright", "stored"]), st.sampled_from(["PNG", "TIFF"]))
@settings(deadline=None)
def test_a_mask_with_exif_of_its_own_is_turned_with_its_image(orientation, wanted, kind) -> None:
    image, box = scene(orientation)
    mask = mask_of(box, image.size)
    row = (
        with_exif(stored_pil(image, orientation), orientation, kind),
        with_exif(stored_pil(mask, orientation), orientation, kind),
    )
    task = TASKS.resolve("segmentation")()
    sample = Samples(SampleReader([row], task.target, placing=Placing(task, wanted)))[0]
    found = (sample.image.float().mean(0) > 140).numpy()
    assert np.array_equal(found, sample.target["labels"] == 1)
    assert sample.size == ((HEIGHT, WIDTH) if wanted == "upright" or orientation not in SIDEWAYS else (WIDTH, HEIGHT))


def test_a_mask_that_alone_carries_a_turn_is_asked_for() -> None:
    image, box = scene(0)
    rows = [(image, with_exif(mask_of(box, image.size), 3), "a")]
    with pytest.raises(DataError, match=r"^EXIF turns 1 image whose target fits .* alike"):
        measured("segmentation", rows)
    assert measured("segmentation", rows, orientation="stored").clean_score == pytest.approx(100)


def test_a_turned_tiff_may_be_used_as_stored() -> None:
    image, box = scene(0, left=4)
    mask = as_stored(mask_of(box, image.size), 6)
    target = {"boxes": torch.tensor([box_of(mask)]), "labels": torch.tensor([1])}
    rows = [(with_exif(stored_pil(image, 6), 6, "TIFF"), target)]
    assert measured("detection", rows).orientation == "stored"


class Reads:
    """A data set that counts reads, and opens images anew each time."""

    def __init__(self, rows):
        self.rows, self.reads = rows, 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        self.reads += 1
        return self.rows[index]


@pytest.mark.usefixtures("untimed_second_look")
def test_images_are_read_again_only_where_they_were_read_the_other_way() -> None:
    task = TASKS.resolve("segmentation")()

    def reads(orientations, meant):
        data = Reads(rows_of("segmentation", orientations, meant))
        survey(Samples(SampleReader(data, task.target, placing=Placing(task))), task.classes)
        return data.reads

    # At last all four are read a second time, to see whether they are the same.
    assert reads([1, 6, 3, 1], "upright") == 4 + 4
    assert reads([1, 6, 6, 1], "stored") == 4 + 4
    assert reads([1, 6, 3, 1], "stored") == 5 + 4


def test_a_smaller_limit_does_not_depend_on_a_larger_one() -> None:
    from compress_guard.engine.images.subsets import ReadingOptions
    from compress_guard.engine.prediction.subject import Subject

    rows = rows_of("detection", [2] * 6, "stored") + [
        (image, target, f"t{at}")
        for at, (image, target, _) in enumerate(rows_of("detection", [6] * 6, "stored", left=4))
    ]

    def found(limits):
        subject = Subject("detection", lambda: None, lambda: rows, ReadingOptions(0), device="cpu")
        answers: dict[int, object] = {}
        for limit in limits:
            try:
                answers[limit] = subject.subset(limit).survey.digests
            except DataError as problem:
                answers[limit] = str(problem)
        return answers

    assert found([None, 8, 3, 1]) == found([1, 3, 8, None])
    assert found([None]) == {None: found([8, None])[None]}


SPAN = st.tuples(st.integers(-50, 200), st.integers(-50, 200)).map(sorted)


@given(SPAN, SPAN, st.tuples(st.integers(1, 100), st.integers(1, 100)))
def test_an_overshoot_is_how_far_clipping_moves_a_corner(across, down, size) -> None:
    corners = np.array([across, down]).T
    moved = np.abs(np.clip(corners, 0, size[::-1]) - corners).max()
    (x1, y1), (x2, y2) = corners.tolist()
    assert max(overshoot((x1, y1, x2, y2), size), 0) == moved


def test_an_orientation_that_is_none_is_refused() -> None:
    message = "orientation is 'sideways'; expected 'upright', 'stored' or None"
    with pytest.raises(compress_guard.errors.OptionError, match=f"^{re.escape(message)}$"):
        measured("detection", [], orientation="sideways")
