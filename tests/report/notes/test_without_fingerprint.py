"""The hint of a run that coded nothing and asked its model all the same."""

from __future__ import annotations

import pytest

from compress_guard.report import lines, plain
from compress_guard.report.notes.earlier_runs import without_fingerprint


def warm(cell, **fields):
    return cell("jpeg", 1, **({"drop": 1.0, "encodes": 0.0, "predictions": 400} | fields))


def test_it_says_what_a_fingerprint_would_save(cell):
    results = [warm(cell), cell("webp", 1, drop=1.0, encodes=0.0, predictions=200)]
    hint = (
        "photos: every image was coded already, but the model had to make 600 predictions; with a fingerprint in the "
        "guard the next run uses them again: docs/howto/caching.md"
    )
    assert list(without_fingerprint(results)) == [hint]
    assert plain(lines(results)).splitlines().count(hint) == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"encodes": 0.25},
        {"remembered": 0},
        {"remembered": 400},
        {"predictions": 0},
        {"predictions": None},
        {"encodes": None},
        {"drop": None},
    ],
)
def test_a_cold_run_and_one_with_a_fingerprint_say_nothing(cell, fields):
    assert list(without_fingerprint([warm(cell, **fields)])) == []


def test_one_cell_that_was_coded_makes_the_run_cold(cell):
    assert list(without_fingerprint([warm(cell), cell("webp", 1, drop=1.0, encodes=1.0, predictions=200)])) == []


def test_a_guard_whose_images_another_guard_coded_in_this_run_says_nothing(cell):
    first = cell("jpeg", 1, guard="others", drop=1.0, encodes=5.0, predictions=200)
    assert list(without_fingerprint([first, warm(cell)])) == []
