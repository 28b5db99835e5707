"""``compress-guard github publish``: what a step says of a gate that has run."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from compress_guard.records import Ending
from compress_guard.report import write
from tests.report.conftest import cell as cell_fixture

cell = cell_fixture

HOSTILE = "a,b:c%d\n::error::evil\u202e<script>@everyone|`[x](http://e.vil)"


@pytest.fixture
def results(in_workflow, tmp_path):
    """Return a function that writes the results file of a run."""

    def write_results(*cells, status=1, **ending):
        write(tmp_path / "results.json", cells, {"python": "3.11"}, {}, ending=Ending(status, **ending))
        return "results.json"

    return write_results


@pytest.fixture
def red(cell):
    return cell(
        "jpeg", 0.25, "fail", "failed", 12.0, drop_low=9.0, drop_high=15.0, max_drop=5.0, limit_line=14,
        reason="top1 fell by 12.0 points, allowed 5.0",
    )  # fmt: skip


def test_a_green_run_is_published_as_held(task, results, cell, tmp_path):
    results(cell("jpeg", 1, drop=0.1, max_drop=2.0), cell("webp", 1, drop=0.2, max_drop=2.0), status=0)
    code, out, err, outputs = task("publish", "results.json", "--status=0", "--html=report.html")
    assert (code, out, err) == (0, "", "")
    assert outputs == {
        "verdict": "held",
        "cells": "2",
        "failed": "0",
        "results": "results.json",
        "summary": "summary.md",
        "badge": "badge.svg",
        "html": "report.html",
    }
    summary = (tmp_path / "summary.md").read_text()
    assert summary.startswith("## compress\\_guard: All is well: 2 cells, none failed\n")
    assert (tmp_path / "step.md").read_text() == summary
    assert (tmp_path / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_a_failed_cell_is_annotated_where_its_limit_stands(task, results, cell, red, tmp_path, monkeypatch):
    results(red, cell("webp", 1, drop=0.2, max_drop=2.0))
    (tmp_path / "models").mkdir()
    monkeypatch.chdir(tmp_path / "models")
    _, out, _, outputs = task("publish", "../results.json", "--thresholds=gate.yaml")
    assert out == (
        "::error file=models/gate.yaml,line=14,title=photos[jpeg-0.25bpp]::top1 fell by 12.0 points, allowed 5.0\n"
    )
    assert (outputs["verdict"], outputs["cells"], outputs["failed"], outputs["html"]) == ("failed", "2", "1", "")


def test_a_cell_is_annotated_at_the_limit_that_it_missed(task, results, cell):
    places = (("max_drop", "thresholds.yaml:14"), ("min_clean", "thresholds.yaml:9"))
    floors = {"min_clean": 90.0, "clean_low": 71.0, "clean_high": 81.0, "limit_places": places, "limit_line": 14}
    results(cell("jpeg", 1, "fail", "failed", 1.0, drop_low=0.5, drop_high=1.5, max_drop=5.0, **floors))
    _, out, _, _ = task("publish", "results.json")
    assert out == "::error file=thresholds.yaml,line=9,title=photos[jpeg-1.0bpp]::because\n"


def test_a_cell_of_a_test_is_annotated_in_the_file_of_the_test(task, results, cell):
    results(cell("jpeg", 1, "fail", "failed", 9.0, id="tests/test_model.py::test_it[jpeg]", reason="why"))
    assert task("publish", "results.json")[1] == "::error file=tests/test_model.py,title=test_it[jpeg]::why\n"


def test_hostile_names_stay_text_everywhere(task, results, cell, tmp_path):
    hostile = {"guard": HOSTILE, "id": f"thresholds.yaml::{HOSTILE}[x]", "reason": HOSTILE, "limit_line": 2}
    results(cell("jpeg", 1, "fail", "failed", 9.0, max_drop=1.0, **hostile))
    code, out, _, outputs = task("publish", "results.json")
    assert code == 0
    assert len(out.splitlines()) == 1
    assert out.startswith(
        "::error file=thresholds.yaml,line=2,title=a%2Cb%3Ac%25d\\x0a%3A%3Aerror%3A%3Aevil\\u202e<script>"
    )
    assert set(outputs) == {"verdict", "cells", "failed", "results", "summary", "badge", "html"}
    summary = (tmp_path / "summary.md").read_text()
    for part in ("<script", "@everyone", "](http", "\u202e", "|`"):
        assert part not in summary
    assert not any(line.startswith("::") for line in summary.splitlines())
    badge = ET.fromstring((tmp_path / "badge.svg").read_text())
    assert [each.tag.rpartition("}")[2] for each in badge.iter() if "script" in each.tag] == []
    assert "<script>" in badge.attrib["aria-label"]


def test_github_shows_ten_errors_so_the_tenth_counts_the_others(task, results, red):
    results(*(replace(red, id=f"{red.id}{number}") for number in range(13)))
    lines = task("publish", "results.json")[1].splitlines()
    assert len(lines) == 10
    assert lines[-1] == "::error title=compress_guard::4 more failures are in the summary of this job."


def test_what_makes_a_run_red_without_a_failed_cell_is_annotated(task, results, cell, tmp_path):
    results(cell("jpeg", 1, drop=0.1, max_drop=2.0), not_measured=("thresholds.yaml::photos[webp-1.0bpp]",))
    _, out, _, outputs = task("publish", "results.json", "--status=1")
    assert outputs["verdict"] == "error"
    first, *_ = out.splitlines()
    assert first == (
        "::error title=compress_guard::1 cell selected for this run without a result: "
        "thresholds.yaml::photos[webp-1.0bpp]."
    )
    assert "no result" in (tmp_path / "badge.svg").read_text()


@pytest.mark.parametrize(
    ("text", "annotation"),
    [
        (
            "version: 1\nguards:\n  photos:\n    task: clasification\n    model: m:f\n    data: d:f\n",
            "::error file=thresholds.yaml,line=4,title=thresholds file::thresholds.yaml:4: photos: ",
        ),
        ("version: [", "::error file=thresholds.yaml,line=1,title=thresholds file::thresholds.yaml:"),
        (None, "::error file=thresholds.yaml,title=thresholds file::thresholds.yaml: there is no such file; create it"),
    ],
    ids=["a slip", "no YAML", "no file"],
)
def test_a_thresholds_file_that_makes_no_sense_is_annotated(task, in_workflow, tmp_path, text, annotation):
    if text is not None:
        (tmp_path / "thresholds.yaml").write_text(text)
    code, out, _, outputs = task("publish", "results.json", "--status=4", "--html=report.html")
    assert code == 0
    assert len(out.splitlines()) == 1
    assert out.startswith(annotation)
    assert outputs == {
        "verdict": "error",
        "cells": "0",
        "failed": "0",
        "results": "",
        "summary": "summary.md",
        "badge": "badge.svg",
        "html": "",
    }
    assert (tmp_path / "summary.md").read_text().startswith("## compress\\_guard: no results\n\nresults.json: the gate")


@pytest.mark.parametrize("damage", ["truncated", "earlier", "odd"])
def test_results_of_another_run_or_damaged_ones_are_never_green(task, results, cell, tmp_path, damage):
    results(cell("jpeg", 1, drop=0.1, max_drop=2.0), status=0)
    path = tmp_path / "results.json"
    (tmp_path / "report.html").write_text("an old page")
    guard = "{task: classification, model: 'm:f', data: 'd:f', max_drop: 1}"
    (tmp_path / "thresholds.yaml").write_text(f"version: 1\nguards:\n  a: {guard}\n")
    if damage == "truncated":
        path.write_text(path.read_text()[:-20])
    elif damage == "odd":
        document = json.loads(path.read_text())
        document["cells"][0]["drop"] = "much"
        path.write_text(json.dumps(document))
    status = "4" if damage == "earlier" else "0"
    code, out, _, outputs = task("publish", "results.json", f"--status={status}", "--html=report.html")
    assert (code, outputs["verdict"], outputs["html"]) == (0, "error", "")
    assert out.startswith("::error title=compress_guard::results.json: ")
    assert (tmp_path / "summary.md").read_text().startswith("## compress\\_guard: no results\n")


def test_values_that_do_not_go_together_are_no_results(task, results, cell, tmp_path):
    results(cell("jpeg", 1, drop=0.1, max_drop=2.0, lossy_sources=1, source_bpp=None), status=0)
    (tmp_path / "thresholds.yaml").write_text(
        "version: 1\nguards:\n  a: {task: classification, model: 'm:f', data: 'd:f'}\n"
    )
    code, out, err, outputs = task("publish", "results.json", "--status=0", "--html=report.html")
    assert (code, err, outputs["verdict"], outputs["html"]) == (0, "", "error", "")
    assert "its values do not go together (IndexError: list index out of range)" in out
    assert not (tmp_path / "report.html").exists()


def test_a_gate_that_failed_after_it_wrote_its_results_is_an_error_with_results(task, results, cell, tmp_path):
    results(cell("jpeg", 1, drop=0.1, max_drop=2.0), status=0)
    _, out, _, outputs = task("publish", "results.json", "--status=1")
    assert (outputs["verdict"], outputs["cells"], outputs["results"]) == ("error", "1", "results.json")
    assert out == (
        "::error title=compress_guard::The process ended with exit status 1: another test failed, or the run stopped "
        "early.\n"
    )
    assert "| jpeg |" in (tmp_path / "summary.md").read_text()


def test_a_summary_that_cannot_be_written_fails(task, results, cell, tmp_path):
    results(cell("jpeg", 1, drop=0.1, max_drop=2.0), status=0)
    (tmp_path / "summary.md").mkdir()
    code, _, err, _ = task("publish", "results.json")
    assert code == 1
    assert err.startswith("compress-guard: github: summary.md: the report cannot be written (Is a directory)")
