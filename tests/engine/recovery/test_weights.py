"""Finished weights on disk: counted, dropped when they lay unused longest, and never a reason to stop."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import torch

from compress_guard.engine.recovery.pool import Pool
from compress_guard.engine.recovery.weights import Weights
from compress_guard.errors import RunError
from compress_guard.store import WEIGHTS, Store


def kept(store: Path, key: str, seed: int) -> torch.nn.Linear:
    torch.manual_seed(seed)
    module, weights = torch.nn.Linear(20, 20), Weights(store / WEIGHTS, key)
    with weights.lock():
        weights.keep(module, {"seed": seed})
    return module


def test_they_come_back_with_what_they_were(tmp_path):
    module, other = kept(tmp_path, "a", 1), torch.nn.Linear(20, 20)
    assert Weights(tmp_path / WEIGHTS, "a").fill(other)
    assert torch.equal(module.weight, other.weight)
    assert json.loads((tmp_path / WEIGHTS / "a" / "about.json").read_text())["seed"] == 1
    assert not Weights(tmp_path / WEIGHTS, "b").fill(other)


def test_the_cap_of_the_store_counts_them_and_drops_what_lay_unused_longest(tmp_path):
    for number, key in enumerate("abc"):
        kept(tmp_path, key, number)
        for path in (tmp_path / WEIGHTS / key).iterdir():
            os.utime(path, (1000 * number, 1000 * number))
    assert Weights(tmp_path / WEIGHTS, "a").fill(torch.nn.Linear(20, 20)), "now it was used last"
    size = sum(path.stat().st_size for path in (tmp_path / WEIGHTS / "a").iterdir())
    assert Store(tmp_path, 2 * size).trim() == 2
    there = [key for key in "abc" if Weights(tmp_path / WEIGHTS, key).fill(torch.nn.Linear(20, 20))]
    assert there == ["a", "c"]


def test_a_store_that_cannot_be_written_only_forgets(tiny):
    (tiny.folder / "store").mkdir()
    (tiny.folder / "store" / WEIGHTS).write_text("not a folder")
    assert [tiny.only(tiny.recovery(seeds=(0,))).result.trained for _ in range(2)] == [2, 2]


def test_a_disk_that_takes_no_decoded_images_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot be written to .*file \(.*\); make room there, or name another folder"):
        Pool.of(tmp_path / "file" / "images.raw", [])
