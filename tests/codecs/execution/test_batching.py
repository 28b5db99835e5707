"""Batches of items that go together, and what becomes of them when memory runs out."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass, field, fields
from inspect import signature

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.codecs.execution.batching import Device, Placed, in_batches, out_of_memory
from compress_guard.errors import CodecError


class Machine:
    """Doubles numbers; holds so many of them at once, and keeps the size of every batch that it was given."""

    def __init__(self, room=1000, error=None):
        self.room, self.error, self.batches = room, error or torch.cuda.OutOfMemoryError("CUDA out of memory."), []

    def __call__(self, items):
        self.batches.append(list(items))
        if len(items) > self.room:
            raise self.error
        return [2 * item for item in items]

    @property
    def sizes(self):
        return [len(batch) for batch in self.batches]


@given(
    st.lists(st.tuples(st.integers(), st.integers(0, 3))),
    st.integers(1, 6),
    st.integers(1, 6),
)
def test_results_come_in_the_order_of_the_items_whatever_fits(pairs, limit, room):
    items, keys = [item for item, _ in pairs], [key for _, key in pairs]
    machine = Machine(room)
    assert in_batches(items, keys, machine, Device(), limit) == [2 * item for item in items]
    assert all(size <= limit for size in machine.sizes)
    done = [batch for batch in machine.batches if len(batch) <= room]
    assert sorted(item for batch in done for item in batch) == sorted(items)


def test_only_items_with_equal_keys_share_a_batch_and_their_order_is_kept():
    machine = Machine()
    in_batches([1, 2, 3, 4, 5, 6, 7], ["a", "b", "a", "a", "b", "a", "a"], machine, Device(), 3)
    assert machine.batches == [[1, 3, 4], [6, 7], [2, 5]]


def test_the_limit_may_be_a_function_of_the_key():
    machine = Machine()
    in_batches(list(range(8)), [10, 10, 10, 10, 20, 20, 20, 20], machine, Device(), lambda key: 40 // key)
    assert machine.sizes == [4, 2, 2]


def test_what_does_not_fit_is_halved_for_that_key_and_for_later_calls_too():
    machine, device = Machine(room=3), Device("cpu:0")
    assert device.remark is None
    in_batches(list(range(16)), ["large"] * 16, machine, device, 16)
    assert machine.sizes == [16, 8, 4, 2, 2, 2, 2, 2, 2, 2, 2]
    assert device.remark == "batches cut to 2 after memory ran out on cpu:0"
    machine.batches.clear()
    in_batches(list(range(4)), ["large"] * 4, machine, device, 16)
    in_batches(list(range(3)), ["small"] * 3, machine, device, 16)
    assert machine.sizes == [2, 2, 3]


def test_a_short_batch_that_fails_is_halved_itself():
    machine = Machine(room=2)
    in_batches([1, 2, 3, 4], "aaaa", machine, Device(), 100)
    assert machine.sizes == [4, 2, 2]


def test_a_single_item_that_does_not_fit_is_an_error_that_says_what_to_do():
    items = [1, 2, 3]
    device = Device("cpu:0")
    with pytest.raises(
        CodecError,
        match=r"^memory ran out on cpu:0 with item 2 of 3 alone; "
        r"free memory there, use smaller images, or choose another device$",
    ):
        in_batches(items, ["a", "b", "a"], lambda batch: [7] if batch[0] != 2 else Machine(0)(batch), device, 1)


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you"),
        MemoryError(),
    ],
)
def test_all_the_ways_in_which_memory_runs_out(error):
    assert out_of_memory(error)
    machine = Machine(room=1, error=error)
    assert in_batches([1, 2], "aa", machine, Device(), 2) == [2, 4]
    assert machine.sizes == [2, 1, 1]


def test_memory_really_runs_out_on_the_cpu():
    """torch's own error, not one that is made up here."""

    def run(items):
        return [torch.empty(len(items) ** 20, 1 << 40).sum() if len(items) > 1 else items[0]]

    assert in_batches([5, 6], "aa", run, Device(), 2) == [5, 6]


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), ValueError("out of memory"), KeyError("x")])
def test_other_errors_are_not_caught(error):
    machine = Machine(room=1, error=error)
    with pytest.raises(type(error)):
        in_batches([1, 2], "aa", machine, Device(), 2)
    assert machine.sizes == [2]


def test_the_memory_of_a_batch_that_failed_is_free_before_the_next_try():
    held = []

    def run(items):
        assert all(ref() is None for ref in held)
        work = torch.zeros(8)
        held.append(weakref.ref(work))
        if len(items) > 1:
            raise torch.cuda.OutOfMemoryError
        return items

    gc.disable()  # counting references must do, the collector would hide a frame that is kept
    try:
        in_batches([1, 2], "aa", run, Device(), 2)
    finally:
        gc.enable()
    assert len(held) == 3


def test_a_run_that_loses_an_item_is_found_out():
    with pytest.raises(ValueError, match="shorter"):
        in_batches([1, 2], "aa", lambda items: items[:1], Device(), 2)


def test_nothing_to_do():
    machine = Machine()
    assert in_batches([], [], machine, Device(), 4) == []
    assert machine.batches == []


# The codec's side


@dataclass(frozen=True, slots=True)
class Doubler(Placed):
    """A codec of one option."""

    factor: int = 2
    _place: Device = field(default_factory=Device, init=False, repr=False, compare=False)


def test_a_codec_starts_on_the_cpu_without_a_remark():
    codec = Doubler(3)
    assert (codec.device, codec.remark) == ("cpu", None)
    assert codec.on("cpu") is codec


def test_moving_keeps_options_and_identity_and_gives_a_device_of_its_own():
    codec = Doubler(3)
    moved = codec.on("cuda:1")
    assert (moved.device, moved.factor, codec.device) == ("cuda:1", 3, "cpu")
    assert moved == codec
    assert (repr(moved), hash(moved)) == (repr(codec), hash(codec))
    assert repr(codec).endswith("Doubler(factor=3)")
    moved._place.note("slow")
    assert (moved.remark, codec.remark, moved.on("cuda:0").remark, moved.on("cpu").remark) == ("slow", None, None, None)


def test_the_device_is_no_option():
    assert list(signature(Doubler).parameters) == ["factor"]
    assert [one.name for one in fields(Doubler) if one.init] == ["factor"]


def test_remarks_keep_their_order_and_the_first_about_a_subject_stays():
    device = Device("cuda:0")
    for remark, about in [("one", None), ("two", "x"), ("one", None), ("three", "x"), ("four", None)]:
        device.note(remark, about)
    assert device.remark == "one; two; four"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_batch_that_is_too_large_for_the_gpu_is_cut():
    device = Device("cuda:0")
    free, _ = torch.cuda.mem_get_info(device.name)

    def run(items):
        # Three of these fit, four do not, and none would if those that failed were still held.
        held = [torch.empty(int(0.28 * free), dtype=torch.uint8, device=device.name) for _ in items]
        return [item + int(one.numel() > 0) for item, one in zip(items, held, strict=True)]

    assert in_batches([1, 2, 3, 4, 5], "aaaaa", run, device, 5) == [2, 3, 4, 5, 6]
    assert device.remark == "batches cut to 2 after memory ran out on cuda:0"
    torch.cuda.empty_cache()
