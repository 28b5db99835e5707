"""A whole run in one line."""

from __future__ import annotations

from compress_guard.report import plain
from compress_guard.report.blocks.summary_line import summary_line


def test_a_green_run_is_its_counts(cell):
    line = summary_line([cell("jpeg", 1, drop=1.0), cell("webp", 1, drop=1.0)])
    assert line == (("compress_guard: 2 cells: 2 passed (verdicts: 2 pass)", "green"),)


def test_a_red_one_names_the_first_cells_that_failed(cell):
    failed = [cell("jpeg", bpp, "fail", "failed", 9.0) for bpp in (0.1, 0.25, 0.5, 1, 2)]
    assert plain([summary_line(failed)]) == (
        "compress_guard: 5 cells: 5 failed (verdicts: 5 fail); failed: photos[jpeg-0.1bpp], photos[jpeg-0.25bpp], "
        "photos[jpeg-0.5bpp] and 2 more\n"
    )


def test_a_guard_that_gates_nothing_is_red_too(cell):
    text, style = summary_line([cell("jpeg", 1, "unjudged", "skipped", 1.0)])[0]
    assert text.endswith("(verdicts: 1 unjudged); photos gates nothing")
    assert style == "red bold"


def test_a_run_without_results_has_no_line():
    assert summary_line([]) == ()
