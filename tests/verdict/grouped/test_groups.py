"""Groups of images, and scores of data sets that are made of whole groups."""

from __future__ import annotations

import numpy as np
import pytest

from compress_guard.verdict import bootstrap, resampling
from compress_guard.verdict.grouped.groups import Groups, GroupScorer
from compress_guard.verdict.resampling import Remembered


def test_images_that_all_stand_alone_make_no_groups():
    assert Groups.of(["a", "b", "c"]) is None
    assert Groups.of([]) is None


def test_groups_are_numbered_by_their_first_images():
    groups = Groups.of(["b", "a", "b", "c", "a", "b"])
    assert groups.members.tolist() == [0, 1, 0, 2, 1, 0]
    assert (groups.images, groups.count, groups.sizes.tolist()) == (6, 3, [3, 2, 1])
    assert groups.sums(np.array([1.0, 2, 3, 4, 5, 6])).tolist() == [10, 7, 4]


def test_the_names_of_groups_make_no_difference():
    first, second, other = Groups.of("aabb"), Groups.of("xxyy"), Groups.of("abab")
    assert first.key == second.key != other.key


@pytest.mark.parametrize(("sizes", "alike", "effective"), [
    ((4, 4, 4), 4.0, 3.0),
    ((1, 1, 2), 6 / 4, 16 / 6),
    ((8, 1, 1), 66 / 10, 100 / 66),
])  # fmt: skip
def test_unequal_groups_count_as_fewer_equal_ones(sizes, alike, effective):
    groups = Groups.of(np.repeat(np.arange(len(sizes)), sizes).tolist())
    assert groups.alike == pytest.approx(alike)
    assert groups.effective == pytest.approx(effective)
    assert (groups.counted.count, groups.counted.effective) == (groups.count, groups.effective)


def test_an_image_has_the_weight_of_its_group(mean_scorer, monkeypatch):
    monkeypatch.setattr("compress_guard.verdict.grouped.groups._CHUNK", 12)  # two rows at a time
    values = np.array([0.0, 100, 50, 50, 100])
    scorer = mean_scorer(values)
    grouped = GroupScorer(scorer, Groups.of("aabbc"))
    weights = np.array([[1.0, 1, 1], [2, 0, 1], [0, 0, 3]])
    assert grouped(weights).tolist() == pytest.approx([60.0, 300 / 5, 100.0])
    assert scorer.calls == [(2, 5), (1, 5)]
    assert grouped.flags is None


def test_a_bootstrap_of_groups_is_the_plain_loop(mean_scorer):
    """Each draw is a list of groups, and the data set of all their images."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 9, 40).tolist()
    groups, values = Groups.of(labels), rng.uniform(0, 100, 40)
    sample = resampling.Resampled.of(mean_scorer(values), 40, seed=3, resamples=200, groups=groups)
    drawn = np.concatenate(list(resampling.draws(groups.count, 3, 200)))
    for counts, replicate in zip(drawn, sample.replicates, strict=True):
        images = [value for group, times in enumerate(counts) for _ in range(int(times))
                  for value, member in zip(values, groups.members, strict=True) if member == group]  # fmt: skip
        assert replicate == pytest.approx(sum(images) / len(images))
    assert len(sample.left_out) == groups.count
    for group, left in enumerate(sample.left_out):
        assert left == pytest.approx(values[groups.members != group].mean())
    for pair in sample.halves.reshape(-1, 2):
        assert min(pair) > values.min()


def test_images_alike_within_groups_tell_as_much_as_one_of_each(mean_scorer):
    values = np.random.default_rng(0).uniform(0, 100, 30)
    alone = bootstrap.interval(None, mean_scorer(values), values.mean(), 30, 1, 0.95, (0, 100))
    groups = Groups.of(np.repeat(np.arange(30), 4).tolist())
    several = mean_scorer(np.repeat(values, 4))
    grouped = bootstrap.interval(None, several, values.mean(), 120, 1, 0.95, (0, 100), groups)
    assert (grouped.low, grouped.high) == pytest.approx((alone.low, alone.high))
    naive = bootstrap.interval(None, several, values.mean(), 120, 1, 0.95, (0, 100))
    assert naive.high - naive.low < 0.6 * (grouped.high - grouped.low)
    assert grouped.informative == pytest.approx(30)


def test_a_single_group_says_nothing(mean_scorer):
    scorer = mean_scorer(np.arange(10.0))
    found = bootstrap.interval(None, scorer, 4.5, 10, 0, 0.95, (0, 100), Groups.of([0] * 10))
    assert (found.low, found.high) == (0, 100)


def test_scores_are_remembered_for_each_way_of_grouping(mean_scorer):
    remembered = Remembered(mean_scorer(np.random.default_rng(1).uniform(0, 100, 12)))
    pairs, triples = Groups.of([at // 2 for at in range(12)]), Groups.of([at // 3 for at in range(12)])
    first = resampling.resampled(remembered, 12, 0, pairs)
    assert resampling.resampled(remembered, 12, 0, Groups.of([at // 2 for at in range(12)])) is first
    for other in (triples, None):
        assert len(resampling.resampled(remembered, 12, 0, other).left_out) != len(first.left_out)
