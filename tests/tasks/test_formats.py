"""Tensors and arrays of every kind: read exactly, or refused by a message that names them; nothing raises."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

from compress_guard.errors import DataError, ModelError
from compress_guard.registry import TASKS
from compress_guard.tasks.arrays import describe, read

VALUES = [0.0, 1.5, 0.0, -2.0]


class Raises:
    """An array of another library that cannot be brought here."""

    shape = (3,)
    dtype = "float32"

    def __array__(self, *_, **__):
        raise RuntimeError("copy it to the host first")

    def __len__(self):
        raise TypeError("no length")

    def __repr__(self):
        raise ValueError


class Lazy(dict):
    """A mapping that cannot be opened."""

    def __iter__(self, *_):
        raise OSError("the archive is closed")

    keys = __contains__ = __len__ = __iter__


def quantised(values):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.tensor(values), 0.5, 0, torch.qint8)


def nested():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])


@pytest.mark.parametrize(
    "raw",
    [
        torch.tensor(VALUES),
        torch.tensor(VALUES).to(torch.float8_e4m3fn),
        torch.tensor(VALUES).to(torch.float8_e5m2),
        torch.tensor(VALUES).bfloat16(),
        torch.tensor(VALUES).half(),
        torch.tensor(VALUES).to_sparse(),
        quantised(VALUES),
        torch.tensor(VALUES, requires_grad=True),
        torch.tensor(VALUES).flip(0).flip(0)[::1],
        np.array(VALUES, dtype=np.float16),
        np.ma.masked_array(VALUES, mask=[0, 0, 0, 0]),
        VALUES,
        tuple(VALUES),
    ],
    ids=lambda raw: f"{type(raw).__name__}-{getattr(raw, 'dtype', '')}-{getattr(raw, 'layout', '')}",
)
def test_every_kind_of_number_is_read_exactly(raw):
    array = read(raw)
    assert array is not None
    assert array.astype(np.float64).tolist() == VALUES
    scores = TASKS.resolve("classification")().prediction(raw, (8, 8))["scores"]
    assert scores.tolist() == VALUES


def test_a_sparse_map_of_labels_is_a_map_of_labels():
    labels = torch.tensor([[0, 3], [0, 255]])
    task = TASKS.resolve("segmentation")()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's word that CSR is in beta
        rows = labels.to_sparse_csr()
    for raw in (labels.to_sparse(), rows):
        assert task.target(raw, (2, 2))["labels"].tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("raw", "described"),
    [
        (torch.zeros(3, dtype=torch.complex64), "a Tensor of shape (3,) and dtype complex64"),
        (torch.zeros(3, device="meta"), "a Tensor on the device meta, which holds no values"),
        (nested(), "a Tensor of tensors of different shapes"),
        (np.array(["cat", "dog"]), "a numpy array of shape (2,) and dtype <U3"),
        (np.array([None, 1.5]), "a numpy array of shape (2,) and dtype object"),
        (np.zeros(2, dtype=[("a", "f4")]), "a numpy array of shape (2,) and dtype [('a', '<f4')]"),
        (np.ma.masked_array([1.0, 2.0, 3.0], mask=[1, 0, 1]), "a numpy array with 2 masked values"),
        (np.array(["2024-01-01"], dtype="datetime64[D]"), "a numpy array of shape (1,) and dtype datetime64[D]"),
        (Raises(), "a Raises of shape (3,) and dtype float32"),
        (Lazy(), "a Lazy that cannot be looked at"),
        ([[1.0], [2.0, 3.0]], "a list of 2 items"),
        ("cat", "the str 'cat'"),
        (object(), "an object"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_is_named(raw, described):
    assert read(raw) is None
    assert describe(raw) == described
    for task in ("classification", "detection", "segmentation"):
        made = TASKS.resolve(task)()
        with pytest.raises(ModelError, match=r"^prediction for a 3x8x8 image (is|cannot be opened) .*; expected .*; "):
            made.prediction(raw, (8, 8))
        with pytest.raises((DataError, OSError)):
            made.target(raw, (8, 8))


def test_a_mapping_that_cannot_be_opened_says_why():
    with pytest.raises(ModelError) as caught:
        TASKS.resolve("detection")().prediction(Lazy(), (8, 8))
    assert str(caught.value) == (
        "prediction for a 3x8x8 image cannot be opened (OSError: the archive is closed); expected a dict of boxes, "
        "scores and labels; return a dict that holds its arrays"
    )


def test_a_number_that_python_will_not_write_is_described():
    assert describe(10**5000) == "an int"
    assert describe(7) == "the int 7"
