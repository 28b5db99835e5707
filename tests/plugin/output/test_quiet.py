"""A quiet run: our part of the output is one line."""

from __future__ import annotations

import pytest

# Whoever distributes these tests: they look at one project.
pytestmark = pytest.mark.xdist_group("plugin-quiet")


def ours(out):
    return [line for line in out.splitlines() if "compress_guard" in line]


def test_a_quiet_run_is_one_line(project):
    project.guard("max_drop: 100, limit: 8, min_clean: 0")
    run = project.run("-q")
    assert ours(run.out) == ["compress_guard: 1 cell: 1 passed (verdicts: 1 pass)"]
    assert "drop in points" not in run.out


def test_a_quiet_run_names_what_failed(project):
    project.guard("max_drop: 1")
    run = project.run("-q", "--tb=no")
    assert ours(run.out) == ["compress_guard: 1 cell: 1 failed (verdicts: 1 fail); failed: toy[jpeg-0.5bpp]"]
    assert run.code == 1


def test_a_quiet_run_still_says_why_it_is_red_without_a_failure(project):
    project.guard("min_clean: 0")
    run = project.run("-q")
    assert ours(run.out) == ["compress_guard: 1 cell: 1 skipped (verdicts: 1 unjudged); toy gates nothing"]
    assert run.code == 1


def test_plain_runs_have_no_escapes_and_coloured_ones_have(project):
    project.guard("max_drop: 100, limit: 8")
    assert "\x1b" not in project.run("--color=no").out
    assert "\x1b[32m" in project.run("--color=yes").out
