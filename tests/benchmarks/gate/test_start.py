"""The table of what starting costs: that it measures what it says, in turns."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gate import start
from benchmarks.gate.start import Spent

PYTHON = sys.executable


@pytest.fixture
def thresholds(tmp_path):
    """A thresholds file with one cell, whose factories need not be there to collect it."""
    guard = {"task": "classification", "model": "m:f", "data": "d:f", "codecs": ["jpeg"], "bpp": [1]}
    path = tmp_path / "cells.yaml"
    path.write_text(json.dumps({"version": 1, "guards": {"photos": guard}}))
    return path


def test_work_of_a_process_is_its_cpu_time_and_sleep_is_not(tmp_path):
    idle = start.spend([PYTHON, "-c", "import time; time.sleep(0.5)"], tmp_path)
    busy = start.spend([PYTHON, "-c", "import time\nwhile time.process_time() < 0.5: pass"], tmp_path)
    # Starting Python takes as long as it takes; what is slept comes on top of it in one column alone.
    assert idle.wall - idle.cpu > 450
    assert busy.cpu >= 500


def test_a_command_that_fails_is_no_figure(tmp_path):
    with pytest.raises(subprocess.CalledProcessError):
        start.spend([PYTHON, "-c", "raise SystemExit(3)"], tmp_path)


def test_a_run_is_plain_whatever_is_set_here(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "no_such_plugin")
    (tmp_path / "test_one.py").write_text("def test_one(): ...\n")
    assert start.spend(start.PYTEST, tmp_path).cpu > 0


def test_runs_take_turns_after_one_that_does_not_count(tmp_path, monkeypatch):
    ran = []

    def spend(command, folder):
        ran.append(*command)
        return Spent(float(len(ran)), 0.0)

    monkeypatch.setattr(start, "spend", spend)
    found = start.interleaved({"one": ["a"], "other": ["b"]}, tmp_path, 3)
    assert ran == [*"ab", *"ab", *"ba", *"ab"]
    assert [one.cpu for one in found["one"]] == [3, 6, 7]
    assert [one.cpu for one in found["other"]] == [4, 5, 8]


def test_medians_are_of_each_figure_by_itself():
    assert Spent.median([Spent(1, 30), Spent(2, 10), Spent(9, 20)]) == Spent(2, 20)
    assert Spent(5, 7) - Spent(2, 3) == Spent(3, 4)


@pytest.mark.parametrize(("count", "places"), [(1, (0, 0)), (3, (0, 2)), (4, (1, 2)), (31, (7, 23))])
def test_the_middle_half(count, places):
    assert start.quarters(count) == places


def test_imported_packages_are_told_from_those_that_are_not(tmp_path):
    found = start.imported([PYTHON, "-c", "import xml.dom.minidom"], tmp_path)
    assert "xml" in found
    assert "imaplib" not in found


def test_the_table_of_real_runs(thresholds):
    header, rule, off, answer, collect = start.lines(thresholds, 1)
    assert header.count("|") == rule.count("|") == off.count("|") == 5
    assert off.startswith("| plugin installed and switched off, added to an empty pytest run of ")
    assert answer.endswith("| 300 ms |")
    assert collect.startswith("| `pytest --compress-guard --collect-only cells.yaml` |")
    assert collect.endswith("| imports neither torch nor PIL: neither |")


def test_the_first_row_is_the_median_of_differences(thresholds, monkeypatch):
    def interleaved(commands, folder, rounds):
        figures = {"without": [100, 200, 300], "with": [104, 250, 306], "help": [50] * 3, "collect": [900] * 3}
        return {name: [Spent(figure, figure) for figure in figures[name]] for name in commands}

    monkeypatch.setattr(start, "interleaved", interleaved)
    monkeypatch.setattr(start, "imported", lambda command, folder: frozenset({"torch", "yaml"}))
    assert list(start.lines(thresholds))[2:] == [
        "| plugin installed and switched off, added to an empty pytest run of 200 ms | 6 | 6 | 30 ms; half of the "
        "pairs lie between 4 and 50 |",
        "| `compress-guard --help` | 50 | 50 | 300 ms |",
        "| `pytest --compress-guard --collect-only cells.yaml` | 900 | 900 | imports neither torch nor PIL: torch |",
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--pairs", "0"], "--pairs: 0 is not a whole number of at least 1"),
        (["--thresholds", "none.yaml"], "--thresholds: none.yaml is not a file; name a thresholds file"),
    ],
)
def test_arguments_without_sense(given, message, capsys, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[2])
    with pytest.raises(SystemExit):
        start.main(given)
    assert message in capsys.readouterr().err
