"""The slices of an image, by factories, fields and object sizes; messages for slicers that give none."""

from __future__ import annotations

import enum
import re
import sys

import numpy as np
import pytest
import torch

from compress_guard.engine.images.slicers import slicers, texts
from compress_guard.errors import DataError
from compress_guard.records import Guard, Slicing

MODULE = """
def weather(target, image_id):
    return None if image_id == "inside" else ["rain", "night"][target % 2]

def several(target, image_id):
    return [target, "all"]

def whole(target, image_id):
    return target

def broken(target, image_id):
    return {}["sun"]

NIGHT = "night"
"""
EXPECTED = "expected a text, a number, None (in no slice) or a list of these"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "slicing_of_this_test.py").write_text(MODULE)
    yield tmp_path
    sys.modules.pop("slicing_of_this_test", None)


@pytest.fixture
def slicer(folder):
    """Return the slicer that `by` gives a guard of a task."""

    def make(by, task="classification"):
        guard = Guard("g", task, "", "", "", (), slicings=(Slicing("s", by.replace("m:", "slicing_of_this_test:")),))
        return slicers(guard, folder)["s"]

    return make


def test_a_guard_without_slices_has_no_slicers(tmp_path):
    assert slicers(Guard("g", "detection", "map", "", "", ()), tmp_path) == {}


def test_a_factory_is_told_target_and_id(slicer):
    weather = slicer("m:weather")
    assert [weather(0, "a"), weather(1, "b"), weather(1, "inside")] == [("rain",), ("night",), ()]
    assert slicer("m:several")(7, "a") == ("7", "all")


def test_the_folder_of_the_file_is_searched_and_not_for_longer(slicer):
    before = list(sys.path)
    slicer("m:weather")
    assert sys.path == before


@pytest.mark.parametrize(("value", "names"), [
    ("night", ("night",)),
    (3, ("3",)),
    (3.0, ("3",)),
    (0.5, ("0.5",)),
    (-1, ("-1",)),
    (True, ("true",)),
    (None, ()),
    ([], ()),
    (["a", None, 2, "a"], ("a", "2")),
    (("b", "a"), ("b", "a")),
    (frozenset({5}), ("5",)),
    (torch.tensor(3), ("3",)),
    (torch.tensor(0.5), ("0.5",)),
    (torch.tensor(False), ("false",)),
    (torch.tensor([3, 5, 3]), ("3", "5")),
    (torch.tensor([]), ()),
    ([torch.tensor(3), np.float32(0.25)], ("3", "0.25")),
    (np.int64(7), ("7",)),
    (np.array([2.0, 1.0]), ("2", "1")),
    (np.str_("day"), ("day",)),
    (np.array(["day", "night"]), ("day", "night")),
    (2**70, (str(2**70),)),
])  # fmt: skip
def test_what_names_slices(slicer, value, names):
    assert texts(value, "it is") == names
    assert slicer("m:whole")(value, "a") == names
    assert slicer("weather", "detection")({"weather": value}, "a") == names


class Season(enum.Enum):
    WINTER = 1


@pytest.mark.parametrize(("value", "described"), [
    ("", "the str ''"),
    (b"night", "the bytes b'night'"),
    (float("nan"), "the float nan"),
    ([1, float("inf")], "a list of shape (2,)"),
    ({"a": 1}, "a dict with keys 'a'"),
    ([["a"]], "a list of 1 items"),
    (torch.zeros(2, 3), "a Tensor of shape (2, 3)"),
    (Season.WINTER, "a Season"),
])  # fmt: skip
def test_what_names_no_slice_is_refused(slicer, value, described):
    for by, target, subject in (
        ("m:whole", value, "slicing_of_this_test:whole gave"),
        ("x", {"x": value}, "the field 'x' is"),
    ):
        with pytest.raises(DataError) as caught:
            slicer(by)(target, "a")
        assert str(caught.value) == f"slices s: {subject} {described}; {EXPECTED}"


def test_a_factory_that_stumbles_is_named(slicer):
    message = f"slices s: slicing_of_this_test:broken raised KeyError: 'sun'; {EXPECTED}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        slicer("m:broken")(1, "a")


