"""Limits that mean little, and models that nobody could tell from ignorant ones: a line per guard."""

from __future__ import annotations

from compress_guard.records import UNTOLD, CellResult
from compress_guard.report import plain, properties
from compress_guard.report.notes.lines import notes

DOUBT = "a max_drop at or above the clean top1 of 50.0 can never be exceeded; lower it, or set min_score"


def styled(results, part):
    return [style for line in notes(results) for text, style in line if part in text]


def test_doubts_are_told_once_per_guard(cell):
    found = [cell("jpeg", bpp, drop=1.0, max_drop=60.0, doubts=(DOUBT,)) for bpp in (0.5, 1, 2)]
    found += [cell("webp", 1, drop=1.0, max_drop=6.0), cell("jpeg", 1, drop=1.0, guard="other", doubts=(DOUBT,))]
    lines = [line for line in plain(notes(found)).splitlines() if "max_drop at or above" in line]
    assert lines == [f"photos: {DOUBT} (3 cells)", f"other: {DOUBT} (1 cell)"]
    assert styled(found, DOUBT) == ["yellow", "yellow"]


def test_many_doubts_are_counted(cell):
    found = [
        cell("jpeg", 1, drop=1.0, doubts=("one", "two")),
        cell("webp", 1, drop=1.0, doubts=("two", "three", "four")),
    ]
    assert "photos: one; two; three; and 1 more like these (2 cells)" in plain(notes(found)).splitlines()


def test_what_could_not_be_told_of_the_model_is_said_in_passing(cell):
    remark = "there are 12 images, and it takes 36"
    found = [cell("jpeg", bpp, drop=1.0, clean_remark=remark) for bpp in (0.5, 1)]
    text = f"photos: whether the model knows anything was not tested: {remark}; min_clean sets a floor"
    assert plain(notes(found)).splitlines().count(text) == 1
    assert styled(found, text) == ["light"]
    assert "was not tested" not in plain(notes([cell("jpeg", 1, drop=1.0)]))


def test_answers_like_those_of_a_model_that_knows_nothing_are_told_once_per_guard(cell):
    remark = f"the clean answers (top1 33.3 on 72 images) {UNTOLD} (Cohen's kappa 0.000, ...); set min_clean"
    found = [cell("jpeg", bpp, drop=1.0, clean_remark=remark) for bpp in (0.5, 1)]
    assert plain(notes(found)).splitlines().count(f"photos: {remark}") == 1
    assert styled(found, remark) == ["light"]
    assert "was not tested" not in plain(notes(found))


def test_doubts_are_in_json_and_junit_and_come_back(cell):
    found = cell("jpeg", 1, drop=1.0, doubts=(DOUBT, "more"), min_clean=60.0, clean_low=70.0, clean_high=81.0)
    assert found.as_dict()["doubts"] == [DOUBT, "more"]
    assert CellResult.from_dict(found.as_dict()) == found
    named = dict(properties(found))
    assert named["cg_doubts"] == f'["{DOUBT}","more"]'
    assert (named["cg_min_clean"], named["cg_clean_low"], named["cg_clean_high"]) == ("60.0", "70.0", "81.0")
    assert "cg_doubts" not in dict(properties(cell("jpeg", 1, drop=1.0)))
