"""Files of an earlier run at the paths of this run's reports, which are never taken for reports of this run."""

from __future__ import annotations

import json

import pytest

# Whoever distributes these tests: they look at one run.
pytestmark = pytest.mark.xdist_group("plugin-earlier-reports")

NAMES = ("mine.json", "mine.evidence.zip", "mine.xml")
REPORTS = ("--cg-json=mine.json", "--junitxml=mine.xml")


@pytest.fixture
def project(project):
    project.guard("max_drop: 100, bpp: [2.0], limit: 4")
    for name in NAMES:
        project.write(name, f"earlier {name}")
    return project


def kept(project):
    return {name: (project.folder / name).read_bytes() == f"earlier {name}".encode() for name in NAMES}


def set_aside(project):
    return {path.name: path.read_text() for path in project.folder.glob("*.previous")}


EARLIER = {f"{name}.previous": f"earlier {name}" for name in NAMES}


def test_a_run_sets_them_aside_and_writes_its_own(project):
    assert project.run(*REPORTS).code == 0
    assert set_aside(project) == EARLIER
    assert kept(project) == dict.fromkeys(NAMES, False)
    first = (project.folder / "mine.json").read_text()
    assert project.run(*REPORTS, "-k", "no_such_cell").code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert (project.folder / "mine.json.previous").read_text() == first
    assert json.loads((project.folder / "mine.json").read_text())["cells"] == []


@pytest.mark.parametrize("option", ["--collect-only", "--setup-plan", "--setup-only", "--fixtures", "--help"])
def test_a_run_that_runs_no_test_leaves_them(project, option):
    project.run("--cg-json=mine.json", option)
    assert set_aside(project) == {}
    assert kept(project) == dict.fromkeys(NAMES, True)


def test_a_command_line_that_makes_no_sense_leaves_them(project):
    run = project.run(*REPORTS, "--cg-cache=here", "--cg-no-cache")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert set_aside(project) == {}


def test_without_the_gate_nothing_is_renamed(project):
    project.run("--junitxml=mine.xml", gate=False)
    assert set_aside(project) == {}


def test_junit_goes_on_through_a_link(project):
    (project.folder / "mine.xml").rename(project.folder / "there.xml")
    (project.folder / "mine.xml").symlink_to("there.xml")
    assert project.run(*REPORTS).code == 0
    assert set_aside(project)["there.xml.previous"] == "earlier mine.xml"
    assert (project.folder / "mine.xml").is_symlink()
    assert "<testcase" in (project.folder / "there.xml").read_text()


def test_what_cannot_be_renamed_is_told_and_the_run_goes_on(project):
    (project.folder / "mine.json.previous").mkdir()
    run = project.run(*REPORTS, "-q", "-W", "error")
    assert run.code == 0
    assert (
        f"WARNING: {project.folder / 'mine.json'}: this report of an earlier run cannot be renamed to "
        "mine.json.previous (Is a directory); do not take it for a report of this run, and remove what is in the way"
    ) in run.out
    assert json.loads((project.folder / "mine.json").read_text())["exit_status"] == 0


def test_a_run_that_is_killed_leaves_none_of_its_names(project):
    project.write("dying.py", "import os, toy\n\ndef model():\n    os._exit(0)\n")
    project.guard("max_drop: 100, bpp: [2.0], limit: 4, model: 'dying:model'")
    assert project.fork(*REPORTS, seconds=120).code == 0  # so the exit code alone tells nothing
    assert set_aside(project) == EARLIER
    assert [name for name in NAMES if (project.folder / name).exists()] == []
