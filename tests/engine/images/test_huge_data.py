"""Data sets of a billion images, of which a limit takes a few: no list and no order of all of them is made."""

from __future__ import annotations

import sys
import tracemalloc

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import ConcatDataset, Dataset, Subset

import compress_guard
from compress_guard.engine.compressed_batches import compressed_batches
from compress_guard.engine.images import samples as module
from compress_guard.engine.images.naming.names import Known, Names
from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.settings import RunSettings
from compress_guard.records import seeded_fraction, seeded_numbers

BILLION = 10**9
LITTLE = 2**20
"""Bytes: far less than one byte for every thousandth image of a billion."""


class Huge(Dataset):
    """A data set that makes its images on demand, and notes which."""

    def __init__(self, count=BILLION):
        self.count, self.reads = count, []

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        self.reads.append(index)
        noise = torch.Generator().manual_seed(index % 2**31)
        return torch.randint(0, 256, (3, 96, 96), generator=noise, dtype=torch.uint8), index % 2


def positions(count, limit=24, seed=0, *, shuffled=False):
    samples = Samples(SampleReader(Huge(count), lambda raw, size: raw), limit=limit, seed=seed, shuffled=shuffled)
    return [samples.position(index) for index in range(len(samples))]


def peak_of(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@given(st.integers(-9, 9), st.integers(0, 2**64), st.sampled_from(["position ", "draw ", ""]))
def test_seeded_numbers_are_seeded_fractions_before_rounding(seed, number, prefix):
    assert seeded_numbers(seed, prefix)(number) / 2**64 == seeded_fraction(seed, f"{prefix}{number}")


@given(st.integers(1, 400), st.integers(1, 400), st.integers(-5, 5), st.booleans())
def test_subsets_of_usual_data_are_those_of_the_smallest_fractions(count, limit, seed, shuffled):
    order = sorted(range(count), key=lambda position: seeded_fraction(seed, f"position {position}"))[:limit]
    assert positions(count, limit, seed, shuffled=shuffled) == (order if shuffled else sorted(order))


def test_the_subset_of_a_data_set_is_the_same_in_all_releases():
    assert positions(50_000, 5) == [6484, 11055, 21460, 36889, 42945]


def test_the_subset_of_a_huge_data_set_is_the_same_in_all_releases():
    assert positions(BILLION, 5) == [91670338, 208786830, 250498311, 354749075, 769184841]


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_choice_from_a_billion_needs_memory_for_the_chosen_alone(shuffled):
    assert peak_of(lambda: positions(BILLION, shuffled=shuffled)) < LITTLE


def test_all_of_a_billion_in_their_order_are_no_list():
    samples = Samples(SampleReader(Huge(), lambda raw, size: raw))
    assert peak_of(lambda: samples.position(BILLION - 1)) < LITTLE
    assert samples.position(BILLION - 1) == BILLION - 1


@pytest.mark.parametrize("count", [module.COMPARED + 1, BILLION, 2**40, 2**53 + 1, sys.maxsize])
def test_a_choice_from_huge_data_is_seeded_nested_and_spread(count):
    chosen, more = positions(count, 200), positions(count, 400)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == 200
    assert set(chosen) < set(more)
    assert chosen[0] >= 0
    assert chosen[-1] < count
    assert sum(position < count / 2 for position in more) == pytest.approx(200, abs=60)
    assert {position % 2 for position in chosen} == {0, 1}
    assert not set(chosen) & set(positions(count, 200, seed=1))


def test_a_shuffled_choice_begins_with_a_smaller_one():
    assert positions(BILLION, 40, shuffled=True)[:20] == positions(BILLION, 20, shuffled=True)
    assert positions(BILLION, 40, shuffled=True) != positions(BILLION, 40)


def test_most_chosen_positions_remain_when_images_are_added():
    before, after = set(positions(900_000_000, 500)), set(positions(BILLION, 500))
    assert len(before & after) > 400


def test_a_cell_on_a_billion_images_reads_those_of_the_limit(spectrum):
    data = Huge()
    result = compress_guard.measure(
        spectrum(), data, task="classification", codec="jpeg", bpp=3.0, device="cpu", workers=1, limit=24
    )
    assert (result.images, result.images_used) == (24, 24)
    assert sorted(set(data.reads)) == positions(BILLION)
    assert len(data.reads) <= 24 + 16  # and some of them twice, to see whether they stay the same


def test_batches_of_a_billion_images_read_those_of_the_limit(make_guard, tmp_path):
    data, guard = Huge(), make_guard(("jpeg",), (3.0,), limits={"jpeg": 24})
    settings = RunSettings(tmp_path, tmp_path / "store", device="cpu", workers=1)
    batches = list(compressed_batches(data, guard, guard.cells[0], settings, "cpu", 5))
    assert [len(batch.images) for batch in batches] == [5, 5, 5, 5, 4]
    assert sorted(set(data.reads)) == positions(BILLION)


@pytest.mark.parametrize(
    "data",
    [Huge(), Subset(Huge(), range(BILLION)), ConcatDataset([Huge(), Huge()]), Subset(Huge(), [5, 7])],
    ids=["plain", "part", "joined", "a few"],
)
def test_names_are_not_looked_for_in_a_billion_images(data):
    images = {"5": Known(5, b"", ""), "7": Known(7, b"", "")}
    assert peak_of(lambda: Names.of(data, "classification", images)) < LITTLE
    names = Names.of(data, "classification", images)
    assert (names.image("5"), names.remark) == (None, None)


def test_given_names_of_a_billion_images_are_refused():
    data = Huge()
    data.image_names = "{:09}.png".format
    names = Names.of(data, "classification", {"5": Known(5, b"", "")})
    assert names.image("5") is None
    assert names.remark == (
        "the names of images are left out: image_names is read for data of up to 16777216 images, and this has "
        "1000000000; limit the data itself"
    )
