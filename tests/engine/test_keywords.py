"""One table of ranges and choices: a file and a keyword argument accept the same values of a key, and no others."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from compress_guard.engine.keyword_guard import one_cell_guard
from compress_guard.engine.single_cell import measure
from compress_guard.errors import OptionError, ThresholdsError
from compress_guard.registry import CODECS, option_names, required_options
from compress_guard.thresholds.file import parse
from compress_guard.thresholds.keywords import CHOICES, NUMBERS
from compress_guard.thresholds.settings import KEYS

ONLY_IN_FILES = {"correction"}
"""Keys about several cells, which one cell has no use for."""


COMPARED = {"decoders": ["pillow", "opencv"]}
"""Keyword arguments that a limit between decoders needs beside it."""


def file_takes(key, text):
    beside = "decoders: [pillow, opencv], " if key == "max_decoder_drop" else ""
    guard = f"task: classification, model: 'm:f', data: 'd:f', bpp: [0.5], codecs: [jpeg], {beside}{key}: {text}"
    try:
        parse(
            f"version: 1\nguards: {{photos: {{{guard}}}}}", Path("t.yaml"), shown="t.yaml", folder=Path(), sources=False
        )
    except ThresholdsError:
        return False
    return True


def keyword_takes(key, value):
    try:
        beside = COMPARED if key == "max_decoder_drop" else {}
        one_cell_guard("cell", task="classification", codec="jpeg", bpp=0.5, **beside, **{key: value})
    except OptionError:
        return False
    return True


@pytest.mark.parametrize("key", NUMBERS)
def test_a_number_is_taken_in_both_places_or_in_neither(key):
    span = NUMBERS[key].span
    values = [span.low, span.high, (span.low + span.high) / 2, span.low - 0.001, span.high + 0.001]
    expected = [value in span for value in values]
    assert True in expected
    assert False in expected
    assert [file_takes(key, value) for value in values] == expected
    assert [keyword_takes(key, value) for value in values] == expected


@pytest.mark.parametrize("key", [key for key in CHOICES if key not in ONLY_IN_FILES])
def test_a_choice_is_taken_in_both_places_or_in_neither(key):
    for choice in (*CHOICES[key], "nonsense"):
        expected = choice in CHOICES[key]
        assert (file_takes(key, choice), keyword_takes(key, choice)) == (expected, expected)


def test_every_key_of_the_tables_is_one_of_a_guard():
    assert set(NUMBERS) | set(CHOICES) <= {*KEYS, "max_drop", "min_score"}


def test_the_options_of_each_codec_are_known_and_some_are_required():
    assert {name: required_options(name) for name in CODECS if required_options(name)} == {
        "command": ("encoder", "decoder", "settings"),
        "zoo": ("model",),
        "compressai": ("path", "arch"),
        "pipeline": ("steps",),
    }
    assert all(set(required_options(name)) <= set(option_names(name)) for name in CODECS)
    assert option_names("jpeg")[:2] == ("subsampling", "progressive")


@pytest.mark.parametrize("key", ["traffic", "slices", "correction", "decoder_swap", "throughput", "recovery", "waive"])
def test_a_key_that_only_a_file_has_is_refused_with_the_way_to_use_it(key):
    with pytest.raises(OptionError) as caught:
        measure(object(), [], task="classification", **{key: None})
    assert str(caught.value) == (
        f"{key} is a key of thresholds.yaml and no keyword; write a guard with it there, and run it with "
        "compress-guard run or pytest --compress-guard"
    )
    assert key not in inspect.signature(one_cell_guard).parameters
