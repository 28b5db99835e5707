"""The number of groups that a limit needs."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.verdict import power, sentence
from compress_guard.verdict.grouped import clustered
from compress_guard.verdict.grouped.groups import GroupCount, Groups


def unchanged(groups, size):
    flags = np.ones(groups * size, bool)
    return clustered.drop_interval(flags, flags, Groups.of(np.repeat(np.arange(groups), size).tolist()), 0.95)


@pytest.mark.parametrize("limit", [2.0, 5.0])
def test_so_many_groups_pass_where_nothing_changes_and_one_fewer_does_not(limit):
    enough = power.groups_for(0.95, limit)
    assert unchanged(enough, 3).high <= limit < unchanged(enough - 1, 3).high
    assert enough > power.images_for(0.95, limit)  # Student's t takes a few more
    assert power.groups_for(0.95, 0.0) is None


def test_limits_out_of_reach_are_those_of_the_groups():
    groups = Groups.of(np.repeat(np.arange(60), 5).tolist())
    missed = power.out_of_reach(300, [2.0, 3.0, 20.0], 0.95, groups=groups.counted)
    assert missed.limits == (2.0, 3.0)
    assert missed.reach == pytest.approx(unchanged(60, 5).high)
    assert missed.enough == (power.groups_for(0.95, 3.0), power.groups_for(0.95, 2.0))
    assert power.out_of_reach(300, [2.0, 3.0], 0.95) is None
    assert sentence.too_few(300, missed, 60) == (
        "300 images in 60 groups are too few for a max_drop unless compression puts predictions right: where none "
        f"changes, the 95 % interval of the drop reaches {missed.reach:.1f}, allowed 2.0 to 3.0; it takes "
        f"{missed.enough[0]} to {missed.enough[1]} groups"
    )


def test_unequal_groups_reach_less():
    equal, unequal = GroupCount(60, 60.0), GroupCount(60, 30.0)
    reaches = [power.out_of_reach(300, [1.0], 0.95, groups=groups).reach for groups in (equal, unequal)]
    assert reaches[0] < reaches[1]


@pytest.mark.parametrize(("groups", "text"), [
    (None, "300 images"), (25, "300 images in 25 groups"), (1, "300 images in 1 group"),
    ("4 to 5", "300 images in 4 to 5 groups"),
])  # fmt: skip
def test_images_are_named_with_their_groups(groups, text):
    assert sentence.in_groups("300", groups) == text
