"""Factories as a thresholds file names them, and the messages for those that do not work."""

from __future__ import annotations

import re
import sys

import pytest
from torch.utils.data import DataLoader

from compress_guard.engine.images.factories import call, check_data, check_model, importable
from compress_guard.errors import DataError, ModelError

MODULE = """
import os

NUMBER = 3

def plain():
    return "made"

def placed(device):
    return f"made on {device}"

def raises():
    raise FileNotFoundError("weights.pt")

def leaves():
    raise SystemExit("usage: train.py")

def refuses():
    from compress_guard.errors import ModelError
    raise ModelError("in its own words")

class Zoo:
    @staticmethod
    def best(*, device="cpu"):
        return f"best on {device}"
"""


@pytest.fixture
def folder(tmp_path, request):
    name = f"factory_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    (tmp_path / f"{name}_broken.py").write_text("import nothing_of_this_name\n")
    (tmp_path / f"{name}_script.py").write_text("import sys\nsys.exit(2)\n")
    yield tmp_path, name
    for module in [module for module in sys.modules if module.startswith(name)]:
        del sys.modules[module]


@pytest.mark.parametrize(
    ("attribute", "made"), [("plain", "made"), ("placed", "made on cuda:1"), ("Zoo.best", "best on cuda:1")]
)
def test_a_factory_is_called_and_given_the_device_if_it_wants_it(folder, attribute, made):
    before = list(sys.path)
    assert call(f"{folder[1]}:{attribute}", folder[0], "cuda:1", ModelError) == made
    assert sys.path == before


def test_the_folder_comes_first_and_leaves_even_after_an_error(tmp_path):
    before = list(sys.path)
    with importable(tmp_path):
        assert sys.path == [str(tmp_path), *before]
    assert sys.path == before
    with pytest.raises(KeyError), importable(tmp_path):
        raise KeyError
    assert sys.path == before


@pytest.mark.parametrize("error", [ModelError, DataError])
@pytest.mark.parametrize(
    ("factory", "message"),
    [
        (
            "absent_from_here:model",
            "cannot be imported (ModuleNotFoundError: No module named 'absent_from_here'); expected an importable "
            "package.module:callable, looked up with FOLDER on sys.path",
        ),
        (
            "NAME:modle",
            "cannot be imported (AttributeError: module 'NAME' has no attribute 'modle'); expected an importable "
            "package.module:callable, looked up with FOLDER on sys.path",
        ),
        (
            "NAME_broken:model",
            "cannot be imported (ModuleNotFoundError: No module named 'nothing_of_this_name'); expected an importable "
            "package.module:callable, looked up with FOLDER on sys.path",
        ),
        (
            "NAME_script:model",
            "cannot be imported (SystemExit: 2); expected an importable package.module:callable, looked up with FOLDER "
            "on sys.path",
        ),
        ("NAME:NUMBER", "is an int; expected a callable that returns the object to use"),
        ("NAME:raises", "raised FileNotFoundError: weights.pt; expected it to return an object"),
        ("NAME:leaves", "raised SystemExit: usage: train.py; expected it to return an object"),
    ],
)
def test_factories_that_do_not_work(folder, error, factory, message):
    path, name = folder
    factory, message = factory.replace("NAME", name), message.replace("NAME", name).replace("FOLDER", str(path))
    with pytest.raises(error, match=f"^{re.escape(f'{factory}: {message}')}$"):
        call(factory, path, "cpu", error)


@pytest.mark.parametrize(
    ("factory", "near"),
    [
        ("NAME:plainx", "NAME:plain"),
        ("NAMEE:plain", "NAME:plain"),
        ("NAME_zoo.modelsx:best", "NAME_zoo.models:best"),
        ("NAME_zo.models:best", "NAME_zoo.models:best"),
        ("NAME_zoo.models:bets", "NAME_zoo.models:best"),
        ("NAME:nothing_like_it", None),
        ("far_from_all:plain", None),
    ],
)
def test_a_mistyped_factory_gets_its_near_match(folder, factory, near):
    path, name = folder
    (path / f"{name}_zoo").mkdir()
    (path / f"{name}_zoo" / "models.py").write_text("def best(): ...\n")
    with pytest.raises(ModelError) as caught:
        call(factory.replace("NAME", name), path, "cpu", ModelError)
    ending = "on sys.path" if near is None else f"on sys.path; did you mean {near.replace('NAME', name)}?"
    assert str(caught.value).endswith(ending)


def test_an_error_of_ours_inside_a_factory_speaks_for_itself(folder):
    with pytest.raises(ModelError, match="^in its own words$"):
        call(f"{folder[1]}:refuses", folder[0], "cpu", DataError)


def test_a_model_is_a_callable():
    assert check_model(len, "m:f") is len
    message = (
        "m:f: returned a str; expected a predictor: a callable from a list of uint8 images to one prediction per "
        "image, as compress_guard.predictor(module, ...) makes"
    )
    with pytest.raises(ModelError, match=f"^{re.escape(message)}$"):
        check_model("weights", "m:f")


class Loader:
    def __iter__(self):
        return iter(())


class NoLength:
    def __getitem__(self, index):
        return index

    def __len__(self):
        raise TypeError("streamed")


EXPECTED = "expected a map-style data set with len() and [] that gives (image, target) or (image, target, id)"
BOTH = "hand over a list of these, or an object that has both methods"
LOADED = "hand over the data set that it loads, its attribute dataset, since images are read one by one"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, f"d: returned a NoneType; {EXPECTED}; {BOTH}"),
        (7, f"d: returned an int; {EXPECTED}; {BOTH}"),
        (Loader(), f"d: returned a Loader; {EXPECTED}; {BOTH}"),
        (DataLoader([(0, 1)]), f"d: returned a DataLoader; {EXPECTED}; {LOADED}"),
        (NoLength(), "d: len() of it raised TypeError: streamed; expected its images"),
        ([], "d: has no images; expected at least one"),
    ],
)
def test_data_is_a_sequence_with_something_in_it(data, message):
    assert check_data([1], "d") == [1]
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        check_data(data, "d")
