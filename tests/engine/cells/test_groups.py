"""Guards whose images belong together: their results, against plain counting, and data whose groups cannot be told."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import compress_guard
from compress_guard.errors import DataError, OptionError
from compress_guard.records import Grouping, SliceLimit, Slicing
from compress_guard.verdict.grouped import clustered
from compress_guard.verdict.grouped.groups import Groups

VARIES = {"seconds", "encodes"}
GROUPED = {"groups", "groups_needed", "design_effect", "reason"}


@pytest.fixture
def measured(pictures, spectrum):
    def run(groups, data=None, **wanted):
        wanted = {"task": "classification", "codec": "webp", "bpp": 0.25, "device": "cpu", "workers": 1, **wanted}
        return compress_guard.measure(spectrum(), pictures(24) if data is None else data, groups=groups, **wanted)

    return run


def by_quarter(target, image_id):
    """Put textures 0 to 3, 4 to 7 and so on together."""
    return int(image_id[1:]) // 4


def values(result, but=()):
    return {key: value for key, value in result.as_dict().items() if key not in {*VARIES, *but}}


@pytest.mark.parametrize("wanted", [
    {"max_drop": 20.0, "min_score": 30.0, "min_clean": 60.0},
    {"max_drop": 20.0, "limit": 15},
    {"rate": "image", "max_drop": 0.0},
])  # fmt: skip
def test_groups_of_one_image_change_nothing(measured, wanted):
    alone, single = measured(None, **wanted), measured(lambda target, image_id: image_id, **wanted)
    assert values(single, GROUPED) == values(alone, GROUPED)
    assert (alone.groups, single.groups) == (None, single.images_used)
    assert single.design_effect is None
    used = f"{single.images_used} images"
    assert single.reason == alone.reason.replace(used, f"{used} in {single.images_used} groups")


def test_a_cell_in_groups_has_the_interval_of_its_groups(make_guard, make_world, pictures, spectrum):
    guard = make_guard(("webp",), (0.25,), max_drop=20.0, min_score=30.0)
    data = pictures(24)
    grouped = replace(guard, groups=Grouping("quarters", by_quarter))
    alone, measured = (make_world(each, spectrum(), data).only() for each in (guard, grouped))
    result, groups = measured.result, Groups.of([at // 4 for at in range(24)])
    before, after = (
        np.array([item["predicted"] == item["target"] for item in side.items])
        for side in (measured.clean_evidence, measured.evidence)
    )
    drop = clustered.drop_interval(before, after, groups, 0.95)
    score = clustered.score_interval(after, groups, 0.95)
    assert (result.drop, result.drop_low, result.drop_high) == pytest.approx((drop.value, drop.low, drop.high))
    assert (result.score_low, result.score_high) == pytest.approx((score.low, score.high))
    assert result.design_effect == pytest.approx(clustered.drop_effect(before, after, groups))
    assert (result.groups, result.images_used, alone.result.groups) == (6, 24, None)
    assert result.drop_high - result.drop_low > alone.result.drop_high - alone.result.drop_low
    assert ": webp at 0.25 bpp, 24 images in 6 groups" in result.reason


def test_the_images_of_a_group_need_not_be_neighbours(measured):
    """Groups are by name, wherever their images are."""
    result = measured(lambda target, image_id: int(image_id[1:]) % 6)
    assert result.groups == 6


def test_what_is_needed_is_said_in_images_and_in_groups(measured):
    result = measured(by_quarter, max_drop=20.0)
    assert result.verdict == "inconclusive"
    assert result.images_needed is not None
    assert result.groups_needed == -(-result.images_needed // 4)
    assert measured(None, max_drop=20.0).groups_needed is None


def test_a_field_of_the_targets_names_the_groups(make_guard, make_world, pictures, spectrum):
    """The label of a classification is the target itself."""
    guard = make_guard(("webp",), (0.5,), groups=Grouping("label"))
    assert make_world(guard, spectrum(), pictures(12)).only().result.groups == 4


def test_folders_of_ids_are_groups(measured, pictures):
    data = [(image, label, f"clip{at // 3}/{at}.png") for at, (image, label, _) in enumerate(pictures(12))]
    assert measured("folder", data).groups == 4


@pytest.mark.parametrize(("groups", "message"), [
    (lambda target, image_id: "one", "groups: all 24 images belong to one group, one, and say nothing about images of "
     "others; expected at least two groups; name what tells them apart"),
    (lambda target, image_id: None if image_id == "t05" else 1, "sample 5 (id t05): groups: "),
    ("clip", "sample 0 (id t00): groups: the target is the int 0, without a field 'clip'"),
    ("folder", "sample 0 (id t00): groups: folder: the id t00 names no folder"),
    ("nowhere_at_all:clip", "nowhere_at_all:clip"),
])  # fmt: skip
def test_data_whose_groups_cannot_be_told_is_an_error(measured, groups, message):
    with pytest.raises(DataError, match=re.escape(message)):
        measured(groups, max_error_share=0.9)


def test_a_keyword_that_names_no_groups_is_refused(measured):
    with pytest.raises(OptionError, match=r"^groups is 3; expected a field of the targets"):
        measured(3)


def test_groups_that_change_from_reading_to_reading_are_an_error(measured):
    calls = []

    def changing(target, image_id):
        calls.append(image_id)
        return len(calls) // 5

    with pytest.raises(DataError, match=r"a different group each time it is read; expected the same group"):
        measured(changing)


def test_slices_have_intervals_over_the_groups_of_their_images(make_guard, make_world, pictures, spectrum):
    guard = make_guard(("webp",), (0.25,), slicings=(Slicing("class", "label"),))
    data = pictures(48)
    alone, grouped = (
        make_world(replace(guard, groups=groups), spectrum(), data).only().result
        for groups in (None, Grouping("twelfths", lambda target, image_id: int(image_id[1:]) // 12))
    )
    for one, other in zip(alone.slices, grouped.slices, strict=True):
        assert (one.images, one.drop) == (other.images, other.drop) == (12, one.drop)
        assert other.drop_high - other.drop_low > one.drop_high - one.drop_low


def test_a_slice_within_one_group_decides_nothing(make_guard, make_world, pictures, spectrum):
    guard = make_guard(("webp",), (0.25,), slicings=(Slicing("class", "label"),))
    (cell,) = guard.cells
    guard = replace(guard, cells=(replace(cell, slice_limits=(SliceLimit("class", None, 0.0),)),))
    result = make_world(replace(guard, groups=Grouping("label")), spectrum(), pictures(24)).only().result
    assert {(part.drop_low, part.drop_high) for part in result.slices} == {(-100.0, 100.0)}
    assert {part.verdict for part in result.slices} == {"inconclusive"}


def test_near_equal_neighbours_are_counted(measured, pictures):
    image, label, _ = pictures(1)[0]
    frames = [(image, label, f"f{at}") for at in range(8)]
    data = [*pictures(8), *frames]
    before = measured(None, pictures(8)).near_equal
    assert measured(None, data).near_equal >= before + 7
    assert measured(lambda target, image_id: image_id[0] == "f" or image_id, data).near_equal <= before + 1
    assert measured(lambda target, image_id: image_id, data).near_equal >= before + 7
