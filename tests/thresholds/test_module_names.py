"""Names that a module of factories may have, read from its source; bodies of functions only where they may count."""

from __future__ import annotations

import pytest

from compress_guard.thresholds.modules import names_in

PLAIN = """
import os.path
from json import loads as read

class Data:
    inside = 1

    def method(self):
        local = 2

def factory(size=(width := 3), *, other=lambda: (height := 4)):
    hidden = size
    for index in hidden:
        pass

@(wrap := factory)
def wrapped():
    pass

if os.name:
    first, (second, *rest) = 1, (2, 3)
"""
BOUND = {"os", "read", "Data", "factory", "wrapped", "width", "height", "wrap", "first", "second", "rest"}


def names(tmp_path, text, encoding="utf-8"):
    source = tmp_path / "factories.py"
    source.write_bytes(text.encode(encoding))
    return names_in(source)


def test_names_at_the_top_count(tmp_path):
    assert names(tmp_path, PLAIN) == BOUND


@pytest.mark.parametrize(
    "body",
    [
        "globals()['model'] = 1",
        "gl\N{FULLWIDTH LATIN SMALL LETTER O}bals()['model'] = 1",
        "exec('model = 1')",
        "import sys; sys.modules[__name__].__dict__['model'] = 1",
    ],
)
def test_a_function_that_may_bind_any_name_tells_nothing(tmp_path, body):
    assert (
        names(tmp_path, f"{PLAIN}\ndef late():\n    class Inner:\n        def deep(self):\n            {body}\n")
        is None
    )


def test_a_function_may_bind_a_global(tmp_path):
    found = names(tmp_path, f"{PLAIN}\ndef late():\n    global model\n    model = 1\n")
    assert found == {*BOUND, "late", "model"}


def test_words_in_another_encoding_are_understood(tmp_path):
    text = "# coding: utf-7\ndef late():\n    globals()['model'] = 1\n"
    assert names(tmp_path, text.replace("globals", "+AGcAbABvAGIAYQBsAHM-")) is None
