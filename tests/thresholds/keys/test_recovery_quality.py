"""Studies at qualities: what the key `recovery` takes beside rates."""

from __future__ import annotations

import pytest

from compress_guard.records import Quality

TWO = ("codecs: [webp, jp2]", "quality: {webp: [80, 50], default: [1]}")


def names(guard):
    return [cell.label.removeprefix("recovery-") for cell in guard.recovery.cells]


def test_the_points_of_the_guard_hold_where_the_key_has_none(guard):
    found = guard(*TWO, "bpp: {webp: [0.5], default: null}", "recovery: {train: d:train}")
    assert names(found) == ["webp-0.5bpp", "webp-q50", "webp-q80", "jp2-q1"]


def test_qualities_of_the_key_replace_the_points_of_the_guard(guard):
    found = guard("codecs: [webp]", "bpp: [0.5]", "recovery: {train: d:train, quality: [80, 50, mixed]}")
    assert names(found) == ["webp-q50", "webp-q80", "webp-mixed"]
    (spec,) = found.codecs
    assert found.recovery.points_of(spec) == (Quality(50.0), Quality(80.0))


def test_rates_and_qualities_together_are_mixed_together(guard):
    found = guard("codecs: [webp]", "recovery: {train: d:train, quality: [80, 50, mixed], bpp: [0.5, 1, mixed]}")
    assert names(found) == ["webp-0.5bpp", "webp-1.0bpp", "webp-q50", "webp-q80", "webp-mixed"]


def test_null_takes_the_qualities_of_the_defaults_away(guard):
    found = guard(
        "codecs: [webp]",
        "recovery: {train: d:train, quality: null, bpp: [1]}",
        before="defaults: {recovery: {quality: [80]}}\n",
    )
    assert names(found) == ["webp-1.0bpp"]


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("quality: [800]", "800 is no quality of webp, which takes numbers from 0 to 100; use one of these"),
        (
            "quality: {jp2: [1]}",
            "the quality of line 9 has no settings for the codec 'webp'; add webp or default to it",
        ),
        (
            "quality: [high]",
            "a setting of quality must be a number or mixed, found 'high'; write a number without quotes, or mixed",
        ),
        (
            "quality: [true]",
            "a setting of quality must be a number, found true; write numbers on the scale of the codec, such as "
            "[75, 50]",
        ),
        ("quality: [80, 80.0]", "the setting 80.0 of quality is the same as 80; keep one of them"),
        (
            "quality: [mixed]",
            "mixed is the only entry of quality, and is a model over the settings beside it; list the settings that "
            "it mixes, e.g. [75, 50, mixed]",
        ),
        (
            "quality: [80, mixed]",
            "mixed has a single setting beside it in quality, and would be the model of 80.0; list another setting, "
            "or leave mixed out",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(guard_refusal, key, message):
    assert guard_refusal(*TWO, f"recovery: {{train: d:t, {key}}}") == f"thresholds.yaml:9: photos: recovery: {message}"
