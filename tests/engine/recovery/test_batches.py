"""Batches are a function of seed and step; the pool gives back what was put in; lost images are stood in for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.engine.recovery.batches import Batches
from compress_guard.engine.recovery.material import Decoded
from compress_guard.engine.recovery.pool import Pool


class Numbers:
    """Targets that are the image's number."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def on(self, at, device):
        return at


def source(path, count, lost=(), offset=0):
    kept = [at for at in range(count) if at not in lost]
    pool = Pool.of(path, (np.full((3, 2, 2), offset + at, np.uint8) for at in kept))
    return Decoded(pool, {at: row for row, at in enumerate(kept)})


def shown(batch):
    return [int(image[0, 0, 0]) for image in batch[0]]


def test_a_batch_depends_on_seed_and_step_alone(tmp_path):
    def batches(seed=5):
        return Batches([source(tmp_path / "one", 7)], Numbers(7), steps=9, size=3, seed=seed)

    whole = list(batches())
    assert len(whole) == len(batches()) == 9
    assert [shown(batch) for batch in batches().after(4)] == [shown(batch) for batch in whole[4:]]
    assert shown(batches()[6]) == shown(whole[6])
    assert [shown(batch) for batch in batches(6)] != [shown(batch) for batch in whole]
    assert all(shown(batch) == batch[1] for batch in whole)
    with pytest.raises(IndexError, match="step 9 of 9"):
        batches()[9]


def test_every_image_is_shown_once_before_any_is_shown_again(tmp_path):
    batches = Batches([source(tmp_path / "one", 10)], Numbers(10), steps=8, size=5, seed=1)
    seen = [number for batch in batches for number in shown(batch)]
    turns = [seen[start : start + 10] for start in range(0, 40, 10)]
    assert all(sorted(turn) == list(range(10)) for turn in turns)
    assert len(set(map(tuple, turns))) == 4


def test_mixed_rates_come_from_all_sources_and_keep_the_order_of_images(tmp_path):
    sources = [source(tmp_path / "low", 8), source(tmp_path / "high", 8, offset=100)]
    mixed = Batches(sources, Numbers(8), steps=20, size=4, seed=1)
    plain = Batches(sources[:1], Numbers(8), steps=20, size=4, seed=1)
    assert [targets for _, targets in mixed] == [targets for _, targets in plain]
    high = [number >= 100 for batch in mixed for number in shown(batch)]
    assert 25 < sum(high) < 55
    assert [number % 100 for batch in mixed for number in shown(batch)] == [n for batch in plain for n in shown(batch)]


def test_an_image_that_was_lost_is_stood_in_for_with_its_own_target(tmp_path):
    batches = Batches([source(tmp_path / "one", 6, lost=(2, 5))], Numbers(6), steps=2, size=3, seed=0)
    assert all(shown(batch) == batch[1] for batch in batches)
    asked = [at for step in range(2) for at in batches.positions(step)]
    assert [{2: 3, 5: 0}.get(at, at) for at in asked] == [number for batch in batches for number in shown(batch)]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(1, 5)), max_size=6),
    st.sampled_from(["uint8", "uint16"]),
)
def test_a_pool_gives_back_what_was_put_in(tmp_path_factory, shapes, dtype):
    path = tmp_path_factory.mktemp("pool") / "arrays.raw"
    noise = np.random.default_rng(0)
    arrays = [noise.integers(0, 200, shape).astype(dtype) for shape in shapes]
    pool = Pool.of(path, iter(arrays))
    assert len(pool) == len(arrays)
    for at, array in enumerate(arrays):
        assert pool[at].dtype == array.dtype
        np.testing.assert_array_equal(pool[at], array)
    with pytest.raises(IndexError, match="of a pool of"):
        pool[len(arrays)]


def test_a_pool_is_of_one_dtype(tmp_path):
    with pytest.raises(ValueError, match=r"arrays of \['uint16', 'uint8'\] in one pool; expected one dtype"):
        Pool.of(tmp_path / "mixed.raw", [np.zeros(2, np.uint8), np.zeros(2, np.uint16)])
