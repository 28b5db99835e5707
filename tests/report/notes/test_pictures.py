"""The report on images and targets as the data set gave them."""

from __future__ import annotations

from compress_guard.report import plain
from compress_guard.report.notes.lines import notes


def told(results):
    return plain(notes(results)).splitlines()


def style(results):
    return [style for line in notes(results) for _, style in line]


def test_turned_images_are_told_once_a_guard(cell):
    found = [cell("jpeg", bpp, drop=1.0, turned=12, orientation="upright") for bpp in (1, 2)]
    assert told(found) == [
        "photos: 12 of 200 images were turned upright by EXIF; orientation: stored leaves them as they are"
    ]
    assert style(found) == ["light"]


def test_images_that_were_left_as_stored_are_told(cell):
    found = [cell("jpeg", 1, drop=1.0, turned=0, orientation="stored")]
    assert told(found) == ["photos: images that EXIF turns were left as stored; orientation: upright turns them"]
    assert style(found) == ["light"]


def test_boxes_outside_are_a_warning(cell):
    found = [cell("jpeg", bpp, drop=1.0, boxes_outside=3) for bpp in (1, 2)]
    assert told(found) == [
        "photos: boxes of 3 of 200 images leave them by more than a pixel; clip them to the image, or look whether "
        "they belong to it"
    ]
    assert style(found) == ["yellow"]


def test_pictures_of_one_colour_are_told_where_all_are(cell):
    found = [cell("jpeg", 1, drop=1.0, flat=198, errors=2, error_ids=())]
    assert told(found)[-1] == (
        "photos: each of 200 images is of one colour; expected pictures, since such images code to nearly nothing: "
        "look at what the data set gives"
    )
    assert told([cell("jpeg", 1, drop=1.0, flat=199)]) == []


def test_many_dark_pictures_are_told(cell):
    assert told([cell("jpeg", 1, drop=1.0, dark=21)]) == [
        "photos: 21 of 200 images are almost black; look whether their levels are on another scale than those of the "
        "others"
    ]
    assert told([cell("jpeg", 1, drop=1.0, dark=20)]) == []


def test_ordinary_sets_are_silent(cell):
    assert told([cell("jpeg", 1, drop=1.0, turned=0, boxes_outside=0, flat=0)]) == []
    assert told([cell("jpeg", 1, drop=1.0)]) == []


def test_a_crop_that_empties_images_is_told_by_its_count(cell):
    found = [cell("jpeg", bpp, drop=1.0, crop_emptied=emptied) for bpp, emptied in ((1, 0), (2, 3))]
    assert told(found) == [
        "photos: the crop of jpeg leaves nothing of the targets of 3 of 200 images, which count as empty; move or "
        "enlarge it if that is not meant"
    ]
    assert style(found) == ["yellow"]
    assert told([cell("jpeg", 1, drop=1.0, crop_emptied=0)]) == []
