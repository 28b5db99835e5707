"""A model whose answers change while it is measured: distinguished from the effect of compression."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from compress_guard import measure
from compress_guard.engine.prediction.batches import Batch
from compress_guard.engine.prediction.shards import Shard
from compress_guard.engine.prediction.steadiness import FirstBatch
from compress_guard.errors import ModelError
from compress_guard.tasks.classification import Classification

MOVED = (
    "the model's answers changed while the guard was measured: {moved} of 4 predictions of its first clean batch were "
    "different when it was asked again at the end{allowed}, the first: {first}; expected the same answers; the model "
    "keeps state between calls (statistics, learning), or other code changes it; let predictions depend on the images "
    "alone; {blame}"
)


def message(blame, moved=4, first="t00", allowed=""):
    return f"^{re.escape(MOVED.format(moved=moved, first=first, allowed=allowed, blame=blame))}$"


@pytest.fixture
def drifting(spectrum: Any):
    """A model that gives other answers after a number of calls."""

    def make(after, change=lambda scores: scores * 1.0001):
        class Drifting(spectrum):
            def __call__(self, images):
                answers = super().__call__(images)
                return [change(one) for one in answers] if len(self.seen) > after else answers

        return Drifting(4)

    return make


# Twelve images in batches of four: three calls clean, three in the control, three among other neighbours.
BEFORE_CELLS = 9


def test_a_model_that_moves_is_an_error_of_the_last_cell(drifting, pictures, diary, make_guard, make_world):
    world = make_world(make_guard(rates=(1.0, 2.0, 3.0)), drifting(BEFORE_CELLS + 4), pictures(12))
    *others, last = world.guard.cells
    found = [world.bench.measure(cell, cell.name).result for cell in others]
    assert {result.verdict for result in found} == {"pass"}
    measured = world.bench.measure(last, last.name, last=True)
    result = measured.result
    blame = "this cell and the 2 cells of the guard measured before it in this process cannot be trusted"
    assert re.match(message(blame), result.reason)
    assert (result.verdict, result.outcome) == ("error", "failed")
    assert (result.clean_score, result.score, result.drop, result.drop_low, result.changed) == (None,) * 5
    assert (result.clean_remark, result.resolvable_drop, result.unseen_drop) == (None,) * 3
    assert (measured.evidence, str(measured.problem)) == (None, result.reason)
    assert result.predictions == 12 + 4


@pytest.mark.parametrize("calls", [6, 7])
def test_a_model_that_moves_among_the_mixed_batches_is_not_blamed_on_its_neighbours(
    drifting, pictures, diary, make_guard, make_world, calls
):
    model = drifting(calls, lambda scores: scores.flip(0))
    result = make_world(make_guard(), model, pictures(12)).only().result
    assert result.verdict == "error"
    assert result.reason.startswith("the model's answers changed while the guard was measured: 4 of 4 predictions")


def test_a_model_that_stays_is_asked_once_and_nothing_is_said(spectrum, pictures, diary, make_guard, make_world):
    world = make_world(make_guard(rates=(1.0, 2.0)), spectrum(4), pictures(12))
    first, last = (
        world.bench.measure(cell, cell.name, last=at == 1).result for at, cell in enumerate(world.guard.cells)
    )
    assert (last.verdict, last.predictions) == ("pass", 12 + 4)
    assert first.predictions == 12 + 12 + first.control_mixed + 12
    assert [len(batch) for batch in world.model.seen[-1:]] == [4]
    assert all(torch.equal(*pair) for pair in zip(world.model.seen[-1], world.model.seen[0], strict=True))


def test_a_cell_that_is_skipped_at_the_end_does_not_hide_it(drifting, pictures, diary, make_guard, make_world):
    diary.missing = "gone"
    world = make_world(make_guard(("webp", "toy"), (3.0,)), drifting(BEFORE_CELLS + 1), pictures(12))
    first, last = world.guard.cells
    assert world.bench.measure(first, first.name).result.drop is not None
    result = world.bench.measure(last, last.name, last=True).result
    assert (result.verdict, result.outcome) == ("error", "failed")
    assert result.reason.startswith(
        "gone; failed by on_unavailable: fail; the model's answers changed while the guard was measured: "
    )
    assert result.reason.endswith(
        "this cell and the cell of the guard measured before it in this process cannot be trusted"
    )


def test_a_guard_without_a_verdict_asks_nothing(drifting, pictures, diary, make_guard, make_world):
    diary.missing = "gone"
    world = make_world(make_guard(), drifting(0), pictures(12))
    (cell,) = world.guard.cells
    result = world.bench.measure(cell, cell.name, last=True).result
    assert (result.verdict, result.reason, result.predictions) == (
        "unavailable",
        "gone; failed by on_unavailable: fail",
        0,
    )


def test_a_model_that_raises_when_it_is_asked_again(spectrum: Any, pictures, diary, make_guard, make_world):
    class Tired(spectrum):
        def __call__(self, images):
            if len(self.seen) == BEFORE_CELLS + 3:
                raise RuntimeError("out of memory")
            return super().__call__(images)

    world = make_world(make_guard(), Tired(4), pictures(12))
    (cell,) = world.guard.cells
    result = world.bench.measure(cell, cell.name, last=True).result
    assert result.verdict == "error"
    assert result.reason == (
        "asked its first clean batch again at the end of the guard: the model raised RuntimeError: out of memory; this "
        "cell cannot be trusted"
    )


def test_measure_raises_for_it(drifting, pictures):
    wanted = {"task": "classification", "codec": "webp", "bpp": 1.0, "device": "cpu", "workers": 1}
    with pytest.raises(ModelError, match=message("this cell cannot be trusted")):
        measure(drifting(BEFORE_CELLS), pictures(12), **wanted)
    assert measure(drifting(100), pictures(12), **wanted).verdict == "unjudged"


def test_on_a_cpu_the_last_bit_counts_and_on_a_gpu_the_prediction(pictures):
    """A device that is the CPU by another name."""
    rows = pictures(4)
    task, scores = Classification(), [torch.tensor([1.0, 0.0, 0.5, 0.2]).numpy()] * 4
    images, names = [image for image, _, _ in rows], tuple(name for _, _, name in rows)
    batch = Batch(names, images, [task.target(label, (1, 1)) for _, label, _ in rows], [(1, 1)] * 4, ())
    shard = Shard(lambda: batch, names, "")

    def fault(device, *changed):
        answers = [{"scores": one} for one in scores]
        first = FirstBatch(task, shard, batch, answers, device)
        again = [{"scores": changed[at]} if at < len(changed) else answer for at, answer in enumerate(answers)]
        return first.fault(batch, again)

    nudged, turned = scores[0] * 1.0001, scores[0][::-1]
    assert fault("cpu") is None
    assert "1 of 4 predictions of its first clean batch were different" in fault("cpu", nudged)
    assert fault("cpu:0") is None
    assert fault("cpu:0", nudged, nudged) is None
    said = "2 of 4 predictions of its first clean batch were different when it was asked again at the end (allowed on a"
    assert said in fault("cpu:0", turned, turned)
