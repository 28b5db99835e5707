"""Groups in random order: they come whole, at random whatever their size, and of one image as without groups."""

from __future__ import annotations

from collections import Counter
from itertools import groupby

import pytest
import torch

from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey


@pytest.fixture
def surveyed():
    """Return the samples and the survey of images with these groups, read in random order."""

    def make(names, *, seed=0, shuffled=True, broken=(), limit=None):
        class Data(list):
            def __getitem__(self, at):
                if at in broken:
                    raise ValueError("broken")
                return torch.full((3, 8, 8), at, dtype=torch.uint8), at % 3, f"i{at}"

        reader = SampleReader(
            Data(range(len(names))),
            lambda raw, size: raw,
            grouper=None if names[0] is None else (lambda target, image_id, position: str(names[position])),
        )
        samples = Samples(reader, seed=seed, shuffled=shuffled, limit=limit)
        return samples, survey(samples, lambda target: frozenset({target}))

    return make


def ids(made):
    return [info.id for info in made.infos]


def test_every_group_comes_whole(surveyed):
    samples, made = surveyed([at % 7 for at in range(50)])
    runs = [name for name, _ in groupby(made.groups)]
    assert len(runs) == len(set(runs)) == 7
    assert ids(made) != [f"i{at}" for at in range(50)]
    for index, info, group in zip(made.usable, made.infos, made.groups, strict=True):
        assert samples[index].id == info.id
        assert samples[index].group == group
    starts = made.group_starts
    assert (starts[0], starts[-1], len(starts)) == (0, 50, 8)
    assert all(made.groups[at] != made.groups[at - 1] for at in starts[1:-1])


def test_images_that_cannot_be_read_come_last(surveyed):
    samples, made = surveyed([at % 5 for at in range(20)], broken=(3, 11))
    assert len(made.usable) == 18
    assert made.usable == tuple(range(18))
    assert sorted(samples.position(at) for at in (18, 19)) == [3, 11]
    assert [samples[index].id for index in made.usable] == ids(made)


def test_groups_of_one_image_come_as_images_do_without_groups(surveyed):
    for seed in range(5):
        _, alone = surveyed([None] * 30, seed=seed)
        _, single = surveyed(list(range(30)), seed=seed)
        assert ids(single) == ids(alone)
        assert single.classes_seen == alone.classes_seen
        assert list(single.group_starts) == list(alone.group_starts)


def test_large_groups_come_no_earlier_than_small_ones(surveyed):
    """One group of 20 images and ten of one: the large one comes first one time in eleven."""
    first = Counter(
        surveyed(["large"] * 20 + list(range(10)), seed=seed)[1].groups[0] == "large" for seed in range(400)
    )
    assert 15 <= first[True] <= 65  # 36 expected; by its 20 images it would be 267


def test_in_the_order_of_the_data_nothing_moves(surveyed):
    _, made = surveyed([at % 7 for at in range(50)], shuffled=False)
    assert ids(made) == [f"i{at}" for at in range(50)]


def test_a_limit_draws_the_same_images_with_groups(surveyed):
    names = [at // 4 for at in range(40)]
    for shuffled in (False, True):
        _, alone = surveyed([None] * 40, limit=15, shuffled=shuffled)
        _, grouped = surveyed(names, limit=15, shuffled=shuffled)
        assert sorted(ids(alone)) == sorted(ids(grouped))
