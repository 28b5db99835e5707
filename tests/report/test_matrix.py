from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress_guard.report import Display, plain
from compress_guard.report.blocks.cell_texts import setting
from compress_guard.report.blocks.layouts import guard_cells
from compress_guard.report.matrix import matrix
from compress_guard.report.signs import Signs

UNICODE = Signs.of("utf-8")


def shown(results):
    return plain(guard_cells(results, Display(width=200)))


def styles(results):
    return {text: style for line in matrix(results, UNICODE) for text, style in line}


def test_a_cell_has_its_interval_and_the_setting_of_its_rate_below_the_drop(cell):
    found = [
        cell("jpeg", 0.5, drop=14.5, drop_low=8.5, drop_high=20.5, max_drop=15.0, settings=((12.0, 130), (13.0, 70))),
        cell("jpeg", 1, drop=0.0, drop_low=-1.9, drop_high=1.9, max_drop=5.0, settings=((37.0, 200),)),
        cell("webp", 0.5, "unavailable", "failed", max_drop=15.0),
    ]
    assert shown(found) == (
        "photos: top1 76.2 on 200 clean images; drop in points, with its 95 % interval\n"
        "            0.5bpp             1.0bpp\n"
        "  allowed   15.0               5.0\n"
        "  jpeg      14.5 ✓             0.0 ✓\n"
        "            8.5 to 20.5        -1.9 to 1.9\n"
        "            q about 12         q 37\n"
        "  webp      unavailable FAIL\n"
    )


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (((12.0, 9),), "q 12"),
        (((0.0013, 9),), "q 0.0013"),
        (((12.0, 1), (13.0, 3)), "q about 13"),
        (((0.5, 1), (1.0, 1)), "q about 0.75"),
        ((), ""),
    ],
)
def test_the_setting_is_exact_where_all_images_have_it_and_else_a_mean(cell, settings, text):
    assert setting(cell("jpeg", 0.5, drop=1.0, settings=settings)) == text


def test_a_cell_at_a_given_setting_does_not_repeat_it(cell):
    found = [cell("jpeg", 1, drop=1.0, target_bpp=None, target_quality=75.0, settings=((75.0, 200),))]
    assert shown(found).splitlines()[1:] == ["         q75", "  jpeg   1.0 ✓"]


def test_limits_that_differ_between_codecs_stand_behind_each_drop(cell):
    found = [
        cell("jpeg", 0.5, drop=12.3, max_drop=13.0),
        cell("webp", 0.5, drop=1.3, max_drop=3.1528),
        cell("webp", 1, drop=0.3, max_drop=3.0),
        cell("neural", 1, "unjudged", "skipped", 5.0),
    ]
    assert shown(found) == (
        "photos: top1 76.2 on 200 clean images; drop in points / allowed drop\n"
        "           0.5bpp          1.0bpp\n"
        "  jpeg     12.3 / 13.0 ✓\n"
        "  webp     1.3 / 3.15 ✓    0.3 / 3.0 ✓\n"
        "  neural                   5.0 ·\n"
    )


def test_floors_of_the_score_have_a_row(cell):
    found = [
        cell("jpeg", 0.5, drop=1.0, min_score=60.0),
        cell("webp", 0.5, drop=1.0, min_score=50.0),
        cell("webp", 1, drop=1.0),
    ]
    assert shown(found) == (
        "photos: top1 76.2 on 200 clean images; drop in points\n"
        "              0.5bpp         1.0bpp\n"
        "  min score   50.0 to 60.0\n"
        "  jpeg        1.0 ✓\n"
        "  webp        1.0 ✓          1.0 ✓\n"
    )


def test_the_floor_of_the_clean_score_has_a_row_too_and_one_of_zero_is_none(cell):
    found = [cell("jpeg", 0.5, drop=1.0, min_clean=70.0), cell("jpeg", 1, drop=1.0, min_clean=70.0)]
    assert shown(found) == (
        "photos: top1 76.2 on 200 clean images; drop in points\n"
        "              0.5bpp   1.0bpp\n"
        "  min clean   70.0     70.0\n"
        "  jpeg        1.0 ✓    1.0 ✓\n"
    )
    assert "min clean" not in shown([cell("jpeg", 0.5, drop=1.0, min_clean=0.0)])


def test_codecs_keep_their_order_and_rates_ascend(cell):
    found = [cell("webp", 2, drop=1), cell("avif", 0.25, drop=1), cell("webp", 0.25, drop=1)]
    text = shown(found).splitlines()
    assert text[1].split() == ["0.25bpp", "2.0bpp"]
    assert [line.split()[0] for line in text[2:]] == ["webp", "avif"]


