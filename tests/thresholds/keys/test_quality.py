"""The key `quality`: cells at the codec's own setting, and limits at them."""

from __future__ import annotations

import dataclasses
import importlib

import pytest

from compress_guard.records import Quality, Rate, SliceLimit
from compress_guard.registry import CODECS
from compress_guard.thresholds.keys.curve import Curve, QualityLimit

REAL = ("jpeg", "avif")


@pytest.fixture(autouse=True)
def real_codecs(stand_ins, monkeypatch):
    """The codecs of the package, whose scales are asked for."""
    for name in REAL:
        module = importlib.import_module(f"compress_guard.codecs.{name}")
        monkeypatch.setitem(CODECS._found, name, getattr(module, name.capitalize()))


def labels(found):
    return [cell.label for cell in found.cells]


def limits(found):
    return {cell.label: cell.max_drop for cell in found.cells}


# Cells


def test_quality_alone_asks_for_no_rates(guard):
    found = guard("codecs: [jpeg, webp]", "quality: [75, 50]")
    assert labels(found) == ["jpeg-q50", "jpeg-q75", "webp-q50", "webp-q75"]
    assert found.points("webp") == (Quality(50.0), Quality(75.0))
    assert [cell.bpp for cell in found.cells] == [None] * 4
    assert [cell.quality for cell in found.cells] == [50.0, 75.0] * 2


def test_rates_of_the_same_guard_come_first(guard):
    assert labels(guard("codecs: [jpeg]", "quality: [75]", "bpp: [1, 0.5]")) == [
        *("jpeg-0.5bpp", "jpeg-1.0bpp"),
        "jpeg-q75",
    ]


def test_rates_that_the_defaults_state_stay(guard):
    found = guard("codecs: [jpeg]", "quality: [75]", before="defaults: {bpp: [0.5]}\n")
    assert labels(found) == ["jpeg-0.5bpp", "jpeg-q75"]


@pytest.mark.parametrize("null", ["null", "", "~"])
def test_null_switches_the_rates_of_the_defaults_off(guard, null):
    found = guard("codecs: [jpeg]", "quality: [75]", f"bpp: {null}", before="defaults: {bpp: [0.5]}\n")
    assert labels(found) == ["jpeg-q75"]


def test_null_switches_the_qualities_of_the_defaults_off(guard):
    found = guard("codecs: [jpeg]", "quality: null", "bpp: [1]", before="defaults: {quality: [75]}\n")
    assert labels(found) == ["jpeg-1.0bpp"]
    assert len(guard("codecs: [jpeg]", "quality: null", before="defaults: {quality: [75]}\n").cells) == 5


def test_the_defaults_may_have_quality_alone(guard):
    assert labels(guard("codecs: [jpeg]", before="defaults: {quality: [75]}\n")) == ["jpeg-q75"]


def test_each_codec_may_have_its_own(guard):
    found = guard("codecs: [jpeg, webp, avif]", "quality: {jpeg: [75], webp: [80.5], default: [50]}")
    assert labels(found) == ["jpeg-q75", "webp-q80.5", "avif-q50"]


def test_a_codec_without_settings_keeps_its_rates(guard):
    found = guard("codecs: [jpeg, webp]", "quality: {jpeg: [75]}", "bpp: {jpeg: null, default: [1]}")
    assert labels(found) == ["jpeg-q75", "webp-1.0bpp"]


def test_settings_need_not_be_on_the_ladder_of_the_search(guard):
    ladder = CODECS.resolve("webp")().ladder
    assert 80.0 not in ladder
    assert labels(guard("codecs: [webp]", "quality: [80]")) == ["webp-q80"]


def test_a_codec_that_only_the_run_can_ask_is_left_to_it(guard, monkeypatch):
    @dataclasses.dataclass(frozen=True)
    class Foreign:
        @property
        def ladder(self):
            raise RuntimeError("not yet")

    monkeypatch.setitem(CODECS._found, "avif", Foreign)
    assert labels(guard("codecs: [avif]", "quality: [1234]")) == ["avif-q1234"]


# Limits


