"""Processes of one run that see different data: an error that names the image, for every model."""

from __future__ import annotations

import re

import pytest

from compress_guard.engine.images.subsets import ReadingOptions
from compress_guard.engine.prediction.subject import Subject
from compress_guard.errors import DataError


def silent(done, total):
    pass


@pytest.fixture
def process(tmp_path, spectrum):
    """A process of a run that reads these rows: its subject."""

    def make(rows, model=None, name="toys"):
        model = model or spectrum(4)
        return Subject(
            "classification", lambda: model, lambda: rows, ReadingOptions(0, shared=(tmp_path, name)), device="cpu"
        )

    return make


REMEDY = (
    "expected the same images and targets in every process; seed all random choices of the data set, and choose images "
    "by name"
)


def changed(rows, at, image=None, label=None):
    rows = list(rows)
    old = rows[at]
    rows[at] = (old[0] if image is None else image, old[1] if label is None else label, old[2])
    return rows


def test_the_same_data_is_read_by_all_without_a_word(process, pictures):
    for _ in range(3):
        process(pictures(10)).subset(None)


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (
            lambda rows: changed(rows, 7, image=rows[7][0].flip(-1)),
            "image t07 has other pixels than in the process that read the data first",
        ),
        (
            lambda rows: changed(rows, 9, label=0),
            "image t09 has another target than in the process that read the data first",
        ),
        (lambda rows: rows[:9], "image t09 is missing here, but not in the process that read the data first"),
        (
            lambda rows: [*rows, (rows[0][0], 1, "new")],
            "image new is here, but not in the process that read the data first",
        ),
    ],
)
def test_an_image_that_differs_beyond_the_first_batch_is_an_error(process, pictures, make, what):
    rows = pictures(10)
    process(rows).clean_evidence(None, silent)
    second = process(make(rows))
    message = f"the processes of this run see different data: {what}; {REMEDY}"
    for _ in range(2):
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            second.clean_evidence(None, silent)
    assert second.predictions == 0


def test_another_order_is_no_other_data(process, pictures):
    rows = pictures(10)
    process(rows).subset(None)
    turned = process(rows[::-1])
    assert turned.clean_evidence(None, silent).ids == tuple(name for _, _, name in rows[::-1])
    assert turned.predictions == 10, "evidence in another order is its own"


def test_other_ids_are_no_other_data_but_want_their_own_evidence(process, pictures):
    rows = pictures(10)
    process(rows).clean_evidence(None, silent)
    renamed = process([(image, label, f"gw1/{name}") for image, label, name in rows])
    renamed.clean_evidence(None, silent)
    assert renamed.predictions == 10


def test_another_subject_of_a_run_may_have_other_data(process, pictures):
    process(pictures(10)).subset(None)
    process(pictures(8), name="others").subset(None)


def test_where_the_disk_has_no_room_nothing_is_compared(process, pictures, monkeypatch):
    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("filelock.FileLock._acquire", full)
    rows = pictures(10)
    process(rows).subset(None)
    process(rows[:9]).subset(None)


def test_a_damaged_file_is_written_anew(process, pictures, tmp_path):
    rows = pictures(10)
    process(rows).subset(None)
    (path,) = tmp_path.glob("data-*.json")
    path.write_text('{"t0')
    process(rows[:9]).subset(None)
    with pytest.raises(DataError, match="image t09 is here, but not"):
        process(rows).subset(None)
