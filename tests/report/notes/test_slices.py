from __future__ import annotations

from compress_guard.records import SliceResult
from compress_guard.report import plain
from compress_guard.report.notes.lines import notes


def part(value, drop=None, low=None, high=None, *, slicing="weather", verdict="unjudged", images=33, **fields):
    return SliceResult(slicing, value, images, 0.95, verdict, drop=drop, drop_low=low, drop_high=high, **fields)


def note_lines(results):
    return plain(notes(results)).splitlines()


def styles(results):
    return {text: style for line in notes(results) for text, style in line}


def test_a_slice_above_its_limit_is_told_once_where_it_is_furthest_above_it(cell):
    def night(bpp, drop, limit):
        slices = (
            part("night", drop, drop - 2, drop + 2, verdict="fail", max_drop=limit),
            part("day", 1.0, 0.0, 2.0),
        )
        return cell("jpeg", bpp, "fail", "failed", 6.0, slices=slices)

    found = [night(0.5, 20.0, 15.0), night(1, 12.1, 5.0)]
    text = (
        "photos: weather=night lost more than it may in 2 cells, most with jpeg at 1 bpp: 12.1 points, allowed 5.0 "
        "(33 images)"
    )
    assert note_lines(found)[0] == text
    assert styles(found)[text] == "yellow"


def test_slices_that_are_open_or_within_their_limit_warn_of_nothing(cell):
    slices = (
        part("night", 9.0, 1.0, 17.0, verdict="inconclusive", max_drop=5.0),
        part("day", 1.0, 0.0, 2.0, verdict="pass", max_drop=5.0),
    )
    assert "yellow" not in styles([cell("jpeg", 1, drop=1.0, slices=slices)]).values()


def test_the_worst_slice_of_a_slicing_is_the_one_that_surely_lost_more_than_all_images(cell):
    found = [
        cell("jpeg", 0.5, drop=6.0, slices=(part("night", 12.1, 9.0, 15.0), part("fog", 40.0, -9.0, 90.0, images=2))),
        cell(
            "jpeg", 1, drop=1.0,
            slices=(part("night", 3.0, 1.0, 5.0), part("7", 9.0, 3.0, 15.0, slicing="class", images=1)),
        ),
        cell("jpeg", 1, drop=1.0, guard="scans", slices=(part("2019", None, slicing="year", images=0),)),
    ]  # fmt: skip
    assert [text for text in note_lines(found) if "lost most" in text] == [
        "photos: slices that lost most: weather=night 12.1 points (9.0 to 15.0, 33 images) where all lost 6.0, "
        "jpeg at 0.5 bpp; class=7 9.0 points (3.0 to 15.0, 1 image) where all lost 1.0, jpeg at 1 bpp"
    ]


def test_a_limit_on_a_slice_without_images_is_called_out(cell):
    slices = (
        part("day", 1.0, 0.0, 2.0),
        part("night", 1.0, 0.0, 2.0),
        part("nihgt", images=0, max_drop=5.0),
        part("old", images=0, max_drop=5.0, slicing="source"),
    )
    found = [cell("jpeg", bpp, drop=1.0, slices=slices) for bpp in (0.5, 1)]
    assert note_lines(found)[:2] == [
        "photos: no image is in weather=nihgt, which has a limit; slices with images: day, night",
        "photos: no image is in source=old, which has a limit; slices with images: none",
    ]