def test_one_number_holds_at_every_quality(guard):
    assert limits(guard("codecs: [jpeg]", "quality: [75, 50]", "max_drop: 2")) == {"jpeg-q50": 2, "jpeg-q75": 2}


def test_limits_stand_beside_those_of_rates(guard):
    found = guard("codecs: [jpeg]", "quality: [75, 50]", "bpp: [0.5]", "max_drop: {q75: 2, q50: 5, 0.5: 3}")
    assert limits(found) == {"jpeg-0.5bpp": 3, "jpeg-q50": 5, "jpeg-q75": 2}


def test_limits_per_codec(guard):
    found = guard(
        "codecs: [jpeg, webp]",
        "quality: {jpeg: [75], webp: [80]}",
        "max_drop: {jpeg: {q75: 2}, default: {q80: 3, q75.5: 4}}",
    )
    assert limits(found) == {"jpeg-q75": 2, "webp-q80": 3}


def test_floors_at_qualities_hold_there_alone(guard):
    found = guard("codecs: [jpeg]", "quality: [75, 50]", "max_drop: 9", "min_score: {q50: 60}")
    assert {cell.label: cell.min_score for cell in found.cells} == {"jpeg-q50": 60, "jpeg-q75": None}


def test_limits_of_slices(guard):
    found = guard(
        *("codecs: [jpeg]", "quality: [75, 50]", "max_drop: 9", "slices:"),
        "  light: {by: light, max_drop: {q75: 3, q50: 8}}",
        "  size: {by: size, max_drop: {small: {q75: 4, q50: 9}}}",
    )
    assert {cell.label: cell.slice_limits for cell in found.cells} == {
        "jpeg-q50": (SliceLimit("light", None, 8.0), SliceLimit("size", "small", 9.0)),
        "jpeg-q75": (SliceLimit("light", None, 3.0), SliceLimit("size", "small", 4.0)),
    }


def test_slices_called_like_qualities_keep_their_names_in_a_guard_of_rates(guard):
    found = guard(*("codecs: [jpeg]", "bpp: [1]", "max_drop: 9", "slices:"), "  a: {by: a, max_drop: {q1: 3, q2: 8}}")
    assert found.cells[0].slice_limits == (SliceLimit("a", "q1", 3.0), SliceLimit("a", "q2", 8.0))


def test_a_codec_called_like_a_quality_keeps_its_name_in_limits(guard):
    found = guard("codecs: [q75]", "bpp: [1]", "max_drop: {q75: 3}", before="codecs: {q75: {type: jpeg}}\n")
    assert limits(found) == {"q75-1.0bpp": 3}


def test_a_limit_at_a_quality_that_looks_like_a_share_is_doubted(guard):
    found = guard("codecs: [jpeg]", "quality: [75, 50]", "max_drop: {q75: 0.05, q50: 5}")
    assert {cell.label: len(cell.doubts) for cell in found.cells} == {"jpeg-q50": 0, "jpeg-q75": 1}
    assert found.cells[1].doubts == (
        "thresholds.yaml:9: max_drop is 0.05 points and looks like a share: write 5 for 5 points",
    )


def test_nothing_lies_between_two_qualities():
    curve = Curve((), (), 1, (), (QualityLimit(50, 5.0), QualityLimit(75, 2.0)))
    assert curve.holding(Quality(60)) is None
    assert curve.holding(Quality(75)) == 2
    assert curve.holding(Rate(0.5)) is None


# Throughput


def test_throughput_has_the_points_of_the_guard(guard):
    found = guard("codecs: [jpeg]", "quality: [75]", "throughput: {}").throughput
    assert [cell.name for cell in found.cells] == [
        "photos[throughput-jpeg-q75-encode]",
        "photos[throughput-jpeg-q75-decode]",
        "photos[throughput-jpeg-q75]",
    ]


@pytest.mark.parametrize("keys", ["quality: [80]", "quality: {jpeg: [80]}", "quality: [80], bpp: null"])
def test_throughput_may_have_qualities_of_its_own_in_place_of_the_guards_points(guard, keys):
    found = guard("codecs: [jpeg]", "bpp: [0.5]", f"throughput: {{{keys}}}").throughput
    assert {cell.point for cell in found.cells} == {Quality(80.0)}


