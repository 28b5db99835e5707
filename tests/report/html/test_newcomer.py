"""Answers that a reader of the page seeks first: which model, compared with what, by which line, and what to do."""

from __future__ import annotations

import pytest

from compress_guard.records import CellResult, Ending
from compress_guard.report.html.advice import advice
from compress_guard.report.html.contents import RunContents
from compress_guard.report.html.markdown import markdown
from compress_guard.report.html.page import page
from tests.report.html.conftest import BASELINE
from tests.report.html.test_page import Document

SINCE = "In the baseline the score was 75.5: now it is 1.3 lower; the interval of the fall is 0.4 to 2.2."


def head_of(run):
    return Document(page(run)).text.partition("A cell is one model")[0]


@pytest.fixture
def compared(failed_cell):
    """Return the failed cell with a baseline."""
    return CellResult.from_dict(failed_cell.as_dict() | BASELINE)


def test_the_head_names_the_model_of_a_failed_cell(failed_cell):
    environment = {"models": {failed_cell.guard: "app.models:release"}}
    head = head_of(RunContents([failed_cell], environment=environment, ending=Ending(1)))
    assert "photos, jpeg at 0.25 bpp (model app.models:release): top1 fell by 12.0 points" in head


def test_the_head_says_that_there_was_no_baseline(failed_cell):
    head = head_of(RunContents([failed_cell], ending=Ending(1)))
    assert "Compared with no earlier run (--cg-baseline names one)" in head


def test_the_head_says_what_changed_since_the_baseline(compared):
    run = RunContents([compared], ending=Ending(1))
    assert SINCE in head_of(run)
    assert "Compared with the baseline, in 1 of 1 cell" in head_of(run)
    assert f"- {SINCE}" in markdown(run)


def test_a_score_above_the_baseline_is_higher(compared):
    better = CellResult.from_dict(
        compared.as_dict() | {"regression": -1.3, "regression_low": None, "regression_high": None}
    )
    head = head_of(RunContents([better], ending=Ending(1)))
    assert "In the baseline the score was 75.5: now it is 1.3 higher." in head


def test_the_line_of_the_limit_is_in_the_page_and_the_summary(failed_cell):
    place = [
        {"limit": "max_drop", "place": "thresholds.yaml:14"},
        {"limit": "min_clean", "place": "thresholds.yaml:15"},
    ]
    run = RunContents([CellResult.from_dict(failed_cell.as_dict() | {"limit_places": place})], ending=Ending(1))
    assert "Limit that was missed: thresholds.yaml:14 max_drop What to do" in Document(page(run)).text
    assert "- Limit that was missed: thresholds.yaml:14 max&#95;drop" in markdown(run)


def test_without_a_higher_rate_that_holds_one_is_sought(failed_cell):
    assert (
        "Spend more bits: no higher rate of jpeg is known to hold here; add some to bpp of this guard to find one "
        "that does."
    ) in list(advice(failed_cell, [failed_cell]))


def test_a_setting_that_holds_is_named(failed_cell):
    fixed = failed_cell.as_dict() | {"target_bpp": None, "rate": None}
    low = CellResult.from_dict(fixed | {"target_quality": 20.0})
    good = fixed | {"verdict": "pass", "outcome": "passed"}
    held = [CellResult.from_dict(good | {"target_quality": setting}) for setting in (40.0, 75.0)]
    assert "Take another setting: jpeg holds at quality 40." in list(advice(low, [low, *held]))
    assert (
        "Take a setting that keeps more: none of jpeg is known to hold here; add some to quality of this guard to find "
        "one that does."
    ) in list(advice(low, [low]))
