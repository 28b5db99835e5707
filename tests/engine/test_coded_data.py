"""Neighbouring tests of one data set share its reading and its plan, and nothing else."""

from __future__ import annotations

import pytest

from compress_guard.engine.compressed_batches import CodedData
from compress_guard.engine.settings import RunSettings


class Counted:
    """A data set that counts its readings."""

    def __init__(self, rows):
        self.rows, self.readings = list(rows), 0

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        row = self.rows[index]
        self.readings += 1
        return row


@pytest.fixture
def coded(tmp_path):
    return CodedData(RunSettings(tmp_path, tmp_path / "store", device="cpu", workers=1), "cpu")


def ids(batches):
    return [name for batch in batches for name in batch.ids]


def test_the_second_cell_reads_only_a_sample_again(pictures, make_guard, coded, diary):
    data, guard = Counted(pictures(9)), make_guard(rates=(1.0, 3.0))
    first = [ids(coded.batches(data, guard, cell, 4)) for cell in guard.cells[:1]]
    readings, encodes = data.readings, len(diary.encoded)
    assert ids(coded.batches(data, guard, guard.cells[1], 4)) == first[0]
    assert data.readings == readings + 2
    assert len(diary.encoded) == encodes  # the plan of both rates was made for the first


def test_images_are_those_of_a_fresh_reading(pictures, make_guard, coded, tmp_path):
    guard, data = make_guard(("jpeg", "webp"), (1.0, 3.0)), pictures(9)
    for number, cell in enumerate(guard.cells):
        alone = CodedData(RunSettings(tmp_path, tmp_path / f"{number}", device="cpu", workers=1), "cpu")
        expected = list(alone.batches(data, guard, cell, 4))
        for batch, other in zip(coded.batches(data, guard, cell, 4), expected, strict=True):
            assert (batch.ids, batch.bpp, batch.targets) == (other.ids, other.bpp, other.targets)
            assert all(one.equal(two) for one, two in zip(batch.images, other.images, strict=True))


def test_data_that_has_changed_between_two_tests_is_read_anew(pictures, make_guard, coded, diary):
    data, guard = Counted(pictures(9)), make_guard()
    list(coded.batches(data, guard, guard.cells[0], 4))
    data.rows = list(pictures(12, tuple((48, 48) for _ in range(12))))
    found = list(coded.batches(data, guard, guard.cells[0], 4))
    assert len(ids(found)) == 12
    data.rows = [(255 - image, label, name) for image, label, name in data.rows]
    for batch, other in zip(coded.batches(data, guard, guard.cells[0], 4), found, strict=True):
        assert not any(one.equal(two) for one, two in zip(batch.images, other.images, strict=True))


def test_other_data_is_not_taken_for_the_last(pictures, make_guard, coded, diary):
    guard = make_guard()
    assert len(ids(coded.batches(pictures(9), guard, guard.cells[0], 4))) == 9
    assert len(ids(coded.batches(pictures(5), guard, guard.cells[0], 4))) == 5


def test_a_test_that_changes_its_targets_does_not_change_those_of_the_next(pictures, make_guard, coded, diary):
    guard = make_guard()
    data = [(image, {"label": label}, name) for image, label, name in pictures(5)]
    for batch in coded.batches(data, guard, guard.cells[0], 4):
        for target in batch.targets:
            target["label"] = "changed"
    targets = [target for batch in coded.batches(data, guard, guard.cells[0], 4) for target in batch.targets]
    assert targets == [row[1] for row in data]


def test_images_that_failed_are_tried_again(pictures, make_guard, coded, diary):
    data, guard = pictures(8), make_guard(max_error_share=0.2)
    diary.refuse = lambda picture, setting: picture == 2
    assert len(ids(coded.batches(data, guard, guard.cells[0], 4))) == 7
    diary.refuse = lambda picture, setting: False
    assert len(ids(coded.batches(data, guard, guard.cells[0], 4))) == 8
