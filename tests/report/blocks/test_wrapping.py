"""Sentences and names on a narrow output."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.report import plain
from compress_guard.report.blocks.wrapping import shortened_name, wrapped
from compress_guard.report.markup import columns

WORDS = st.lists(
    st.tuples(st.text("abc123.,%", min_size=1, max_size=12), st.sampled_from(["", "bold"])), min_size=1, max_size=30
)


def broken(line, width, **keywords):
    return plain(wrapped(line, width, **keywords)).splitlines()


def test_a_sentence_is_broken_at_blanks_and_its_other_lines_are_deeper():
    line = (("  ", ""), ("FAIL jpeg at 1 bpp: ", "red bold"), ("top1 fell by 22.2 points (98.9 to 76.7)", ""))
    assert list(wrapped(line, 34)) == [
        (("  ", ""), ("FAIL jpeg at 1 bpp: ", "red bold"), ("top1 fell by", "")),
        (("    ", ""), ("22.2 points (98.9 to 76.7)", "")),
    ]


def test_a_line_that_fits_or_has_no_width_stays():
    line = (("a sentence", "bold"), (" of words", ""))
    assert list(wrapped(line, 19)) == list(wrapped(line, None)) == [line]


def test_words_that_touch_across_styles_stay_together():
    assert broken((("photos", "bold"), (": top1 76.2", "")), 9) == ["photos:", "  top1", "  76.2"]


def test_a_legend_is_broken_between_its_signs():
    line = (("drop", ""), ("   ", ""), ("ok", "green"), (" held", ""), ("   ", ""), ("?", ""), (" inconclusive", ""))
    assert broken(line, 20, blanks="   ") == ["drop   ok held", "  ? inconclusive"]


def test_a_word_that_is_wider_than_the_output_stays_whole():
    assert broken((("see 'thresholds.yaml::photos[jpeg-0.25bpp]' now", ""),), 20) == [
        "see",
        "  'thresholds.yaml::photos[jpeg-0.25bpp]'",
        "  now",
    ]


@given(WORDS, st.integers(10, 60))
def test_nothing_is_lost_and_only_single_words_are_too_wide(words, width):
    line = tuple((f"{' ' if number else ''}{word}", style) for number, (word, style) in enumerate(words))
    lines = broken(line, width)
    assert " ".join(lines).split() == [word for word, _ in words]
    assert all(len(text) <= width or len(text.split()) == 1 for text in lines)


@pytest.mark.parametrize(
    ("name", "room", "text"),
    [
        ("a.png", 5, "a.png"),
        ("photos/2019/summer/IMG_0001.jpg", 20, "photo...IMG_0001.jpg"),
        ("photos/2019/summer/IMG_0001.jpg", 12, "pho...01.jpg"),
        ("photos/2019/summer/IMG_0001.jpg", 15, "...IMG_0001.jpg"),
    ],
)
def test_a_long_name_keeps_its_beginning_and_its_end(name, room, text):
    assert shortened_name(name, room) == text
    assert len(text) <= room


def test_letters_of_two_columns_are_counted_as_two():
    assert columns("a写真b") == 6
    assert columns("ka\u0308tzchen") == columns("kätzchen") == 8
    assert shortened_name("写真/とても長い名前の写真.jpg", 20) == "写真/と...の写真.jpg"
    assert broken((("worst: 写真1.png 写真2.png", ""),), 17) == ["worst: 写真1.png", "  写真2.png"]


def test_an_accent_is_not_shown_without_its_letter():
    assert shortened_name("aaaaaaaae\u0301.png", 9) == "aa....png"
    assert shortened_name("aaaaaaaae\u0301.png", 11) == "aaa...e\u0301.png"


@given(st.text("a1é/写\u0301", max_size=60), st.integers(8, 40))
def test_a_shortened_name_fits(name, room):
    assert columns(shortened_name(name, room)) <= room
