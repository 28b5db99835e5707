"""Results files that come in: the same report as that of the run, and one sentence for a file that is none."""

from __future__ import annotations

import json

import pytest

from compress_guard.errors import UsageError
from compress_guard.report import write
from compress_guard.report.html.contents import read_contents
from compress_guard.report.html.markdown import markdown
from compress_guard.report.html.page import page


@pytest.fixture
def results(tmp_path, whole_run):
    path = tmp_path / "results.json"
    made = (whole_run.throughput, whole_run.recovery, whole_run.ending)
    write(path, whole_run.cells, whole_run.environment, {}, *made)
    return path


def test_a_results_file_gives_the_report_of_its_run(results, whole_run):
    contents = read_contents(results)
    assert page(contents) == page(whole_run)
    assert markdown(contents) == markdown(whole_run)


def test_a_file_of_an_earlier_version_is_read(results, whole_run):
    made = json.loads(results.read_text())
    for key in ("traffic", "exit_status", "not_measured"):
        del made[key]
    results.write_text(json.dumps(made))
    contents = read_contents(results)
    assert len(contents.cells) == len(whole_run.cells)
    assert contents.ending.exit_status is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
        ("[]", "ValueError: its schema is not compress-guard/1"),
        ('{"schema": "other/1"}', "ValueError: its schema is not compress-guard/1"),
        ('{"schema": "compress-guard/1"}', "KeyError: 'environment'"),
        (
            '{"schema": "compress-guard/1", "environment": 3}',
            "TypeError: environment or exit_status is of another",
        ),
        ('{"schema": "compress-guard/1", "environment": {}}', "KeyError: 'cells'"),
        ("[" * 100_000, "RecursionError"),
    ],
)
def test_a_file_that_holds_no_results_is_refused(tmp_path, text, why):
    path = tmp_path / "results.json"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_contents(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: this cannot be read as results (")
    assert why in message
    assert message.endswith("); name a file that --cg-json or compress-guard run --json has written")


def test_a_truncated_file_is_refused(results):
    results.write_bytes(results.read_bytes()[:-400])
    with pytest.raises(UsageError, match="cannot be read as results"):
        read_contents(results)


def test_no_file_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_contents(tmp_path / "none.json")
