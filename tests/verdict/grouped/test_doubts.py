"""Warnings of images that seem to belong together, and of too few groups."""

from __future__ import annotations

import pytest

from compress_guard.verdict.grouped.doubts import few_groups, like_video, looks_like_video


@pytest.mark.parametrize(("near", "images", "video"), [
    (0, 100, False), (4, 5, False), (9, 100, False), (10, 100, True), (5, 10, True), (99, 100, True),
])  # fmt: skip
def test_a_video_has_many_near_equal_neighbours(near, images, video):
    assert looks_like_video(near, images) is video


def test_a_set_that_looks_like_a_video_is_told_of_the_key():
    assert like_video(60, 100, grouped=False) == (
        "60 of 100 images are nearly equal to the next one, as frames of a video are: they tell less than their "
        "number, and intervals are too narrow; say which belong together by the key groups"
    )
    assert like_video(60, 100, grouped=True) == (
        "60 of 100 images are nearly equal to the next one, as frames of a video are, and in another group, so "
        "intervals are too narrow; put images that belong together in one"
    )


@pytest.mark.parametrize(("near", "images"), [(None, None), (0, 100), (None, 100), (3, 4)])
def test_other_sets_are_not(near, images):
    assert like_video(near, images, grouped=False) is None


def test_few_groups_are_warned_of():
    assert few_groups(9) == (
        "intervals over 9 groups of images are very wide, because so few show little of how much groups differ; take "
        "at least 10, better 20"
    )
    assert few_groups(10) is few_groups(None) is None