# Refusals

SECTION = "codecs: [jpeg, webp]"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            "quality: [101]",
            "8: photos: 101 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of these",
        ),
        (
            "quality: [0]",
            "8: photos: 0 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of these",
        ),
        (
            "quality: [0.5]",
            "8: photos: 0.5 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of these, or give "
            "it as a rate under bpp",
        ),
        (
            "quality: {webp: [-3], jpeg: [1]}",
            "8: photos: -3 is no quality of webp, which takes numbers from 0 to 100; use one of these",
        ),
        (
            "quality: {jpeg: [75]}",
            "3: photos: the quality of line 8 has no settings for the codec 'webp', which has no rates either; add "
            "webp or default to it",
        ),
        ("quality: 75", "8: photos: quality must be a list, found 75; write [75]"),
        ("quality: []", "8: photos: quality is an empty list; give at least one"),
        (
            "quality: [high]",
            "8: photos: a setting of quality must be a number, found 'high'; write numbers on the scale of the codec, "
            "such as [75, 50]",
        ),
        (
            "quality: [true]",
            "8: photos: a setting of quality must be a number, found true; write numbers on the scale of the codec, "
            "such as [75, 50]",
        ),
        (
            "quality: [.nan]",
            "8: photos: a setting of quality must be a number, found .nan; write numbers on the scale of the codec, "
            "such as [75, 50]",
        ),
        (
            "quality: [.inf]",
            "8: photos: a setting of quality must be a number, found .inf; write numbers on the scale of the codec, "
            "such as [75, 50]",
        ),
        (
            "quality: [q75]",
            "8: photos: a setting of quality must be a number, found 'q75'; write numbers on the scale of the codec, "
            "such as [75, 50]",
        ),
        ("quality: [75, 75.0]", "8: photos: the setting 75.0 of quality is the same as 75; keep one of them"),
        ("quality: [75, 75]", "8: photos: the setting 75 of quality is given twice; keep one of them"),
        ("quality: {jpg: [75]}", None),
        ("bpp: null", "3: photos: the codec 'jpeg' has neither rates nor qualities; give bpp or quality"),
        (
            "bpp: {jpeg: null, default: [1]}",
            "3: photos: the bpp of line 8 has no rates for the codec 'jpeg'; add jpeg or default to it",
        ),
        (
            "bpp: [75]",
            "8: photos: rate 75 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality: [75]?",
        ),
        ("bpp: [q75]", "8: photos: a rate must be a number, found 'q75'; write quality: [75]"),
        (
            "quality: [75]\nmax_drop: {75: 2}",
            "9: photos: rate 75 bpp is outside 0.02 to 8; use a rate in that range, or did you mean q75?",
        ),
        (
            "quality: [75, 60]\nmax_drop: {q75: 2, q50: 5}",
            "9: photos: quality 60 (from line 8) is not in the max_drop of line 9, which is given at q50 and q75; give "
            "max_drop at q60 too, or remove this quality",
        ),
        (
            "quality: [75]\nmax_drop: {0.5: 2, 1: 1}",
            "9: photos: quality 75 (from line 8) is not in the max_drop of line 9, which is given at 0.5 to 1.0 bpp; "
            "give max_drop at q75 too, or remove this quality",
        ),
        (
            "quality: [75]\nbpp: [0.5]\nmax_drop: {q75: 2}",
            "10: photos: rate 0.5 bpp (from line 9) is outside the max_drop of line 10, which is given at q75 only; "
            "give max_drop at 0.5 bpp too, or remove this rate",
        ),
        (
            "quality: [75]\nmax_drop: {q75: 2, q75.0: 3}",
            "9: photos: the quality q75 of max_drop is given twice, as 'q75.0' too; keep one of them",
        ),
        (
            "quality: [75]\nmax_drop: {q75: 2, jpeg: 3}",
            "9: photos: max_drop mixes codec names with 'q75'; give rates below each codec, or no codecs",
        ),
        (
            "quality: [75]\nmin_score: {q50: 2}",
            "9: photos: min_score applies to no cell of this guard; give it for a codec and a rate that the guard uses",
        ),
        (
            "quality: [75]\nmax_drop: 5\nslices: {a: {by: a, max_drop: {q50: 4}}}",
            "10: photos: slices: a: quality 75 (from line 8) is not in the max_drop of line 10, which is given at q50 "
            "only; give max_drop at q75 too, or remove this quality",
        ),
        (
            "bpp: [1]\nthroughput: {quality: [500]}",
            "9: photos: throughput: 500 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of "
            "these",
        ),
        (
            "bpp: [1]\nthroughput: {quality: {jpeg: [50]}}",
            "9: photos: throughput: the quality of line 9 has no settings for the codec 'webp', which has no rates "
            "either; add webp or default to it",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(guard_refusal, lines, message):
    found = guard_refusal(SECTION, *lines.split("\n"))
    if message is None:
        assert found.startswith("thresholds.yaml:8: photos: unknown codec 'jpg'")
    else:
        assert found == f"thresholds.yaml:{message}"


@pytest.mark.parametrize(
    ("codec", "setting", "taken"),
    [
        ("jp2", 75, "numbers from 0.02 to 16"),
        ("jxl", 100, "numbers from 0 to 99.9"),
        ("heic", 50.5, "whole numbers from 0 to 100"),
        ("avif", 60.5, "whole numbers from 0 to 100"),
        ("neural", 2.5, "only the 145 settings of its ladder, 1 to 145"),
        ("zoo:mbt2018-mean", 9, "only 1, 2, 3, 4, 5, 6, 7, 8"),
    ],
)
def test_every_codec_has_a_scale_of_its_own(guard_refusal, codec, setting, taken):
    assert guard_refusal(f"codecs: ['{codec}']", f"quality: [{setting}]") == (
        f"thresholds.yaml:8: photos: {setting} is no quality of {codec}, which takes {taken}; use one of these"
        + (", or give it as a rate under bpp" if setting == 2.5 else "")
    )


# Codecs that points are given for, and that are not used


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ["codecs: [jpeg, webp]", "quality: {jpeg: [75], avif: [50], webp: [80]}"],
            "8: photos: quality names the codec avif, which is not used here: the codecs are jpeg, webp; add avif to "
            "the codecs, or remove it from quality",
        ),
        (
            ["codecs: [jpeg]", "bpp: {avif: [0.5], default: [1]}"],
            "8: photos: bpp names the codec avif, which is not used here: the codecs are jpeg; add avif to the codecs, "
            "or remove it from bpp",
        ),
        (
            ["codecs: [jpeg]", "bpp: [1]", "throughput: {codecs: [webp], quality: {jpeg: [75], default: [80]}}"],
            "9: photos: throughput: quality names the codec jpeg, which is not used here: the codecs are webp; add "
            "jpeg to the codecs, or remove it from quality",
        ),
        (
            ["codecs: [jpeg]", "bpp: [1]", "recovery: {train: d:g, quality: {webp: [80], jpeg: [75]}}"],
            "9: photos: recovery: quality names the codec webp, which is not used here: the codecs are jpeg; add webp "
            "to the codecs, or remove it from quality",
        ),
    ],
)
def test_points_for_a_codec_that_is_not_used_are_refused(guard_refusal, lines, message):
    assert guard_refusal(*lines) == f"thresholds.yaml:{message}"


def test_points_for_the_codec_of_a_study_are_used(guard):
    found = guard("codecs: [jpeg]", "quality: {jpeg: [75], webp: [80]}", "recovery: {train: d:g, codecs: [webp]}")
    assert labels(found) == ["jpeg-q75"]
    assert [cell.point for cell in found.recovery.cells] == [Quality(80.0)]


def test_the_points_of_the_defaults_may_serve_other_guards(guard):
    found = guard("codecs: [jpeg]", before="defaults: {quality: {jpeg: [75], avif: [50]}}\n")
    assert labels(found) == ["jpeg-q75"]
