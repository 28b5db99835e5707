"""The memory of this process: the peak during work, and the amount that stays in use."""

from __future__ import annotations

import gc
import mmap
from types import SimpleNamespace

import pytest
import torch

from compress_guard.engine.machine import memory
from compress_guard.engine.machine.memory import Peak, held

TELLS = memory._status("VmHWM") is not None and memory._CLEAR.exists()
tells = pytest.mark.skipif(not TELLS, reason="this system does not tell a process its memory")


def fresh(size):
    """Return memory that is new to the process: an allocator might reuse memory of earlier work."""
    memory = mmap.mmap(-1, size)
    for page in range(0, size, mmap.PAGESIZE):
        memory[page] = 1
    return memory


@tells
def test_the_peak_is_what_is_held_meanwhile():
    peak = Peak("cpu")
    fresh(40_000_000).close()
    assert 35 < peak.megabytes() < 60


@tells
def test_a_peak_of_before_does_not_count():
    fresh(80_000_000).close()
    assert Peak("cpu").megabytes() < 10


@tells
def test_held_is_what_stays():
    before = held("cpu")
    kept = fresh(30_000_000)
    assert 27 < held("cpu") - before < 33
    kept.close()
    assert abs(held("cpu") - before) < 3


@tells
def test_pages_of_a_file_are_not_held(tmp_path):
    file = tmp_path / "pages"
    file.write_bytes(bytes(30_000_000))
    before = held("cpu")
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as pages:
        assert sum(pages[:: mmap.PAGESIZE]) == 0
        assert abs(held("cpu") - before) < 3


def test_a_system_that_tells_only_the_whole(monkeypatch):
    monkeypatch.setattr(memory, "_status", {"VmRSS": 80.0}.get)
    assert held("cpu") == 80.0


def test_swapped_memory_is_held(monkeypatch):
    monkeypatch.setattr(memory, "_status", {"VmRSS": 80.0, "RssAnon": 50.0, "VmSwap": 7.0}.get)
    assert held("cpu") == 57.0


@tells
def test_garbage_in_circles_is_not_held():
    gc.disable()
    try:
        before = held("cpu")
        circle = SimpleNamespace(data=fresh(30_000_000))
        circle.self = circle
        del circle
        assert abs(held("cpu") - before) < 3
    finally:
        gc.enable()


def test_a_system_that_does_not_tell(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "folder" / "clear_refs")
    assert Peak("cpu").megabytes() is None
    assert held("cpu") is None


@pytest.fixture
def gpu(monkeypatch):
    """A CUDA device in numbers: bytes that torch has, the most that it had, and bytes free of all."""
    there = SimpleNamespace(has=0, most=0, free=100_000_000, calls=[])

    def reset(device):
        there.calls.append(("reset", device))
        there.most = there.has

    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", reset)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda device: there.has)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: there.most)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (there.free, 100_000_000))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: there.calls.append(("synchronize", device)))
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: there.calls.append(("empty_cache",)))
    return there


def test_on_a_gpu_the_peak_is_torchs(gpu):
    gpu.has, gpu.most = 7_000_000, 50_000_000
    peak = Peak("cuda:1")
    gpu.most = 19_000_000
    assert peak.megabytes() == pytest.approx(12)
    assert gpu.calls == [("reset", "cuda:1")]


def test_on_a_gpu_all_that_is_in_use_there_is_held_too(gpu, monkeypatch):
    monkeypatch.setattr(memory, "_status", lambda name: 500.0)
    before = held("cuda:1")
    gpu.free -= 30_000_000
    assert held("cuda:1") - before == pytest.approx(30)
    # What torch keeps for later is nobody's loss.
    assert gpu.calls == [("synchronize", "cuda:1"), ("empty_cache",)] * 2
    monkeypatch.setattr(memory, "_status", lambda name: None)
    assert held("cuda:1") is None


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_real_gpu():
    torch.zeros(1, device="cuda:0")
    before, peak = held("cuda:0"), Peak("cuda:0")
    work = torch.ones(40_000_000, dtype=torch.uint8, device="cuda:0")
    assert 35 < held("cuda:0") - before < 60
    del work
    assert 35 < peak.megabytes() < 45
    assert abs(held("cuda:0") - before) < 10
