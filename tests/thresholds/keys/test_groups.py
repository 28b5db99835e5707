"""The key `groups`, in a file and as a keyword: which images belong together."""

from __future__ import annotations

import re

import pytest

from compress_guard.errors import OptionError, ThresholdsError
from compress_guard.records import Grouping
from compress_guard.thresholds.keys.groups import grouping

TWO = ("codecs: [jpeg]", "bpp: [0.25, 1]", "max_drop: 3")
ADVICE = (
    "expected a field of the targets, 'folder', a factory \"package.module:callable\", or a callable that takes the "
    "target and the id of an image"
)


def test_images_stand_alone_by_default(guard):
    assert guard(*TWO).groups is None
    assert guard(*TWO, "groups: null").groups is None


@pytest.mark.parametrize("by", ["clip", "folder", "package.groups:clip", "label"])
def test_every_way_of_grouping_images(guard, by):
    assert guard(*TWO, f"groups: {by}").groups == Grouping(by)


def test_a_guard_sets_the_groups_of_the_defaults_again(read):
    text = """\
version: 1
defaults: {codecs: [jpeg], bpp: [1], groups: clip}
guards:
  a: {task: classification, model: m:f, data: d:f}
  b: {task: classification, model: m:f, data: d:f, groups: folder}
  c: {task: classification, model: m:f, data: d:f, groups: null}
"""
    assert [guard.groups for guard in read(text).guards] == [Grouping("clip"), Grouping("folder"), None]


@pytest.mark.parametrize(("written", "message"), [
    ('groups: ""', "groups is an empty text; name a factory, a field of the targets, or folder"),
    ("groups: fixture:clips", "groups 'fixture:clips' is not a factory; write \"package.module:callable\""),
    ("groups: a b:c", "groups 'a b:c' is not a factory; write \"package.module:callable\""),
    ("groups: [clip]", "groups must be text, found a list; write text, in quotes if need be"),
    ("groups: 3", "groups must be text, found 3; write text, in quotes if need be"),
])  # fmt: skip
def test_what_names_no_groups_is_refused(guard, written, message):
    with pytest.raises(ThresholdsError, match=re.escape(message) + "$"):
        guard(*TWO, written)


def clip(target, image_id):
    return image_id


def test_a_keyword_is_a_text_as_in_a_file_or_a_callable():
    assert grouping(None) is None
    assert grouping("clip") == Grouping("clip")
    assert grouping("package.groups:clip") == Grouping("package.groups:clip")
    assert grouping(clip) == Grouping("clip", clip)


@pytest.mark.parametrize("groups", ["", "a b:c", 3, ["clip"]])
def test_other_keywords_are_refused(groups):
    with pytest.raises(OptionError, match=re.escape(f"groups is {groups!r}; {ADVICE}") + "$"):
        grouping(groups)
