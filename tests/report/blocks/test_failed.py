"""Lines of a failed cell below its guard."""

from __future__ import annotations

import shlex

import pytest

from compress_guard.records import NamedImage, SliceResult
from compress_guard.report import Display, plain
from compress_guard.report.blocks.failed import MOST_EXPLAINED, failed_cells
from compress_guard.report.rerun import decisive, pytest_command, run_command

REASON = "top1 fell by 9.0 points (76.2 to 67.2, 95 % interval 5.1 to 12.9), allowed 2.0: jpeg at 1 bpp, 200 images"


@pytest.fixture
def failure(cell):
    """Return a function that makes a failed cell."""

    def make(codec="jpeg", bpp=1, **fields):
        given = {
            "drop_low": 5.1,
            "drop_high": 12.9,
            "max_drop": 2.0,
            "reason": REASON,
            "harmful_flips": 20,
            "helpful_flips": 2,
            "worst": (("cats/a.jpg", 0.5), ("dogs/b.jpg", 0.5)),
            "limit_places": (("max_drop", "thresholds.yaml:14"),),
        }
        return cell(codec, bpp, "fail", "failed", 9.0, **(given | fields))

    return make


def shown(results, **display):
    return plain(failed_cells(results, Display(**display)))


def test_a_failed_cell_says_why_and_on_which_images_and_what_to_type(failure):
    assert shown([failure()]) == (
        f"  FAIL jpeg at 1 bpp: {REASON}\n"
        "    images: 20 newly wrong, 2 newly right of 200 images\n"
        "    worst: cats/a.jpg, dogs/b.jpg\n"
        "    limit: thresholds.yaml:14 max_drop\n"
        "    rerun: pytest --compress-guard 'thresholds.yaml::photos[jpeg-1.0bpp]'\n"
    )


def test_a_reason_that_stands_above_is_in_brief(failure):
    result = failure()
    assert shown([result], shown={result.id}).startswith("  FAIL jpeg at 1 bpp: top1 -9.0 (5.1 to 12.9), allowed 2.0\n")


def test_a_metric_without_flags_has_the_points_of_each_image(failure):
    result = failure(harmful_flips=None, helpful_flips=None, changed=120, worst=(("a", 0.714), ("b", 0.6)))
    assert shown([result]).splitlines()[1:3] == [
        "    images: 120 changed of 200 images",
        "    worst: a (0.71 points), b (0.60 points)",
    ]


def test_images_have_the_names_of_their_files_and_classes(failure):
    named = (
        NamedImage("3", "cats/0031.png", 3, "cat", 3, "cat", 5, "dog"),
        NamedImage("4", "dogs/0044.png"),
    )
    result = failure(worst=(("3", 0.5), ("4", 0.5)), worst_images=named)
    assert "    worst: cats/0031.png (cat -> dog), dogs/0044.png\n" in shown([result])


def test_a_long_name_of_a_class_is_shortened(failure):
    named = (NamedImage("3", "cats/0031.png", 3, "c" * 90, 3, "c" * 90, 5, "d" * 90),)
    text = shown([failure(worst=(("3", 0.5),), worst_images=named)])
    (line,) = [line for line in text.splitlines() if "worst" in line]
    assert len(line) < 160
    assert line.startswith("    worst: cats/0031.png (ccc")
    assert line.endswith("ddd)")


def test_a_limit_between_two_rates_has_both_lines(failure):
    places = (("max_drop", "t.yaml:14"), ("max_drop", "t.yaml:15"), ("min_score", "t.yaml:9"))
    assert "    limit: t.yaml:14 and t.yaml:15 max_drop\n" in shown([failure(limit_places=places)])


def test_the_limit_that_was_missed_is_named_and_not_the_one_that_held(failure):
    places = (("max_drop", "t.yaml:14"), ("min_score", "t.yaml:9"))
    floor = failure(max_drop=50.0, min_score=90.0, score_low=60.0, score_high=70.0, limit_places=places)
    assert "    limit: t.yaml:9 min_score\n" in shown([floor])
    both = failure(min_score=90.0, score_low=60.0, score_high=70.0, limit_places=places)
    assert "    limit: t.yaml:14 max_drop, t.yaml:9 min_score\n" in shown([both])


