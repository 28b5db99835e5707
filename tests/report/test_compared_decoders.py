"""Reports of cells that compare decoders: matrix, brief and notes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from compress_guard.report import Display
from compress_guard.report.blocks.layouts import guard_cells
from compress_guard.report.brief import brief
from compress_guard.report.notes import controls, obstacles


@pytest.fixture
def compared(cell):
    """A guard of two decoders at two rates."""

    def by(decoder, bpp, drop, limit=1.0, **fields):
        values = {
            "decoder": decoder,
            "first_decoder": "pillow",
            "decoder_drop": drop,
            "decoder_drop_low": drop - 0.5,
            "decoder_drop_high": drop + 0.5,
            "max_decoder_drop": limit,
            "decoder_difference_max": 9,
            "decoder_difference_mean": 0.25,
        }
        return cell("jpeg", bpp, drop=5.0, **(values | fields))

    return [
        cell("jpeg", 0.25, drop=6.1, max_drop=8.0, decoder="pillow"),
        by("opencv", 0.25, 0.0),
        cell("jpeg", 0.5, drop=2.1, max_drop=4.0, decoder="pillow"),
        by("opencv", 0.5, 2.5, verdict="fail", outcome="failed", decoder_difference_mean=0.5),
    ]


def text(line):
    return "".join(part for part, _ in line)


def shown(results):
    return [text(line).rstrip() for line in guard_cells(results, Display("ascii", 200))]


def test_a_further_decoder_has_a_row_of_its_drop_from_the_first(compared):
    assert shown(compared) == [
        "photos: top1 76.2 on 200 clean images; drop in points / allowed drop; by another decoder: drop from pillow / "
        "allowed drop",
        "                   0.25bpp        0.5bpp",
        "  jpeg             6.1 / 8.0 ok   2.1 / 4.0 ok",
        "  jpeg by opencv   0.0 / 1.0 ok   2.5 / 1.0 FAIL",
        "                   -0.5 to 0.5    2.0 to 3.0",
    ]


def test_without_limits_between_decoders_the_shared_ones_keep_their_row(compared):
    free = [replace(each, terms=replace(each.terms, max_decoder_drop=None)) for each in compared]
    _, _, allowed, drops, *_ = (line.split() for line in shown(free))
    assert (allowed, drops) == (["allowed", "8.0", "4.0"], ["jpeg", "6.1", "ok", "2.1", "ok"])


def test_the_brief_names_both_decoders(compared):
    assert brief(compared[3]) == "top1 -2.5 (2.0 to 3.0), allowed 1.0, by opencv instead of pillow"


def test_a_note_tells_how_far_apart_they_are(compared):
    assert list(controls.compared_decoders(compared)) == [
        "photos: opencv instead of pillow moves pixels by up to 9 levels, 0.25 to 0.50 on average, and the score by "
        "-2.5 to +0.0 points"
    ]


def test_a_note_tells_where_the_pixels_are_identical(compared):
    same = replace(compared[1].decoding, decoder_difference_max=0, decoder_difference_mean=0.0)
    assert list(controls.compared_decoders([compared[0], replace(compared[1], decoding=same), *compared[2:]])) == [
        "photos: opencv and pillow give identical pixels on all 200 images, so the drop between them is 0 there; its "
        "interval is about other images: jpeg by opencv at 0.25 bpp",
        "photos: opencv instead of pillow moves pixels by up to 9 levels, 0.50 on average, and the score by -2.5 "
        "points",
    ]


def test_a_comparison_without_a_limit_is_asked_for_one(cell):
    results = [cell("jpeg", 0.5, "unjudged", "skipped", 1.0, decoder="opencv", first_decoder="pillow")]
    assert list(obstacles.unjudged(results)) == [
        "photos: jpeg by opencv was measured without a limit in 1 cell; set max_decoder_drop to judge it"
    ]


def test_a_decoder_that_is_not_installed_is_named(cell):
    reason = "the decoder opencv: OpenCV is not installed; pip install opencv-python-headless"
    results = [cell("jpeg", 0.5, "unavailable", "failed", reason=reason, decoder="opencv", first_decoder="pillow")]
    assert list(obstacles.unavailable(results)) == [f"jpeg by opencv is unavailable (1 cell): {reason}"]
