"""Names of images that any file and terminal can hold, none of which is taken for another."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from compress_guard.records import printable
from compress_guard.records.ids import LONGEST

PARTS = ["\udce9", "\ud800", "\\", "\0", "\n", "\x7f", "\x85", "\u2028", "x00", "udce9", "a", "é", "\U0001f600"]


@pytest.mark.parametrize(
    "text",
    ["", "photo-001.jpg", "Straße 7/été.png", "日本語", "C:\\photos\\x.png", "a b\u00a0c", "👩\u200d🔬", "x" * LONGEST],
)
def test_nearly_all_names_stay_as_they_are(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("caf\udce9.png", "caf\\udce9.png"),
        ("caf\\udce9.png", "caf\\\\udce9.png"),
        ("a\0", "a\\x00"),
        ("line\nbreak", "line\\x0abreak"),
        ("\x1b[31m", "\\x1b[31m"),
        ("a\u2028b", "a\\u2028b"),
    ],
)
def test_what_a_file_or_a_terminal_refuses_is_escaped(text, shown):
    assert printable(text) == shown


def test_names_that_differ_stay_different_and_survive_every_form():
    names = ["".join(parts) for count in range(5) for parts in itertools.product(PARTS, repeat=count)]
    shown = {printable(name) for name in names}
    assert len(shown) == len(set(names)) > 30_000
    for name in itertools.islice(sorted(shown), 0, None, 97):
        assert json.loads(json.dumps(name, ensure_ascii=False).encode()) == name
        assert str(np.array([name, "other"], dtype=np.str_)[0]) == name
        assert len(name.splitlines()) <= 1


def test_a_very_long_name_is_cut_and_still_its_own():
    one, other = printable("x" * 2**20), printable("x" * (2**20 - 1) + "y")
    assert one != other
    assert len(one) == len(other) <= LONGEST
    assert one.startswith("x" * 900)
