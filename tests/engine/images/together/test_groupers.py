"""The group of an image, by factories, fields and folders; and messages for images without one."""

from __future__ import annotations

import re
import sys

import pytest
import torch

from compress_guard.engine.images.together.groupers import grouper
from compress_guard.errors import DataError
from compress_guard.records import Grouping

MODULE = """
def clip(target, image_id):
    return image_id[0]

def nothing(target, image_id):
    return None

def several(target, image_id):
    return ["a", "b"]

def broken(target, image_id):
    return {}["clip"]

def unhashable(target, image_id):
    return {"clip": 1}
"""
EXPECTED = "expected a text or a number, the name of the image's group"


@pytest.fixture
def named(tmp_path):
    """Return the grouper of this name over some data."""
    (tmp_path / "groups_of_this_test.py").write_text(MODULE)

    def make(by, data=()):
        return grouper(Grouping(by.replace("m:", "groups_of_this_test:")), tmp_path, data)

    yield make
    sys.modules.pop("groups_of_this_test", None)


def test_images_of_a_guard_without_groups_have_no_grouper(tmp_path):
    assert grouper(None, tmp_path, ()) is None


def test_a_factory_is_told_target_and_id(named):
    assert named("m:clip")(0, "b7", 3) == "b"


def test_a_callable_is_called_itself(tmp_path):
    grouping = Grouping("lambda", lambda target, image_id: target // 2)
    assert grouper(grouping, tmp_path, ())(5, "a", 0) == "2"


@pytest.mark.parametrize("value", ["7", 7, 7.0, torch.tensor(7), [7]])
def test_a_field_of_the_target_names_its_group(named, value):
    assert named("clip")({"clip": value}, "a", 0) == "7"


def test_the_target_itself_is_its_label(named):
    assert named("label")(3, "a", 0) == "3"


@pytest.mark.parametrize(("by", "target", "message"), [
    ("m:nothing", 0, "groups: groups_of_this_test:nothing puts the image into no group; {expected}"),
    ("m:several", 0, "groups: groups_of_this_test:several puts the image into several groups (a, b); {expected}"),
    ("m:broken", 0, "groups: groups_of_this_test:broken raised KeyError: 'clip'; {expected}"),
    ("m:unhashable", 0, "groups: groups_of_this_test:unhashable gave a dict with keys 'clip'; {expected}"),
    ("clip", {"clip": None}, "groups: clip puts the image into no group; {expected}"),
    ("clip", {"image_id": 3}, "groups: clip puts the image into no group; {expected}"),
    ("clip", {"shot": 1}, "groups: the target has no field 'clip', it has shot; expected it in every target; name a "
     "field that is there, or a factory package.module:callable"),
    ("clip", 3, "groups: the target is the int 3, without a field 'clip'; expected it in every target; name a field "
     "that is there, or a factory package.module:callable"),
])  # fmt: skip
def test_an_image_without_one_group_is_a_fault_of_the_data(named, by, target, message):
    with pytest.raises(DataError, match=re.escape(message.format(expected=EXPECTED)) + "$"):
        named(by)(target, "a", 0)


def test_a_factory_that_is_not_there_is_named(named):
    with pytest.raises(DataError, match="groups_of_this_test:clop"):
        named("m:clop")


class Listed(list):
    """A data set that lists its files, as torchvision's do."""

    def __init__(self, *files):
        super().__init__(files)
        self.samples = [(file, 0) for file in files]


@pytest.mark.parametrize(("image_id", "folder"), [
    ("clip1/0001.png", "clip1"),
    ("a/b/c.png", "a/b"),
    ("/data/a/c.png", "/data/a"),
    ("clips\\7\\1.png", "clips\\7"),
])  # fmt: skip
def test_the_folder_in_an_id_is_a_group(named, image_id, folder):
    assert named("folder")(0, image_id, 0) == folder


def test_the_folder_of_a_file_is_a_group_where_ids_are_positions(named):
    by = named("folder", Listed("root/one/1.png", "root/two/1.png"))
    assert [by(0, "0", 0), by(0, "1", 1)] == ["root/one", "root/two"]


class Raising(list):
    @property
    def samples(self):
        raise SystemExit(3)


@pytest.mark.parametrize("data", [(), Listed("1.png", "2.png"), Raising([1, 2])])
def test_an_image_without_a_folder_is_a_fault_of_the_data(named, data):
    message = (
        "groups: folder: the id 0 names no folder, and the data set lists no files; expected ids such as "
        "clip/frame.png; name a field of the targets, or a factory package.module:callable"
    )
    with pytest.raises(DataError, match=re.escape(message) + "$"):
        named("folder", data)(0, "0", 0)
