"""The cut of a file: a pure function, complete, without overlaps, balanced, with codecs whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.errors import OptionError
from compress_guard.records import Cell, CodecSpec, Guard, Rate, Thresholds
from compress_guard.thresholds.shards import FileShard, cut

RATES = (0.25, 0.5, 1.0)


def made(guards):
    """Thresholds of guards that are given by their codecs, each as the number of its rates and its limit."""
    made = []
    for number, codecs in enumerate(guards):
        name = f"guard{number}"
        cells = [
            Cell(name, CodecSpec(f"codec{place}", "jpeg"), Rate(bpp), 1.0, None, limit, 1)
            for place, (count, limit) in enumerate(codecs)
            for bpp in RATES[:count]
        ]
        made.append(Guard(name, "classification", "top1", "m:f", "d:f", tuple(cells)))
    return Thresholds("thresholds.yaml", tuple(made))


CODEC = st.tuples(st.integers(1, 3), st.none() | st.integers(1, 500))
FILES = st.lists(st.lists(CODEC, min_size=1, max_size=4), min_size=1, max_size=4).map(made)


def load(names, costs):
    return sum(costs[name] for name in names)


@given(FILES, st.integers(1, 12), st.randoms())
def test_every_cell_is_in_one_shard_and_codecs_are_whole(thresholds, count, random):
    costs = {name: random.uniform(0.1, 100) for name in thresholds.names() if random.random() < 0.7}
    shards = cut(thresholds, count, costs)
    assert len(shards) == count
    assert sorted(name for names in shards for name in names) == sorted(thresholds.names())
    where = {name: place for place, names in enumerate(shards) for name in names}
    for guard in thresholds.guards:
        for one, two in pairwise(guard.cells):
            assert one.codec != two.codec or where[one.name] == where[two.name]
    order = list(thresholds.names())
    assert all(list(names) == sorted(names, key=order.index) for names in shards)


@given(FILES, st.integers(1, 12), st.randoms())
def test_the_cut_is_a_pure_function(thresholds, count, random):
    costs = {name: random.uniform(0.1, 100) for name in thresholds.names()}
    shuffled = list(costs.items())
    random.shuffle(shuffled)
    assert cut(thresholds, count, costs) == cut(thresholds, count, dict(shuffled))
    assert [FileShard(number, count).names(thresholds, costs) for number in range(1, count + 1)] == [
        frozenset(names) for names in cut(thresholds, count, costs)
    ]


@given(FILES, st.integers(1, 6), st.randoms())
def test_no_shard_is_ahead_of_another_by_more_than_one_codec(thresholds, count, random):
    costs = {name: random.uniform(0.1, 100) for name in thresholds.names()}
    units = {}
    for guard in thresholds.guards:
        for cell in guard.cells:
            key = (guard.name, cell.codec.alias)
            units[key] = units.get(key, 0.0) + costs[cell.name]
    loads = [load(names, costs) for names in cut(thresholds, count, costs)]
    assert max(loads) - min(loads) <= max(units.values()) + 1e-6
    assert max(loads) <= sum(units.values()) / count + max(units.values()) + 1e-6


def test_measured_seconds_change_the_cut():
    thresholds = made([[(1, None), (1, None), (1, None)]])
    slow, one, two = thresholds.names()
    assert cut(thresholds, 2) == ((slow, two), (one,))
    assert cut(thresholds, 2, {slow: 60.0, one: 1.0, two: 1.0}) == ((slow,), (one, two))


def test_a_guard_with_shares_of_traffic_stays_whole(read):
    thresholds = read(
        "version: 1\nguards:\n  photos: {task: classification, model: 'm:f', data: 'd:f', codecs: [jpeg, avif], "
        "bpp: [0.5, 1.0], traffic: {jpeg: {0.5: 0.4}, avif: {1.0: 0.6}}}\n"
    )
    assert cut(thresholds, 3) == (thresholds.names(), (), ())


def test_studies_and_timed_cells_have_shards_too(read):
    thresholds = read(
        "version: 1\nguards:\n  photos: {task: classification, model: 'm:f', data: 'd:f', codecs: [jpeg, avif], "
        "bpp: [0.5], recovery: {train: 'd:g'}, throughput: {codecs: [avif]}}\n"
    )
    shards = cut(thresholds, 2)
    assert sorted(name for names in shards for name in names) == sorted(thresholds.names(timed=True, studied=True))
    study = thresholds.names(gated=False, studied=True)
    assert study
    assert set(study) <= set(shards[0])


@pytest.mark.parametrize("text", ["1/1", "2/5", "10000/10000"])
def test_a_shard_reads_back(text):
    assert str(FileShard.read(text)) == text


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "-1/2", "1/0", "1/10001", "1/2/3", " 1/2", "a/b", "१/२"])
def test_what_is_no_shard_is_refused(text):
    with pytest.raises(OptionError) as caught:
        FileShard.read(text)
    assert "is no shard; write I/N such as 2/5, with I from 1 to N and N up to 10000" in str(caught.value)
