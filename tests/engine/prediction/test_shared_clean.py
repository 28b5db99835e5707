"""Clean evidence through a file of the run: made once, trusted only where the first batch and the ids agree."""

from __future__ import annotations

import multiprocessing
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.engine.prediction.shared_clean import made_once
from compress_guard.records import Evidence


def evidence(values, first=0):
    items = tuple({"top1": np.array(value), "scores": np.array([value, 1.0])} for value in values)
    return Evidence(tuple(f"i{first + at}" for at in range(len(values))), items)


class Maker:
    def __init__(self, values, batch=2, first=0):
        self.values, self.batch, self.first = values, batch, first
        self.made = self.probed = 0

    def make(self):
        self.made += 1
        return evidence(self.values, self.first)

    def probe(self):
        self.probed += 1
        return evidence(self.values[: self.batch], self.first)

    def once(self, path):
        return made_once(path, evidence(self.values, self.first).ids, self.make, self.probe)


def same(one, other):
    return one.to_bytes() == other.to_bytes()


def test_without_a_run_folder_everybody_makes_their_own():
    maker = Maker([1, 0, 1])
    assert same(maker.once(None), evidence([1, 0, 1]))
    assert (maker.made, maker.probed) == (1, 0)


def test_the_second_reads_and_predicts_the_first_batch(tmp_path):
    first, second = Maker([1, 0, 1]), Maker([1, 0, 1])
    path = tmp_path / "clean.npz"
    assert same(first.once(path), second.once(path))
    assert (first.made, first.probed, second.made, second.probed) == (1, 0, 0, 1)


@pytest.mark.parametrize(
    "other",
    [Maker([0, 0, 1]), Maker([1, 1, 1]), Maker([1, 0]), Maker([1, 0, 1, 1]), Maker([1, 0, 1], first=5)],
    ids=["another answer", "another answer in the batch", "fewer images", "more images", "other ids"],
)
def test_a_model_or_data_that_differ_are_not_trusted(tmp_path, other):
    path = tmp_path / "clean.npz"
    Maker([1, 0, 1]).once(path)
    before = path.read_bytes()
    assert same(other.once(path), evidence(other.values, other.first))
    assert other.made == 1
    assert path.read_bytes() == before


def test_evidence_with_other_names_is_not_trusted(tmp_path):
    path = tmp_path / "clean.npz"
    path.write_bytes(Evidence(("i0",), ({"top5": np.array(1)},)).to_bytes())
    maker = Maker([1])
    assert same(maker.once(path), evidence([1]))
    assert maker.made == 1


@settings(deadline=None)
@given(st.data())
def test_a_damaged_file_is_made_again(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("run") / "clean.npz"
    Maker([1, 0, 1]).once(path)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole) - 1))
    kind = data.draw(st.sampled_from(["cut", "flipped", "zeros", "text"]))
    flipped = whole[:cut] + bytes([whole[cut] ^ data.draw(st.integers(1, 255))]) + whole[cut + 1 :]
    path.write_bytes({"cut": whole[:cut], "flipped": flipped, "zeros": bytes(cut), "text": b"npz"}[kind])
    maker = Maker([1, 0, 1])
    assert same(maker.once(path), evidence([1, 0, 1]))
    again = Maker([1, 0, 1])
    assert same(again.once(path), evidence([1, 0, 1]))
    assert again.made == 0 or kind == "flipped"


def test_an_error_while_making_leaves_the_next_one_to_try(tmp_path):
    path = tmp_path / "clean.npz"

    def fails():
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        made_once(path, ("i0",), fails, fails)
    maker = Maker([1])
    maker.once(path)
    assert maker.made == 1


def test_a_folder_that_cannot_be_written_costs_only_work(tmp_path, monkeypatch):
    from pathlib import Path

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for _ in range(2):
        maker = Maker([1, 0])
        assert same(maker.once(tmp_path / "clean.npz"), evidence([1, 0]))
        assert maker.made == 1


def test_where_there_is_no_room_for_a_lock_everybody_makes_their_own(tmp_path, monkeypatch):
    def full(self):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("filelock.FileLock._acquire", full)
    for _ in range(2):
        maker = Maker([1, 0])
        assert same(maker.once(tmp_path / "clean.npz"), evidence([1, 0]))
        assert (maker.made, maker.probed) == (1, 0)


def _in_a_process(path, queue):
    def make():
        time.sleep(0.3)
        queue.put("made")
        return evidence([1, 0, 1])

    found = made_once(path, evidence([1, 0, 1]).ids, make, lambda: evidence([1, 0]))
    queue.put(found.ids)


def test_processes_at_the_same_time_make_it_once(tmp_path):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    processes = [context.Process(target=_in_a_process, args=(tmp_path / "clean.npz", queue)) for _ in range(3)]
    for process in processes:
        process.start()
    answers = [queue.get(timeout=20) for _ in range(4)]
    for process in processes:
        process.join(20)
    assert answers.count("made") == 1
    assert answers.count(("i0", "i1", "i2")) == 3
