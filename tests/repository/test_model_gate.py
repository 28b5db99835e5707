"""The example workflows gate with what they install, nothing that only developers have, and keep what they say."""

from __future__ import annotations

import fnmatch
import importlib.metadata
import json
import os
import shutil
import subprocess
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.repository.workflow.expressions import Scope
from tests.repository.workflow.runner import ACTION, ROOT, Runner


@pytest.fixture(scope="module")
def steps() -> dict[str, dict[str, Any]]:
    """The steps of the workflow that have a name."""
    workflow = yaml.safe_load((ROOT / ".github/workflows/model-gate.yml").read_text(encoding="utf-8"))
    return {step["name"]: step for step in workflow["jobs"]["gate"]["steps"] if "name" in step}


def required(name: str, extras: list[str]) -> set[str]:
    """The distributions that pip would install for a package with these extras, itself among them."""
    seen: set[tuple[str, str]] = set()
    todo = [(canonicalize_name(name), extra) for extra in ["", *extras]]
    while todo:
        wanted = todo.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        for line in importlib.metadata.requires(wanted[0]) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": wanted[1]}):
                todo += [(canonicalize_name(requirement.name), extra) for extra in ["", *requirement.extras]]
    return {name for name, _ in seen}


@pytest.fixture(scope="module")
def programs(steps: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with what the workflow installs, linked from the environment of the tests."""
    names = required("compress-guard", steps["gate"]["with"]["extras"].split(","))
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    for distribution in importlib.metadata.distributions():
        name = canonicalize_name(distribution.name)
        if name not in names:
            continue
        names.remove(name)  # one further down the path is hidden by this one
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}:
            if not (site / top).exists():
                (site / top).symlink_to(str(distribution.locate_file(top)))
    assert names == set()
    return folder / "bin"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the gate reads, so that its reports and its cache come to lie elsewhere."""
    for name in ("pyproject.toml", "thresholds.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".c*"))
    return tmp_path


def given(steps: dict[str, dict[str, Any]], name: str, **inputs: str) -> dict[str, str]:
    """Return the inputs of the action in a step of the workflow that was started with these inputs."""
    scope = Scope({"inputs": inputs})
    return {key: scope.filled(value) for key, value in steps[name]["with"].items()}


@pytest.mark.skipif(os.name == "nt", reason="the workflow runs on Linux")
def test_the_gate_runs_with_what_the_workflow_installs(steps, programs, project, tmp_path) -> None:
    one_cell = "-k 'classifier and jpeg and 2.0bpp'"
    runner = Runner(
        tmp_path / "runner", project, variables={"PYTEST_ADDOPTS": one_cell}, python=str(programs / "python")
    )
    for module in ("hypothesis", "junitparser", "torchmetrics", "xdist"):
        absent = subprocess.run(
            [programs / "python", "-c", f"import {module}"], check=False, capture_output=True, text=True
        )
        assert f"No module named '{module}'" in absent.stderr, "the environment has what only developers have"

    done = runner.use(given(steps, "gate", limit="8") | {"baseline": "none", "comment": "no"})
    assert not done.failed, done.output
    assert runner.installed.read_text() == "install . compress-guard[examples,benchmark,neural]\n"
    results = project / done.outputs["results"]
    (cell,) = json.loads(results.read_text(encoding="utf-8"))["cells"]
    assert (cell["guard"], cell["codec"], cell["target_bpp"], cell["images"]) == ("classifier", "jpeg", 2.0, 8)
    assert cell["outcome"] == "passed", cell
    assert "classifier[jpeg-2.0bpp]" in (results.parent / "junit.xml").read_text(encoding="utf-8")
    assert "| jpeg | 0.0 (" in done.steps["publish"].summary


def test_the_gate_compares_and_comments_and_the_images_may_be_limited(steps) -> None:
    wanted = {"baseline": "branch", "comment": "yes", "args": ""}
    assert given(steps, "gate", limit="").items() >= wanted.items()
    assert given(steps, "gate")["args"] == ""  # a pull request has no inputs
    assert given(steps, "gate", limit="8")["args"] == "--cg-limit 8"


def test_both_gates_of_a_job_leave_reports_of_their_own(steps) -> None:
    defaults = {name: each.get("default") for name, each in yaml.safe_load(ACTION.read_text())["inputs"].items()}
    both = [defaults | given(steps, name) for name in ("gate", "throughput")]
    for name in ("artifact", "reports"):
        assert len({each[name] for each in both}) == 2


@pytest.mark.skipif(os.name == "nt", reason="the workflow runs on Linux")
def test_report_and_badge_are_attached_to_the_release(tmp_path) -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/model-release.yml").read_text(encoding="utf-8"))["jobs"]["attach"]
    runner = Runner(tmp_path / "runner", tmp_path, {"release": {"tag_name": "v1 $(evil)"}}, event_name="release")
    runner.stand_in("gh", 'printf "%s|" "$GH_TOKEN" "$GH_REPO" "$@"')
    scope = Scope(runner.context(needs={"gate": {"outputs": {"badge": ""}}}))
    assert not scope.runs(job["if"]), "a gate that left nothing has nothing to attach"
    scope.context["needs"]["gate"]["outputs"]["badge"] = "compress-guard-reports/badge.svg"
    assert scope.runs(job["if"])
    done = runner.steps(job["steps"], scope)
    assert done["download the report"].given == {"name": "compress-guard", "path": "report"}
    assert done["attach"].output == (
        "job-token|owner/name|release|upload|v1 $(evil)|"
        "report/badge.svg|report/report.html|report/results.json|--clobber|"
    )


def test_the_shards_of_the_night_are_those_that_are_merged() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/model-nightly.yml").read_text(encoding="utf-8"))["jobs"]
    numbers = jobs["shard"]["strategy"]["matrix"]["shard"]
    made = [given_in(jobs["shard"], "gate", {"matrix": {"shard": str(number)}}) for number in numbers]
    assert [each["shard"] for each in made] == [f"{number}/{len(numbers)}" for number in numbers]
    assert jobs["shard"]["name"].endswith(f" of {len(numbers)}")
    download = given_in(jobs["merge"], "download the results of all shards", {})
    assert all(fnmatch.fnmatchcase(each["artifact"], download["pattern"]) for each in made)
    assert given_in(jobs["merge"], "merge", {})["merge"] == download["path"]
    assert Scope({}).runs(jobs["merge"]["if"])


def given_in(job: dict[str, Any], name: str, context: dict[str, Any]) -> dict[str, str]:
    (step,) = (step for step in job["steps"] if step.get("name") == name)
    return {key: Scope(context).filled(value) for key, value in step["with"].items()}
