"""An interrupted study continues where it stopped, and ends with the same result as without a stop."""

from __future__ import annotations

import shutil
import signal
from dataclasses import replace

import pytest

from compress_guard.engine.recovery import recipes


def interrupt_at(what, step, told):
    """Progress that a person's Ctrl-C ends."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background may have been told to ignore it

    def progress(name, done, total):
        told.append((name, done))
        if (name, done) == (what, step):
            signal.raise_signal(signal.SIGINT)

    return progress


def test_an_interrupted_study_goes_on_from_its_checkpoint_to_the_same_result(tiny, monkeypatch):
    monkeypatch.setattr(recipes, "CHECKPOINT_SECONDS", 0.0)
    recovery = tiny.recovery(steps=5)
    second = "finetuning toys on jpeg 3.0bpp, seed 1: step"
    with pytest.raises(KeyboardInterrupt):
        tiny.only(recovery, progress=interrupt_at(second, 3, []))
    assert len(tiny.kept) == 1
    told = []
    resumed = tiny.only(recovery, progress=lambda name, done, total: told.append((name, done)))
    assert resumed.result.trained == 3
    assert [done for name, done in told if name == second] == [0, 4, 5]
    assert ("finetuning toys on jpeg 3.0bpp, seed 0: step", 1) not in told
    weights = {path.parent.name: path.read_bytes() for path in tiny.kept}
    shutil.rmtree(tiny.folder / "store" / "recovery")
    straight = tiny.only(recovery)
    assert straight.result.trained == 4
    assert {path.parent.name: path.read_bytes() for path in tiny.kept} == weights
    assert replace(straight.result, seconds=0, trained=0) == replace(resumed.result, seconds=0, trained=0)


def test_a_damaged_checkpoint_only_costs_a_start_from_the_beginning(tiny, monkeypatch):
    monkeypatch.setattr(recipes, "CHECKPOINT_SECONDS", 0.0)
    recovery, what = tiny.recovery(seeds=(0,)), "finetuning toys on jpeg 3.0bpp, seed 0: step"
    with pytest.raises(KeyboardInterrupt):
        tiny.only(recovery, progress=interrupt_at(what, 2, []))
    (checkpoint,) = (tiny.folder / "store" / "recovery").glob("*/checkpoint")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    told = []
    assert tiny.only(recovery, progress=lambda name, done, total: told.append((name, done))).problem is None
    assert (what, 1) in told
    assert not checkpoint.exists()
