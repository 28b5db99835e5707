"""Timing of work."""

from __future__ import annotations

import gc

import pytest
import torch

from compress_guard.engine.machine import clock
from compress_guard.engine.machine.clock import timed, torch_threads


def test_seconds_and_what_came_of_it(monkeypatch):
    now = [40.0]
    monkeypatch.setattr(clock.time, "perf_counter", lambda: now[0])
    assert timed(lambda: now.append(now.pop() + 2.5) or "done", "cpu") == (2.5, "done")


@pytest.mark.parametrize("device", ["cuda:1", "cpu"])
def test_a_gpu_is_waited_for_before_and_inside(device, monkeypatch):
    events = []
    monkeypatch.setattr(torch.cuda, "synchronize", events.append)
    monkeypatch.setattr(clock.time, "perf_counter", lambda: events.append("clock") or 0.0)
    timed(lambda: events.append("work"), device)
    waits = [device] if device != "cpu" else []
    assert events == [*waits, "clock", "work", *waits, "clock"]


@pytest.mark.parametrize("enabled", [True, False])
def test_no_garbage_is_collected_meanwhile(enabled):
    (gc.enable if enabled else gc.disable)()
    try:
        assert timed(gc.isenabled, "cpu")[1] is False
        assert gc.isenabled() is enabled
        with pytest.raises(ValueError, match="broken"):
            timed(lambda: (_ for _ in ()).throw(ValueError("broken")), "cpu")
        assert gc.isenabled() is enabled
    finally:
        gc.enable()


def test_torch_has_its_threads_for_a_while():
    before = torch.get_num_threads()
    with torch_threads(before + 1):
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="broken"), torch_threads(before + 2):
        raise ValueError("broken")
    assert torch.get_num_threads() == before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_work_on_a_gpu_is_timed_to_its_end():
    big = torch.randn(4096, 4096, device="cuda:0")
    timed(lambda: big @ big, "cuda:0")
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))

    def work():
        first.record(torch.cuda.current_stream("cuda:0"))
        products = [big @ big for _ in range(20)]
        last.record(torch.cuda.current_stream("cuda:0"))
        return products

    seconds, _ = timed(work, "cuda:0")
    # Were it not waited for, the last product would not be there, and the GPU's own clock would show more time.
    assert last.query()
    assert 1000 * seconds > 0.99 * first.elapsed_time(last)
