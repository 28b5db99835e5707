"""Notes on images that belong together, and on images that seem to."""

from __future__ import annotations

import pytest

from compress_guard.report import plain
from compress_guard.report.notes.lines import notes
from compress_guard.verdict import power


@pytest.fixture
def made(cell):
    """Return a function that makes a cell of 120 images, 6 each in 20 groups."""

    def make(codec, bpp, verdict="pass", **fields):
        values = {"images": 120, "images_used": 120, "groups": 20, "harmful_flips": 5, "helpful_flips": 2}
        return cell(codec, bpp, verdict, "passed", 2.5, **{**values, **fields})

    return make


def lines(results, *words):
    return [text for text in plain(notes(results)).splitlines() if any(word in text for word in words)]


def test_the_groups_are_told_with_what_their_images_are_worth(made):
    results = [made("jpeg", 1, design_effect=1.23), made("webp", 1, design_effect=4.0, images_used=119)]
    assert lines(results, "intervals are over") == [
        "photos: intervals are over 20 groups of 119 to 120 images; 1.2 to 4.0 of these images tell as much about a "
        "drop as one alone"
    ]
    assert lines([made("jpeg", 1, design_effect=None)], "intervals are over") == [
        "photos: intervals are over 20 groups of 120 images"
    ]
    assert lines([made("jpeg", 1, groups=None)], "group") == []


def test_few_groups_are_called_out_once_per_guard(made):
    assert lines([made("jpeg", 1, groups=4), made("webp", 1, groups=4)], "very wide") == [
        "photos: intervals over 4 groups of images are very wide, because so few show little of how much groups "
        "differ; take at least 10, better 20"
    ]
    assert lines([made("jpeg", 1, groups=10)], "very wide") == []


def test_a_set_that_looks_like_a_video_is_called_out_once_per_guard(made):
    alone = [made("jpeg", 1, groups=None, near_equal=60), made("webp", 1, groups=None, near_equal=60)]
    assert lines(alone, "nearly equal") == [
        "photos: 60 of 120 images are nearly equal to the next one, as frames of a video are: they tell less than "
        "their number, and intervals are too narrow; say which belong together by the key groups"
    ]
    (apart,) = lines([made("jpeg", 1, near_equal=60)], "nearly equal")
    assert apart.endswith("and in another group, so intervals are too narrow; put images that belong together in one")
    assert lines([made("jpeg", 1, groups=None, near_equal=3)], "nearly equal") == []


def test_what_is_needed_is_said_in_images_and_groups(made):
    open_cell = {"verdict": "inconclusive", "max_drop": 3.0, "resolvable_drop": 4.0}
    results = [made("jpeg", 1, images_needed=1331, groups_needed=222, **open_cell)]
    assert lines(results, "would settle") == ["photos: about 1400 images in 230 groups would settle jpeg at 1 bpp"]
    many = [
        made("jpeg", bpp, images_needed=500 * at, groups_needed=84 * at, **open_cell)
        for at, bpp in enumerate((0.25, 0.5, 1, 2), start=1)
    ]
    (line,) = lines(many, "would settle")
    assert line.startswith("photos: about 500 to 2000 images in 84 to 340 groups would settle jpeg at ")
    (alone,) = lines([made("jpeg", 1, images_needed=1331, groups_needed=1331, groups=120, **open_cell)], "would settle")
    assert alone == "photos: about 1400 images would settle jpeg at 1 bpp"


def test_what_can_be_resolved_is_said_with_the_groups(made):
    assert lines([made("jpeg", 1, resolvable_drop=6.0)], "to be decided") == [
        "photos: with 120 images in 20 groups a drop must be 6.0 points away from its limit to be decided"
    ]


def test_limits_that_groups_cannot_hold_are_called_out(made):
    enough = power.groups_for(0.95, 2.0)
    (line,) = lines([made("jpeg", 1, "inconclusive", max_drop=2.0)], "too few")
    assert line.startswith("photos: jpeg at 1 bpp: 120 images in 20 groups are too few for a max_drop unless ")
    assert line.endswith(f"allowed 2.0; it takes {enough} groups")


def test_rare_groups_may_have_stayed_unseen(made):
    fields = {"harmful_flips": None, "helpful_flips": None, "unseen_drop": 9.0, "max_drop": 5.0}
    (line,) = lines([made("jpeg", 1, **fields)], "rare")
    assert "rare groups that lose everything; as many as 20 groups may have missed would bring jpeg" in line
