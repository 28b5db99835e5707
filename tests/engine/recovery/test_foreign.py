"""Weights in a store where links stand in for what the store would have written."""

from __future__ import annotations

import os

import pytest
import torch

from compress_guard.engine.recovery import recipes
from compress_guard.engine.recovery.weights import Weights, largest_file
from compress_guard.store import WEIGHTS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links of POSIX")


@pytest.fixture
def outside(tmp_path):
    folder = tmp_path / "outside"
    folder.mkdir()
    return folder


def kept(tmp_path) -> tuple[torch.nn.Module, Weights]:
    module, weights = torch.nn.Linear(20, 20), Weights(tmp_path / "store" / WEIGHTS, "key")
    with weights.lock() as checkpoint:
        assert checkpoint == tmp_path / "store" / WEIGHTS / "key" / "checkpoint"
        weights.keep(module, {"of": "a test"})
    return module, weights


def filled(weights: Weights) -> bool:
    with weights.lock():
        return weights.fill(torch.nn.Linear(20, 20))


@pytest.mark.parametrize("level", [WEIGHTS, f"{WEIGHTS}/key", f"{WEIGHTS}/key/weights.pt", f"{WEIGHTS}/key/about.json"])
def test_nothing_is_read_or_written_through_a_link(tmp_path, outside, level):
    module, weights = kept(tmp_path)
    assert filled(weights)
    place = tmp_path / "store" / level
    place.rename(outside / "moved")
    place.symlink_to(outside / "moved")
    before = {path: path.stat().st_mtime_ns for path in outside.rglob("*") if path.is_file()}
    assert not filled(weights)
    with weights.lock() as checkpoint:
        weights.keep(module, {})
        if "." not in level:
            assert not checkpoint.is_relative_to(tmp_path)
            recipes._save(checkpoint, module, torch.optim.SGD(module.parameters()), 3)
            assert recipes._resumed(checkpoint, module, torch.optim.SGD(module.parameters())) == 3
    assert {path: path.stat().st_mtime_ns for path in outside.rglob("*") if path.is_file()} == before
    assert place.is_symlink()


@pytest.mark.parametrize("name", ["key.lock", "key/checkpoint"])
@pytest.mark.parametrize("dangling", [True, False])
def test_locks_and_checkpoints_that_are_links(tmp_path, outside, name, dangling):
    if not dangling:
        (outside / "mine").write_text("mine")
    place = tmp_path / "store" / WEIGHTS / name
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / "mine")
    weights = Weights(tmp_path / "store" / WEIGHTS, "key")
    module = torch.nn.Linear(2, 2)
    with weights.lock() as checkpoint:
        assert not checkpoint.is_relative_to(tmp_path)
        recipes._save(checkpoint, module, torch.optim.SGD(module.parameters()), 3)
    assert [path.read_text() for path in outside.iterdir()] == ([] if dangling else ["mine"])


def test_a_hard_link_to_what_is_kept_is_not_written_through(tmp_path, outside):
    module, weights = kept(tmp_path)
    about = tmp_path / "store" / WEIGHTS / "key" / "about.json"
    os.link(about, outside / "copy")
    before = (outside / "copy").read_text()
    with weights.lock():
        weights.keep(module, {"of": "another test"})
    assert (outside / "copy").read_text() == before
    assert about.read_text() != before


def test_weights_of_forty_gigabytes_are_not_read(tmp_path):
    _, weights = kept(tmp_path)
    path = tmp_path / "store" / WEIGHTS / "key" / "weights.pt"
    with path.open("r+b") as file:
        file.truncate(40 * 2**30)
    assert not filled(weights)
    assert not path.exists(), "damaged, as far as anybody can tell"


def test_a_pipe_is_not_waited_for(tmp_path):
    module, weights = kept(tmp_path)
    folder = tmp_path / "store" / WEIGHTS / "key"
    (folder / "weights.pt").unlink()
    os.mkfifo(folder / "weights.pt")
    os.mkfifo(folder / "pipe")
    assert not filled(weights)
    with weights.lock():
        weights.keep(module, {})
    assert recipes._resumed(folder / "pipe", module, torch.optim.SGD(module.parameters())) == 0


def test_a_checkpoint_of_forty_gigabytes_is_not_read(tmp_path):
    module = torch.nn.Linear(2, 2)
    with (tmp_path / "checkpoint").open("wb") as file:
        file.truncate(40 * 2**30)
    assert recipes._resumed(tmp_path / "checkpoint", module, torch.optim.SGD(module.parameters())) == 0


def test_room_for_what_is_kept():
    module = torch.nn.Linear(20, 20)
    assert largest_file(module) == 8 * 4 * (20 * 20 + 20) + 2**20