@pytest.mark.parametrize(("by", "message"), [
    ("no_such_module:f", r"^no_such_module:f: cannot be imported \(ModuleNotFoundError: .*on sys\.path$"),
    ("m:rain", r"^slicing_of_this_test:rain: cannot be imported \(AttributeError: "),
    ("m:NIGHT",
     r"^slicing_of_this_test:NIGHT: is a str; expected a callable that takes the target and the id of an image and "
     r"returns a text, a number, None \(in no slice\) or a list of these$"),
])  # fmt: skip
def test_a_factory_that_cannot_be_had_is_named(slicer, by, message):
    with pytest.raises(DataError, match=message):
        slicer(by)


# Fields


@pytest.mark.parametrize("target", [3, torch.tensor(3), np.int64(3), {"label": 3}])
def test_label_is_the_class_index_itself(slicer, target):
    assert slicer("label")(target, "a") == ("3",)


REMEDY = "expected it in every target; name a field that is there, or a factory package.module:callable"


@pytest.mark.parametrize(("target", "message"), [
    ({"boxes": 1, "labels": 2}, f"slices s: the target has no field 'source', it has boxes, labels; {REMEDY}"),
    ({}, f"slices s: the target has no field 'source', it has none; {REMEDY}"),
    (3, f"slices s: the target is the int 3, without a field 'source'; {REMEDY}"),
    (torch.zeros(4, 5), f"slices s: the target is a Tensor of shape (4, 5), without a field 'source'; {REMEDY}"),
])  # fmt: skip
def test_a_field_that_is_missing_is_named_with_those_that_are_there(slicer, target, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        slicer("source")(target, "a")


def test_a_label_map_is_no_label(slicer):
    message = f"slices s: the target is a Tensor of shape (4, 5); {EXPECTED}"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        slicer("label", "segmentation")(torch.zeros(4, 5), "a")


def test_an_image_without_objects_is_in_no_slice_of_their_fields(slicer):
    assert slicer("labels", "detection")({"image_id": 7}, "a") == ()
    assert slicer("image_id", "detection")({"image_id": 7}, "a") == ("7",)


# Object sizes


def boxes(*sides):
    return torch.tensor([[0.0, 0.0, side, side] for side in sides]).reshape(-1, 4)


@pytest.mark.parametrize(("target", "sizes"), [
    ({"boxes": boxes(10), "labels": [1]}, ("small",)),
    ({"boxes": boxes(200, 40, 50), "labels": [1, 1, 2]}, ("medium", "large")),
    ({"boxes": boxes(32), "labels": [1]}, ("small", "medium")),
    ({"boxes": boxes(10, 200), "labels": [1, 1], "area": [50.0, 2000.0]}, ("small", "medium")),
    ({"boxes": boxes(10, 200), "labels": [1, 1], "iscrowd": [0, 1]}, ("small",)),
    ({"boxes": boxes(), "labels": []}, ()),
    ({"image_id": 7}, ()),
])  # fmt: skip
def test_object_sizes_are_those_of_coco(slicer, target, sizes):
    assert slicer("object_size", "detection")(target, "a") == sizes


def test_a_size_occurs_exactly_where_its_metric_is_defined(slicer):
    from compress_guard.tasks.detection import Detection

    task, generator = Detection(), np.random.default_rng(3)
    sized = slicer("object_size", "detection")
    nothing = task.prediction({"boxes": boxes(), "scores": torch.zeros(0), "labels": []}, (300, 300))
    for _ in range(60):
        sides = generator.choice([5, 31, 32, 33, 60, 95, 96, 97, 200], size=generator.integers(0, 3))
        raw = {"boxes": boxes(*map(float, sides)), "labels": [1] * len(sides)}
        raw["iscrowd"] = generator.integers(0, 2, size=len(sides))
        evidence = task.evidence(nothing, task.target(raw, (300, 300)), (300, 300))
        defined = {
            size
            for size in ("small", "medium", "large")
            if not np.isnan(task.scorer(f"map_{size}", [evidence])(np.ones((1, 1)))[0])
        }
        assert set(sized(raw, "a")) == defined
