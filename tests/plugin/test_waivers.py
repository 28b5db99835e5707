"""Waivers in whole runs: outcome, results, JUnit, summary, exit status."""

from __future__ import annotations

import pytest


def waive(project, until, *, cells="*", keys="max_drop: 0", defaults="codecs: [jpeg], bpp: [0.5]"):
    head = f'waive: [{{cells: "{cells}", reason: "ISSUE-12", until: {until}}}]'
    project.guard(keys, head=head, defaults=defaults)


@pytest.mark.parametrize("strict", [[], ["--cg-strict"]])
def test_a_known_failure_is_skipped_with_its_verdict(project, strict):
    waive(project, "9999-12-31")
    run = project.run(*strict)
    assert run.code == 0
    assert run.outcomes == {"skipped": 1}
    cell = run.cell
    assert (cell["verdict"], cell["outcome"], cell["settled_by"]) == ("fail", "skipped", "policy")
    assert (cell["waived"], cell["waived_until"]) == ("ISSUE-12", "9999-12-31")
    assert cell["reason"].endswith("; waived until 9999-12-31: ISSUE-12")
    assert cell["drop_low"] > 0
    (case,) = run.junit.values()
    assert {each.get("name"): each.get("value") for each in case._elem.iter("property")}["cg_waived"] == "ISSUE-12"
    assert "1 cell (toy[jpeg-0.5bpp]) is failed and waived until 9999-12-31: ISSUE-12" in run.out
    assert "waived" in next(line for line in run.out.splitlines() if line.startswith("  jpeg"))


def test_after_the_date_it_is_red_and_says_why(project):
    waive(project, "2020-02-29")
    run = project.run()
    assert (run.code, run.outcomes) == (1, {"failed": 1})
    assert (run.cell["verdict"], run.cell["outcome"], run.cell["waived"]) == ("fail", "failed", None)
    note = "its waiver ended on 2020-02-29 (ISSUE-12): correct the failure, or give the waiver a later date"
    assert run.cell["reason"].endswith(note)
    assert note in run.out


def test_other_cells_fail_as_ever(project):
    waive(project, "9999-12-31", cells="toy[jpeg-0.5bpp]", defaults="codecs: [jpeg], bpp: [0.4, 0.5]")
    run = project.run()
    assert (run.code, run.outcomes) == (1, {"failed": 1, "skipped": 1})
    assert run.cells["toy[jpeg-0.4bpp]"]["waived_until"] is None


def test_a_waiver_that_is_not_needed_is_said(project):
    waive(project, "9999-12-31", keys="max_drop: 100")
    run = project.run()
    assert (run.code, run.outcomes) == (0, {"passed": 1})
    assert (run.cell["waived"], run.cell["waived_until"]) == (None, "9999-12-31")
    said = "1 cell (toy[jpeg-0.5bpp]) is waived until 9999-12-31 and passes: remove from waive what is no longer needed"
    assert said in run.out


def test_an_error_is_never_waived(project):
    waive(project, "9999-12-31", keys='max_drop: 100, model: "nowhere:model"')
    run = project.run()
    assert (run.code, run.cell["verdict"], run.cell["outcome"], run.cell["waived"]) == (1, "error", "failed", None)
    assert run.cell["reason"].endswith("; the waiver in line 2 does not cover the verdict error")


def test_a_pattern_without_cells_is_a_mistake_in_the_file(project):
    waive(project, "9999-12-31", cells="toy[webp-*]")
    run = project.run()
    assert run.code == 4
    assert "waive: cells 'toy[webp-*]' fits no cell" in run.out


def test_workers_waive_as_one_process_does(project):
    waive(project, "9999-12-31", defaults="codecs: [jpeg], bpp: [0.4, 0.5]")
    run = project.fork("-n", "2")
    assert (run.code, run.outcomes) == (0, {"skipped": 2})
    assert [cell["waived"] for cell in run.cells.values()] == ["ISSUE-12"] * 2
