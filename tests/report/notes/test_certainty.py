from __future__ import annotations

import pytest

from compress_guard.report import plain
from compress_guard.report.notes.lines import notes
from compress_guard.verdict import power


def note_lines(results):
    beside = (" inconclusive (?): ", "predictions that turned wrong / right: ")
    return [text for text in plain(notes(results)).splitlines() if not any(words in text for words in beside)]


def doubt(cell):
    """Return a function that makes a cell with an open verdict and the number of images that would settle it."""

    def make(codec, bpp, needed, **fields):
        values = {"images_needed": needed, "resolvable_drop": 4.0, "max_drop": 30.0, "guard": "photos", **fields}
        return cell(codec, bpp, "inconclusive", "passed", 4.0, **values)

    return make


@pytest.fixture
def flagged(cell):
    """Return a function that makes a cell of a metric with flags, on 50 images."""

    def make(codec, bpp, verdict, outcome, drop=None, **fields):
        flips = {"harmful_flips": 4, "helpful_flips": 1, "images": 50, "images_used": 50}
        return cell(codec, bpp, verdict, outcome, drop, **(flips | fields))

    return make


def test_a_limit_that_the_images_can_never_hold_is_called_out_once_per_guard(flagged):
    found = [
        flagged("jpeg", 0.5, "inconclusive", "passed", 4.0, max_drop=9.0),
        flagged("jpeg", 1, "inconclusive", "passed", 0.0, max_drop=2.5),
        flagged("jpeg", 2, "fail", "failed", 9.0, max_drop=2.0),
        flagged("webp", 2, "inconclusive", "passed", 0.0, max_drop=2.0),
    ]
    enough = [power.images_for(0.95, limit) for limit in (2.5, 2.0)]
    assert note_lines(found) == [
        "photos: jpeg at 1 and 2 bpp, webp at 2 bpp: 50 images are too few for a max_drop unless compression puts "
        "predictions right: where none changes, the 95 % "
        f"interval of the drop reaches 7.1, allowed 2.0 to 2.5; it takes {enough[0]} to {enough[1]} images"
    ]
    assert [style for line in notes(found) for text, style in line if "too few for a max_drop" in text] == [
        "yellow bold"
    ]


def test_a_limit_that_the_images_can_hold_or_held_is_not_called_out(flagged):
    enough = power.images_for(0.95, 2.0)
    found = [
        flagged("jpeg", 1, "fail", "failed", 9.0, max_drop=2.0, images_used=enough),
        flagged("jpeg", 2, "pass", "passed", -9.0, max_drop=2.0),
        flagged("webp", 2, "unjudged", "skipped", 1.0),
        flagged("avif", 2, "error", "failed", max_drop=2.0),
        flagged("heic", 2, "inconclusive", "passed", 1.0, min_score=60.0),
        flagged("jp2", 2, "inconclusive", "passed", 1.0, max_drop=2.0, images_used=None),
    ]
    assert [text for text in note_lines(found) if "too few for a max_drop" in text] == []
    found = [flagged("jpeg", 1, "fail", "failed", 9.0, max_drop=2.0, images_used=enough - 1)]
    assert "too few for a max_drop" in note_lines(found)[0]


def test_of_a_metric_without_flags_no_limit_is_called_out(flagged):
    """A detector's limit of 5.6 on 64 images: a few images that change a little may hold it."""
    found = [flagged("neural", 0.5, "inconclusive", "passed", 1.4, max_drop=5.6, metric="map", harmful_flips=None)]
    assert note_lines(found) == []


def test_of_a_gain_no_limit_is_called_out(flagged):
    """A larger gain would pass with as few images."""
    assert note_lines([flagged("jpeg", 1, "inconclusive", "passed", -2.0, max_drop=2.0)]) == []


def test_a_cell_that_stopped_early_is_not_called_out(flagged):
    assert [
        text
        for text in note_lines([flagged("jpeg", 1, "fail", "failed", 30.0, max_drop=2.0, stopped_early=True)])
        if "too few for a max_drop" in text
    ] == []


def test_the_images_used_count_and_not_those_planned(flagged):
    enough = power.images_for(0.95, 2.0)
    found = [flagged("jpeg", 1, "inconclusive", "passed", 0.0, max_drop=2.0, images=enough, images_used=enough - 1)]
    assert note_lines(found)[0].startswith(f"photos: jpeg at 1 bpp: {enough - 1} images are too few for a max_drop ")


def test_no_number_of_images_shows_a_drop_of_nothing(flagged):
    text = note_lines([flagged("jpeg", 2, "inconclusive", "passed", 0.0, max_drop=0.0)])[0]
    assert text.endswith("allowed 0.0; no number of images could")


def test_confidence_counts(flagged):
    found = [flagged("jpeg", 2, "inconclusive", "passed", 0.0, max_drop=8.0, confidence=c) for c in (0.9, 0.999)]
    (text,) = note_lines(found)
    assert "the 99.9 % interval" in text