def test_two_results_of_one_codec_and_rate_are_both_shown(cell):
    found = [cell("jpeg", 1, drop=1.0), cell("webp", 1, drop=2.0), cell("jpeg", 1, "fail", "failed", 3.0)]
    assert [line.split() for line in shown(found).splitlines()[2:]] == [
        ["jpeg", "1.0", "✓"],
        ["jpeg", "3.0", "FAIL"],
        ["webp", "2.0", "✓"],
    ]


def test_clean_scores_and_images_that_differ_are_a_range(cell):
    found = [
        cell("jpeg", 1, drop=1, clean=75.0),
        cell("avif", 1, drop=1, images_used=100),
        cell("webp", 1, drop=1, clean=75.04),
    ]
    assert shown(found).startswith("photos: top1 75.0 to 76.2 on 100 to 200 clean images; drop in points\n")


def test_a_clean_side_that_is_scaled_has_a_remark_in_the_title(cell):
    found = [cell("upload", 1, drop=1.0, clean=68.3, reference="input")]
    assert shown(found).startswith(
        "photos: top1 68.3 on 200 clean images, scaled and cropped as each codec does; drop in points\n"
    )


def test_without_a_score_the_title_names_the_metric_alone(cell):
    found = [cell("heic", 1, "unavailable", "skipped")]
    assert shown(found) == "photos: top1; drop in points\n         1.0bpp\n  heic   unavailable\n"


def test_intervals_of_several_confidences_are_named_without_one(cell):
    found = [
        cell("jpeg", 1, drop=1.0, drop_low=0.0, drop_high=2.0),
        cell("webp", 1, drop=1.0, drop_low=0.0, drop_high=2.0, confidence=0.9),
    ]
    assert shown(found).splitlines()[0].endswith("; drop in points, with its interval")


@pytest.mark.parametrize(
    ("verdict", "outcome", "drop", "text", "style"),
    [
        ("pass", "passed", 1.0, "1.0 ✓", "green"),
        ("fail", "failed", 1.0, "1.0 FAIL", "red bold"),
        ("inconclusive", "passed", 1.0, "1.0 ?", "light"),
        ("inconclusive", "failed", 1.0, "1.0 ? FAIL", "red bold"),
        ("unreachable", "skipped", None, "floor 0.104", "light"),
        ("unreachable", "failed", None, "floor 0.104 FAIL", "red bold"),
        ("unavailable", "skipped", None, "unavailable", "light"),
        ("unavailable", "failed", None, "unavailable FAIL", "red bold"),
        ("unjudged", "skipped", 1.0, "1.0 ·", "light"),
        ("unjudged", "failed", 1.0, "1.0 FAIL", "red bold"),
        ("codec_error", "failed", None, "codec error FAIL", "red bold"),
        ("error", "failed", None, "error FAIL", "red bold"),
    ],
)
def test_how_a_cell_looks(cell, verdict, outcome, drop, text, style):
    assert styles([cell("jpeg", 0.1, verdict, outcome, drop, floor_bpp=0.1041)])[text] == style


@pytest.mark.parametrize(
    ("verdict", "outcome", "text"), [("pass", "passed", "1.0 ✓*"), ("fail", "failed", "1.0 FAIL*")]
)
def test_a_cell_that_stopped_early_has_a_star(cell, verdict, outcome, text):
    stopped = cell("jpeg", 0.1, verdict, outcome, 1.0, stopped_early=True)
    assert text in styles([stopped])
    assert (" stopped early", "light") in UNICODE.legend("", [stopped])
    assert (" stopped early", "light") not in UNICODE.legend("", [cell("jpeg", 1, drop=1.0)])


def test_an_unreachable_rate_without_a_floor_says_so(cell):
    assert "unreachable FAIL" in shown([cell("jpeg", 0.1, "unreachable", "failed")])


DROPS = st.floats(-100, 100) | st.none()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([0.1, 0.25, 1.0]), DROPS), min_size=1, max_size=9))
def test_texts_begin_at_the_edge_of_their_column_and_no_line_ends_in_blanks(cell, cells):
    found = [
        cell(codec, bpp, "error" if drop is None else "fail", "failed", drop, drop_low=drop, drop_high=drop)
        for codec, bpp, drop in cells
    ]
    text = shown(found).splitlines()
    assert all(line == line.rstrip() for line in text)
    head, *rows = text[1:]
    edges = {match.start() for match in re.finditer(r"\S+bpp", head)}
    for row in rows:
        assert {match.end() for match in re.finditer(r" {3,}(?=\S)", row)} <= edges
    assert sum(row.count("FAIL") for row in rows) == len(cells)
