"""Results files that come in give the same report as their run."""

from __future__ import annotations

import json

import pytest

from compress_guard.report import write
from compress_guard.report.html.contents import contents_of
from compress_guard.report.html.markdown import markdown
from compress_guard.report.html.page import page
from compress_guard.results.file import read_results


@pytest.fixture
def results(tmp_path, whole_run):
    path = tmp_path / "results.json"
    made = (whole_run.throughput, whole_run.recovery, whole_run.ending)
    write(path, whole_run.cells, whole_run.environment, {}, *made)
    return path


def test_a_results_file_gives_the_report_of_its_run(results, whole_run):
    contents = contents_of(read_results(results))
    assert page(contents) == page(whole_run)
    assert markdown(contents) == markdown(whole_run)


def test_a_file_of_an_earlier_version_is_read(results, whole_run):
    made = json.loads(results.read_text())
    for key in ("traffic", "exit_status", "not_measured"):
        del made[key]
    results.write_text(json.dumps(made))
    contents = contents_of(read_results(results))
    assert len(contents.cells) == len(whole_run.cells)
    assert contents.ending.exit_status is None
