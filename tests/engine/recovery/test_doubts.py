"""Doubts of a study: its data in other processes of the run, and the guard's own model at its end."""

from __future__ import annotations

import threading

import pytest

from compress_guard.engine.images import reader
from compress_guard.engine.session import without_fixtures

MORE = """
    class Nudged:
        # The guard's model answers otherwise from this call on.
        batch_size = 5

        def __init__(self, inner):
            self.inner, self.module, self.preprocess = inner, inner.module, inner.preprocess
            self.calls, self.after = 0, 10**6

        def __call__(self, images):
            self.calls += 1
            answers = self.inner(images)
            return [one + 0.125 for one in answers] if self.calls > self.after else answers

        def with_module(self, module):
            return self.inner.with_module(module)

    def nudged():
        MODELS.append(Nudged(made(Network, "classification")))
        return MODELS[-1]

    def meddling(module, batches, steps):
        MODELS[-1].after = 0
        return module
"""


@pytest.fixture
def nudged(tiny):
    path = tiny.folder / f"{tiny.name}.py"
    path.write_text(path.read_text() + "\n".join(line.removeprefix("    ") for line in MORE.splitlines()) + "\n")
    return tiny


def measured(tiny, trainer, last=True):
    recovery = tiny.recovery(seeds=(0,), trainer=trainer)
    session = tiny.session(recovery, model="M:nudged")
    try:
        (cell,) = recovery.cells
        return session.measure_recovery(cell, cell.name, without_fixtures, tiny.tell, last=last)
    finally:
        session.close()


def test_a_trainer_that_changes_the_guard_s_own_model_is_noticed_at_the_end(nudged):
    found = measured(nudged, "M:meddling")
    assert (found.result.verdict, found.result.outcome) == ("error", "failed")
    assert found.result.reason.startswith(
        "the model's answers changed while the guard was measured: 5 of 5 predictions "
    )
    assert found.result.reason.endswith("this cell cannot be trusted")
    assert found.result.points == ()
    assert str(found.problem) == found.result.reason


def test_a_sound_one_is_asked_one_batch_more(nudged):
    calls = []
    for last in (False, True):
        assert measured(nudged, "M:look", last).result.verdict != "error"
        calls.append(nudged.module.MODELS[-1].calls)
    assert calls[1] == calls[0] + 1


def test_training_data_that_differs_in_another_process_of_the_run(tiny, monkeypatch):
    """Two sessions with one folder of the run stand for two processes."""
    recovery = tiny.recovery(seeds=(0,), trainer="M:look")
    (cell,) = recovery.cells
    first = tiny.session(recovery)
    assert first.measure_recovery(cell, cell.name, without_fixtures, tiny.tell).result.verdict != "error"
    first.close()
    second = tiny.session(recovery)
    monkeypatch.setattr(second, "settings", first.settings)
    rows = [(image.flip(-1) if at == 7 else image, *rest) for at, (image, *rest) in enumerate(tiny.module.train())]
    monkeypatch.setattr(tiny.module, "train", lambda: rows)
    try:
        result = second.measure_recovery(cell, cell.name, without_fixtures, tiny.tell).result
    finally:
        second.close()
    assert result.verdict == "error"
    assert "the processes of this run see different data: image " in result.reason
    assert result.reason.startswith("training data ")


def test_data_bound_to_its_thread_is_studied_like_any_other(tiny, monkeypatch):
    monkeypatch.setattr(reader, "KEPT_BYTES", 0)
    plain = tiny.only(tiny.recovery(seeds=(0,), trainer="M:look")).result

    class Bound:
        def __init__(self, rows):
            self.rows, self.thread = rows, threading.get_ident()

        def __len__(self):
            return len(self.rows)

        def __getitem__(self, at):
            if threading.get_ident() != self.thread:
                raise RuntimeError("opened on another thread")
            return self.rows[at]

    for name in ("data", "train"):
        rows = getattr(tiny.module, name)()
        monkeypatch.setattr(tiny.module, name, lambda rows=rows: Bound(rows))
    bound = tiny.only(tiny.recovery(seeds=(0,), trainer="M:look")).result
    assert (bound.verdict, bound.points) == (plain.verdict, plain.points)