def test_open_verdicts_come_with_the_images_that_would_settle_them(cell):
    make = doubt(cell)
    found = [
        make("webp", 0.5, 11_234),
        make("jpeg", 0.5, 781),
        make("avif", 0.5, 790),
        make("avif", 1, None),
        make("jpeg", 1, 96, guard="scans"),
    ]
    assert [text for text in note_lines(found) if "settle" in text] == [
        "photos: about 790 images would settle jpeg at 0.5 bpp, avif at 0.5 bpp; about 12000 images would settle "
        "webp at 0.5 bpp; too near the limit for a hundred times the images: avif at 1 bpp",
        "scans: about 96 images would settle jpeg at 1 bpp",
    ]


def test_many_different_numbers_are_a_range(cell):
    make = doubt(cell)
    found = [make(f"c{place}", 1, 300 * place) for place in range(1, 9)]
    assert [text for text in note_lines(found) if "settle" in text] == [
        "photos: about 300 to 2400 images would settle 8 cells"
    ]


def test_advice_is_never_fewer_images_than_were_asked_for(cell):
    for needed in (1, 9, 10, 99, 101, 999, 1001, 123_456):
        text = next(text for text in note_lines([doubt(cell)("jpeg", 1, needed)]) if "settle" in text)
        assert needed <= int(text.split()[2]) <= 1.1 * needed


def test_open_verdicts_of_which_nobody_asked_are_silent(cell):
    assert note_lines([cell("jpeg", 1, "inconclusive", "passed", 4.0, max_drop=30.0)]) == []


def test_what_images_resolve_is_one_light_line_per_guard(cell):
    found = [
        cell("jpeg", 0.5, drop=1.0, resolvable_drop=4.91),
        cell("jpeg", 1, drop=1.0, resolvable_drop=2.06, images_used=198),
        cell("jpeg", 2, drop=1.0, resolvable_drop=9.0, stopped_early=True, images_used=20),
        cell("jpeg", 0.5, drop=1.0, resolvable_drop=3.9, guard="scans"),
    ]
    lines = list(notes(found))
    assert [text for text in note_lines(found) if "to be decided" in text] == [
        "photos: with 198 to 200 images a drop must be 2.1 to 4.9 points away from its limit to be decided",
        "scans: with 200 images a drop must be 3.9 points away from its limit to be decided",
    ]
    assert {style for line in lines for text, style in line if "to be decided" in text} == {"light"}


def test_a_correction_is_said_once(cell):
    found = [cell("jpeg", 1, drop=1.0, guard=guard, correction="bonferroni", confidence=0.999) for guard in "aab"]
    assert note_lines([*found, cell("jpeg", 1, drop=1.0)]) == [
        "a, b: intervals at 99.9 %: bonferroni over the judged limits of the file"
    ]


def test_early_stops_are_counted(cell):
    stopped = {"stopped_early": True, "images": 5000}
    found = [
        cell("jpeg", 0.5, drop=1.0, images_used=640, **stopped),
        cell("jpeg", 1, drop=1.0, images_used=96, **stopped),
        cell("jpeg", 2, drop=1.0, images_used=5000, images=5000),
    ]
    assert note_lines(found) == ["photos: 2 of 3 cells stopped early (*), certain after 96 to 640 of 5000 images"]


@pytest.fixture
def scored(cell):
    """Return a function that makes a passed cell without flags, on 64 images with a compressed score of 95."""

    def make(codec, bpp, drop, unseen, verdict="pass", **fields):
        values = {"metric": "map", "images": 64, "images_used": 64, "unseen_drop": unseen, "max_drop": 5.6}
        return cell(codec, bpp, verdict, "passed", drop, clean=95.0 + drop, **(values | fields))

    return make


def test_passed_cells_that_rare_losses_would_bring_beyond_their_limit_are_named(scored):
    found = [
        scored("neural", 0.5, 1.4, 6.69),
        scored("neural", 0.1, 1.0, 5.5),
        scored("webp", 0.5, 1.4, 6.69, verdict="inconclusive"),
        scored("jpeg", 1, 1.0, 4.5, min_score=92.0, max_drop=None),
        scored("jpeg", 2, 1.0, 4.5, min_score=91.0, max_drop=None),
        scored("avif", 2, 1.0, None),
    ]
    assert note_lines(found) == [
        "photos: the interval of map does not cover rare images that lose everything; as many as 64 images may have "
        "missed would bring neural at 0.5 bpp to a drop of 6.7 (allowed 5.6), jpeg at 1 bpp to a score of 91.5 (at "
        "least 92.0)"
    ]
    assert {style for line in notes(found) for text, style in line if "rare images" in text} == {"light"}


def test_many_such_cells_are_only_counted(scored):
    (text,) = note_lines([scored(f"c{place}", 1, 1.4, 6.69) for place in range(7)])
    assert text.endswith("would bring 7 cells beyond their limits")
