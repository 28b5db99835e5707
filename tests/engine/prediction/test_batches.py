"""Images through a model, batch by batch: in which batches, in which order, and what a model may not answer."""

from __future__ import annotations

import re
import threading
import time
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compress_guard.engine.images.reader import SampleReader
from compress_guard.engine.images.samples import Samples
from compress_guard.engine.images.survey.passes import survey
from compress_guard.engine.prediction.batches import (
    AHEAD,
    Batch,
    ahead,
    batch_size_of,
    clean_batch,
    positions_in_batches,
    predict,
)
from compress_guard.errors import CodecError, ModelError
from compress_guard.tasks.classification import Classification

TASK = Classification()


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(1, 50))
def test_batches_cut_the_data_in_order_and_all_but_the_last_are_full(count, size):
    batches = list(positions_in_batches(count, size))
    assert [at for batch in batches for at in batch] == list(range(count))
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(0 < len(batch) <= size for batch in batches)


def test_a_model_says_its_batch_size_itself():
    class Model:
        batch_size = 5

    assert batch_size_of(Model()) == 5
    assert batch_size_of(len) == 32


@pytest.mark.parametrize("size", [0, -1, None, "8", 2.5, True])
def test_a_batch_size_that_is_none(size):
    class Model:
        batch_size = size

    message = f"the model's batch_size is {size!r}; expected a whole number of at least 1"
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        batch_size_of(Model())


def test_a_clean_batch_is_a_copy_that_a_model_may_scribble_on(pictures):
    samples = Samples(SampleReader(pictures(3), lambda raw, size: raw))
    batch = clean_batch(samples, survey(samples), range(1, 3), "cpu")
    assert (batch.ids, batch.targets, batch.bpp) == (("t01", "t02"), [1, 2], ())
    for image in batch.images:
        image.zero_()
    assert all(samples[at].image.equal(pictures(3)[at][0]) for at in range(3))


# Making batches ahead of the model


def numbered(number):
    return Batch((str(number),), [], [], [], ())


@settings(deadline=None)
@given(st.integers(0, 12))
def test_order_is_kept(count):
    assert [batch.ids for batch in ahead([partial(numbered, at) for at in range(count)])] == [
        (str(at),) for at in range(count)
    ]


def test_batches_are_made_while_the_model_works_but_only_a_few_ahead():
    made, ready = [], threading.Event()

    def make(number):
        made.append((number, threading.current_thread() is not threading.main_thread()))
        if len(made) == 1 + AHEAD:
            ready.set()
        return numbered(number)

    batches = ahead([partial(make, at) for at in range(10)])
    next(batches)
    assert ready.wait(5)
    time.sleep(0.05)
    assert made == [(at, True) for at in range(1 + AHEAD)]
    next(batches)
    batches.close()
    assert len(made) <= 2 + AHEAD


def test_an_error_while_making_comes_in_its_turn_and_stops_the_rest():
    def fails():
        raise CodecError("broken")

    made = []
    batches = ahead([partial(numbered, 0), fails, partial(numbered, 2), *[lambda: made.append(1)] * 20])
    assert next(batches).ids == ("0",)
    with pytest.raises(CodecError, match="^broken$"):
        next(batches)
    assert len(made) <= AHEAD


# What a model may answer


def batch_of(count):
    images = [torch.zeros(3, 4, 4, dtype=torch.uint8)] * count
    targets = [{"label": np.array(0)}] * count
    return Batch(tuple(f"i{at}" for at in range(count)), images, targets, [(4, 4)] * count, ())


@pytest.mark.parametrize(
    "answer",
    [
        lambda images: [torch.tensor([2.0, 1.0])] * len(images),
        lambda images: torch.tensor([[2.0, 1.0]] * len(images)),
        lambda images: np.array([[2.0, 1.0]] * len(images)),
        lambda images: tuple([[2.0, 1.0]] * len(images)),
    ],
)
def test_answers_that_are_taken(answer):
    evidence = predict(answer, TASK, batch_of(3))
    assert evidence.ids == ("i0", "i1", "i2")
    assert [int(item["top1"]) for item in evidence.items] == [1, 1, 1]


def test_a_model_is_not_bothered_with_an_empty_batch():
    assert predict(lambda images: 1 / 0, TASK, batch_of(0)).ids == ()


def _raises(error):
    def model(images):
        raise error

    return model


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (_raises(ValueError("too small")), "the model raised ValueError: too small"),
        (_raises(SystemExit(3)), "the model raised SystemExit: 3"),
        (_raises(ModelError("in its own words")), "in its own words"),
        (
            lambda images: [torch.zeros(2)],
            "the model returned 1 predictions for 2 images; expected a list with one prediction per image",
        ),
        (
            lambda images: None,
            "the model returned a NoneType for 2 images; expected a list with one prediction per image",
        ),
        (
            lambda images: (torch.zeros(2) for _ in images),
            "the model returned a generator for 2 images; expected a list with one prediction per image",
        ),
        (
            lambda images: torch.tensor(1.0),
            "the model returned a Tensor for 2 images; expected a list with one prediction per image",
        ),
        (
            lambda images: [torch.zeros(2), torch.zeros(1, 2)],
            "image i1: prediction for a 3x4x4 image is a Tensor of shape (1, 2); expected scores of shape (K,), one "
            "prediction per image; return scores without the batch dimension",
        ),
    ],
)
def test_answers_that_are_refused(model, message):
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        predict(model, TASK, batch_of(2))


def test_an_interrupt_is_no_model_error():
    with pytest.raises(KeyboardInterrupt):
        predict(_raises(KeyboardInterrupt()), TASK, batch_of(1))
