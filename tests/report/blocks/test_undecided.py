"""Lines of a guard on cells that its images cannot decide."""

from __future__ import annotations

from compress_guard.report import Display, plain
from compress_guard.report.blocks.undecided import undecided_cells


def shown(results, **display):
    return plain(undecided_cells(results, Display(**display)))


def undecided(cell, codec="jpeg", outcome="passed", **fields):
    return cell(codec, 1, "inconclusive", outcome, 2.0, **({"resolvable_drop": 4.0, "max_drop": 2.0} | fields))


def test_it_names_the_images_there_are_and_those_it_would_take(cell):
    assert shown([undecided(cell, images_needed=1180)]) == (
        "  ? 1 undecided with 200 images, 1 passed by on_inconclusive: pass: about 1200 images would settle jpeg at "
        "1 bpp\n"
    )


def test_it_says_honestly_that_no_number_of_images_would_do(cell):
    assert shown([undecided(cell, outcome="failed")]) == (
        "  ? 1 undecided with 200 images, 1 failed by on_inconclusive: fail: too near the limit for a hundred times "
        "the images: jpeg at 1 bpp\n"
    )


def test_a_decided_guard_says_nothing(cell):
    assert shown([cell("jpeg", 1, drop=1.0)]) == ""


def test_a_verbose_run_names_the_images_behind_those_that_did_not_fail(cell):
    images = {"harmful_flips": 3, "helpful_flips": 1, "worst": (("a.jpg", 0.5),), "images_needed": 900}
    results = [undecided(cell, **images), undecided(cell, "webp", "failed", **images)]
    assert shown(results, verbose=True).splitlines()[1:] == [
        "  ? jpeg at 1 bpp",
        "    images: 3 newly wrong, 1 newly right of 200 images",
        "    worst: a.jpg",
    ]
    assert len(shown(results).splitlines()) == 1