def test_an_undecided_cell_that_fails_names_the_limit_that_it_may_have_missed(cell):
    result = cell(
        "jpeg", 1, "inconclusive", "failed", 2.0, drop_low=1.0, drop_high=3.0, max_drop=2.0,
        limit_places=(("max_drop", "t.yaml:3"),),
    )  # fmt: skip
    assert "    limit: t.yaml:3 max_drop\n" in shown([result])


@pytest.mark.parametrize(("key", "place"), [("slice weather=night", "t.yaml:7"), ("slice weather", "t.yaml:6")])
def test_the_limit_of_a_slice_is_its_own_or_that_of_its_slicing(failure, key, place):
    night = SliceResult("weather", "night", 33, 0.95, "fail", 90.0, 70.0, 20.0, 9.0, 31.0, 5.0)
    result = failure(max_drop=50.0, slices=(night,), limit_places=(("max_drop", "t.yaml:14"), (key, place)))
    assert f"    limit: {place} {key}\n" in shown([result])


def test_a_limit_of_a_test_has_no_line_and_its_command_runs_the_test(failure):
    own = failure(id="tests/test_own.py::TestModel::test_drop[a b]::jpeg-1.0bpp", limit_places=())
    text = shown([own])
    assert "limit:" not in text
    assert text.endswith("    rerun: pytest --compress-guard 'tests/test_own.py::TestModel::test_drop[a b]'\n")


def test_a_cell_that_was_not_measured_has_its_reason_and_a_command(cell):
    assert shown([cell("avif", 0.5, "error", "failed", max_drop=4.0, reason="model: 3 scores for 4 images")]) == (
        "  FAIL avif at 0.5 bpp: model: 3 scores for 4 images\n"
        "    rerun: pytest --compress-guard 'thresholds.yaml::photos[avif-0.5bpp]'\n"
    )


def test_cells_that_hold_or_are_waived_are_left_out(cell):
    held = [cell("jpeg", 1, drop=1.0), cell("webp", 1, "fail", "skipped", 9.0, waived="known")]
    assert shown(held) == ""


def test_after_many_failures_the_others_are_short_unless_the_run_is_verbose(failure):
    many = [failure(f"c{number}") for number in range(MOST_EXPLAINED + 2)]
    text = shown(many)
    assert text.count("FAIL") == text.count("rerun:") == len(many)
    assert text.count("limit:") == MOST_EXPLAINED
    assert text.endswith("  the images and limits of 2 more failed cells are in -v\n")
    assert shown(many, verbose=True).count("limit:") == len(many)


def test_a_narrow_terminal_breaks_sentences_and_leaves_the_command_whole(failure):
    result = failure(worst=(("photos/of/many/places/and/years/IMG_0001.jpg", 0.5),))
    lines = shown([result], width=40, wraps=True).splitlines()
    assert "    worst: photos/of/m...ars/IMG_0001.jpg" not in lines
    assert [line for line in lines if len(line) > 40] == [
        "    rerun: pytest --compress-guard 'thresholds.yaml::photos[jpeg-1.0bpp]'"
    ]
    assert any("...IMG_0001.jpg" in line or "...1.jpg" in line for line in lines)


@pytest.mark.parametrize("guard", ["photos", "my photos", "it's", "a;b", "$HOME"])
def test_commands_are_quoted_for_a_shell(cell, guard):
    result = cell("jpeg", 1, guard=guard)
    node_id = f"thresholds.yaml::{guard}[jpeg-1.0bpp]"
    assert shlex.split(pytest_command(result)) == ["pytest", "--compress-guard", node_id]
    assert shlex.split(run_command(result, "my file.yaml")) == [
        "compress-guard", "run", "my file.yaml", "--only", f"{guard}[jpeg-1.0bpp]",
    ]  # fmt: skip


def test_options_that_a_verdict_depends_on_are_in_the_command(failure):
    given = {"limit": None, "seed": 0, "baseline": "old runs/1.json", "strict": True, "early-stop": False}
    assert decisive("--cg-", given) == ["--cg-baseline=old runs/1.json", "--cg-strict"]
    assert shlex.split(pytest_command(failure(), decisive("--cg-", given)))[3:] == decisive("--cg-", given)
    assert shlex.split(run_command(failure(), "a.yaml", ["--limit=3"]))[-1] == "--limit=3"
