"""Foreign text: what hides, repaints, ends a line or commands a CI runner is escaped, all that people write stays."""

from __future__ import annotations

import json
import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.foreign import LONGEST, LONGEST_SENTENCE, is_fit, shown, shown_json, shown_line, shown_lines

PIECES = st.sampled_from(
    [
        "\n",
        "\r",
        "\x1b[31m",
        "\u202e",
        "\u200d",
        "\ufe0f",
        "\U0001f469",
        "::error::",
        "##[",
        "##vso[x]",
        "#",
        "[",
        "\\x1b",
    ]
)
TEXTS = st.lists(st.one_of(PIECES, st.text(st.characters(), max_size=3)), max_size=12).map("".join)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "photo 001.jpg",
        "Straße 7/été.png",
        "Ελλάδα, Україна, 日本語, 한국어",
        "ไทย, தமிழ், עברית",
        "می\u200cخواهم",
        "क्\u200dष and क्\u200cष",
        "👩🏽\u200d🔬 👩\u200d❤️\u200d👩 1️⃣ ☺︎ 🇪🇺 👍🏿",
        "葛\U000e0100城市",
        "a\u00a0b\u3000c",
        "C:\\photos\\x.png, \\x1b, a::b, # 1 [x]",
        "\ufffd",
    ],
)
def test_what_people_write_stays(text) -> None:
    assert shown(text) == shown_line(text) == shown_lines(text) == text
    assert is_fit(text)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("one\ntwo\r\tthree", r"one\x0atwo\x0d\x09three"),
        ("\x00\x1b[2J\x7f\x85\x9b", r"\x00\x1b[2J\x7f\x85\x9b"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("\u202aa\u202bb\u202cc\u202dd\u202ee", r"\u202aa\u202bb\u202cc\u202dd\u202ee"),
        ("\u2066a\u2067b\u2068c\u2069d\u200ee\u200ff\u061cg", r"\u2066a\u2067b\u2068c\u2069d\u200ee\u200ff\u061cg"),
        ("ad\u200bmin\u2060\ufeff\u00ad", r"ad\u200bmin\u2060\ufeff\xad"),
        ("ad\u200dm\u200cin\ufe0f\u034f", r"ad\u200dm\u200cin\ufe0f\u034f"),
        ("\u200d\u3164\u115f\uffa0", r"\u200d\u3164\u115f\uffa0"),
        ("☺\ufe0f\ufe0e", "☺\ufe0f\\ufe0e"),
        ("x\U000e0041\U000e007f", r"x\U000e0041\U000e007f"),
        ("caf\udce9\ud800", r"caf\udce9\ud800"),
        ("\ue000\uffff\u0378\U0010ffff", r"\ue000\uffff\u0378\U0010ffff"),
        ("##[error]x, ##vso[task.complete], ###[group]", r"\x23#[error]x, \x23#vso[task.complete], #\x23#[group]"),
        ("##teamcity[testFailed]", r"\x23#teamcity[testFailed]"),
    ],
)
def test_what_does_more_than_to_be_read_is_escaped(text, escaped) -> None:
    assert shown(text) == escaped
    assert not is_fit(text)


def test_every_character_of_unicode_is_shown_by_its_category() -> None:
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    points = [*range(0x34000), *range(0xE0000, 0xE0200), *range(0xF0000, sys.maxunicode + 1, 4099)]
    raw = {character for character in map(chr, points) if shown(character) == character}
    assert {unicodedata.category(character) for character in raw} & hidden == set()
    letters = {"Lu", "Ll", "Lt", "Lm", "Nd", "Nl", "No", "Pc", "Pd", "Po", "Sm", "Sc", "Sk", "So", "Mc", "Me", "Zs"}
    escaped = {character for character in map(chr, points) if character not in raw}
    assert {unicodedata.category(character) for character in escaped} & letters == set()


@pytest.mark.parametrize(
    ("line", "escaped"),
    [
        ("::error::x", r"\x3a:error::x"),
        ("  ::set-output name=a::b", r"  \x3a:set-output name=a::b"),
        ("\u3000\u00a0::stop-commands::x", "\u3000\u00a0\\x3a:stop-commands::x"),
        ("\u200b::error::x", r"\u200b::error::x"),
        (":::error::", r"\x3a::error::"),
        ("thresholds.yaml::photos[jpeg]", "thresholds.yaml::photos[jpeg]"),
        ("one\n::error::two", r"one\x0a::error::two"),
    ],
)
def test_no_line_is_a_command(line, escaped) -> None:
    assert shown_line(line) == escaped


def test_lines_that_are_wanted_stay_lines() -> None:
    text = 'Traceback:\r\n\tFile "x"\n  ::error::x\nE\x1b[1m\n##[group]'
    assert shown_lines(text) == 'Traceback:\n    File "x"\n  \\x3a:error::x\nE\\x1b[1m\n\\x23#[group]'


def test_a_long_text_loses_its_middle_and_says_so() -> None:
    assert shown("a" * LONGEST) == "a" * LONGEST
    cut = shown("a" * 5000 + "z" * 5000)
    assert cut == f"{'a' * 970} ... (10000 characters) ... {'z' * 970}"
    assert shown(cut) == cut
    assert len(shown_line("\x1b" * 2**20)) <= LONGEST_SENTENCE


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise ValueError

    __len__ = __format__ = encode = isprintable = __str__  # type: ignore[assignment]  # every method fails, that is the point


def test_a_text_of_somebody_s_own_class_is_read_as_text() -> None:
    assert shown(Text("a\nb")) == r"a\x0ab"


@given(TEXTS)
def test_whatever_the_text(text) -> None:
    once = shown(text)
    assert is_fit(once)
    assert shown(once) == once
    assert len(once.splitlines()) <= 1
    once.encode()
    cut = shown(text * 9, 99)
    assert is_fit(cut)
    assert len(cut) <= 99
    assert shown(cut, 99) == cut
    lines = shown_lines(text)
    assert shown_lines(lines) == lines
    for line in (shown_line(text), *lines.split("\n")):
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)


@given(st.dictionaries(TEXTS, TEXTS), st.sampled_from([None, 1]))
def test_json_keeps_its_values(values, indent) -> None:
    text = shown_json(json.dumps(values, ensure_ascii=False, indent=indent))
    # A pair of lone surrogates is one character to every reader of JSON.
    assert json.loads(text) == json.loads(json.dumps(values))
    assert all(is_fit(line) for line in text.split("\n"))
    text.encode()
