"""The warnings before the first cell: what they say of metrics with flags, and that they say nothing of others."""

from __future__ import annotations

import pytest

from compress_guard.engine.cells.judging import Judging
from compress_guard.engine.cells.resolution import expectations
from compress_guard.engine.images.survey.record import Survey
from compress_guard.records import Cell, CodecSpec, Guard, ImageInfo, Rate, SliceLimit
from compress_guard.registry import TASKS

HELD = (0.95, 0.95)
NIGHT = ("weather", "night")


@pytest.fixture
def survey():
    """Return a function that makes a survey of images, some of them in the slice weather=night."""

    def make(images, night=0):
        infos = tuple(ImageInfo(f"image {at}", 64) for at in range(images))
        slices = tuple({"weather": ("night",)} if at < night else {} for at in range(images))
        return Survey(tuple(range(images)), infos, (b"",) * images, (), slices)

    return make


def cell(max_drop, bpp=1.0, **fields):
    return Cell("photos", CodecSpec("jpeg", "jpeg"), Rate(bpp), max_drop, None, None, 1, **fields)


def test_limits_that_the_images_cannot_hold_come_with_their_reason_and_the_number_that_can(survey):
    cells = {cell(2.0): HELD, cell(2.5, 2.0): HELD, cell(30.0, 0.1): HELD, cell(None, 0.5): HELD}
    assert list(expectations("photos", cells, survey(50), 12.345)) == [
        "photos: with 50 images a drop must be 12.3 points away from its limit to be decided (5 % of the predictions "
        "flipping)",
        "WARNING: photos: 50 images are too few for a max_drop unless compression puts predictions right: where none "
        "changes, the 95 % interval of the drop reaches 7.1, allowed 2.0 to 2.5; it takes 150 to 189 images, or a "
        "higher max_drop",
    ]


def test_of_a_metric_without_flags_nothing_is_said_before_it_is_measured(survey):
    """The limit of 5.6 points on 64 images that the bundled detector holds."""
    limited = cell(5.6, slice_limits=(SliceLimit(*NIGHT, 1.0),))
    assert list(expectations("detector", {limited: HELD}, survey(64, night=10), None)) == []


def test_limits_of_slices_are_held_against_the_images_of_the_slice(survey):
    limited = cell(30.0, slice_limits=(SliceLimit(*NIGHT, 5.0),))
    _, warning = expectations("photos", {limited: (0.975, 0.975)}, survey(200, night=1), 4.0)
    assert warning.startswith(
        "WARNING: photos, slice weather=night: 1 image is too few for a max_drop unless compression puts predictions "
        "right: where none changes, the 97.5 % interval of the drop reaches "
    )


def test_a_drop_of_nothing_cannot_be_shown(survey):
    _, warning = expectations("photos", {cell(0.0): HELD}, survey(50), 4.0)
    assert warning.endswith("allowed 0.0; no number of images could; give a higher max_drop")


def test_cells_of_different_confidence_have_lines_of_their_own(survey):
    cells = {cell(2.0): HELD, cell(2.0, 2.0): (0.99, 0.99)}
    warnings = list(expectations("photos", cells, survey(50), 4.0))[1:]
    assert [line.split("changes, the ")[1].split(" interval")[0] for line in warnings] == ["95 %", "99 %"]


def test_limits_within_reach_are_not_warned_of(survey):
    assert len(list(expectations("photos", {cell(30.0): HELD}, survey(50), 4.0))) == 1


@pytest.mark.parametrize(
    ("task", "metric", "known"),
    [
        ("classification", "top1", True),
        ("classification", "top5", True),
        ("detection", "map", False),
        ("segmentation", "miou", False),
        ("segmentation", "pixel_accuracy", False),
    ],
)
def test_what_can_be_said_before_measuring_hangs_on_the_metric(task, metric, known):
    guard = Guard("photos", task, metric, "", "", (cell(2.0),))
    expected = Judging(guard, TASKS.resolve(task)(), 0).expected(64, 0.95)
    assert (expected is not None) == known
