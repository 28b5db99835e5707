"""A floor under the clean score, through a real measurement."""

from __future__ import annotations

from dataclasses import replace

import pytest

import compress_guard


def floored(guard, floor):
    return replace(guard, cells=tuple(replace(cell, min_clean=floor) for cell in guard.cells))


@pytest.fixture
def only(pictures, spectrum, make_guard, make_world):
    """Return a function that measures a cell whose images lose almost nothing; the model is right on all of 32."""

    def run(floor, head=(0, 1, 2, 3), **limits):
        guard = floored(make_guard(("webp",), (3.0,), **{"max_drop": None, **limits}), floor)
        return make_world(guard, spectrum(head=head), pictures(32)).only().result

    return run


def test_a_cell_with_a_clean_floor_alone_is_judged(only):
    held = only(60.0)
    assert (held.verdict, held.outcome, held.min_clean) == ("pass", "passed", 60.0)
    assert held.clean_low <= held.clean_score <= held.clean_high
    assert held.clean_low >= 60
    assert "; the clean score of 100.0 (95 % interval 89.3 to 100.0) has to reach 60.0: webp at 3 bpp" in held.reason


def test_a_model_that_is_broken_before_any_codec_fails_by_it(only):
    broken = only(60.0, head=(1, 0, 3, 2), max_drop=100.0)
    assert (broken.clean_score, broken.verdict, broken.outcome) == (0.0, "fail", "failed")
    assert broken.clean_high < 60


def test_an_open_verdict_says_how_many_images_would_settle_it(only):
    doubt = only(95.0)
    assert (doubt.verdict, doubt.outcome) == ("inconclusive", "passed")
    assert doubt.images_needed > 32


def test_a_floor_of_zero_is_no_limit(only):
    result = only(0.0)
    assert (result.verdict, result.outcome, result.min_clean) == ("unjudged", "skipped", 0.0)
    assert (result.clean_low, result.clean_high) == (None, None)


def test_it_is_a_keyword_of_measure(pictures, spectrum):
    result = compress_guard.measure(
        spectrum(), pictures(32), task="classification", codec="webp", bpp=3.0, device="cpu", workers=1, min_clean=60
    )
    assert (result.verdict, result.min_clean) == ("pass", 60)
    assert result.as_dict()["clean_low"] == result.clean_low >= 60
