"""The workflows are valid, safe, pinned, and say what the Makefile can do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

ROOT: Final = Path(__file__).parents[2]
WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TOOLS: Final = Path(sys.executable).parent


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded = yaml.safe_load(request.param.read_text(encoding="utf-8"))
    # YAML 1.1 reads the key `on` as true.
    loaded["on"] = loaded.pop(True)
    return loaded


@pytest.fixture
def model_gate() -> dict[str, Any]:
    return yaml.safe_load((ROOT / ".github/workflows/model-gate.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "command",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS)],
        ["check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml"],
        ["zizmor", "--offline", "--no-progress", "--persona", "pedantic", ".github"],
    ],
    ids=["workflow schema", "dependabot schema", "zizmor"],
)
def test_linters_find_nothing(command: list[str]) -> None:
    run = subprocess.run([TOOLS / command[0], *command[1:]], check=False, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_permissions_are_read_only_and_runs_do_not_pile_up(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert "cancel-in-progress" in workflow["concurrency"]
    assert all(job["timeout-minutes"] <= 60 for job in workflow["jobs"].values())
    # A site is put up by a job that does nothing else.
    writing = {
        name: job["permissions"] for name, job in workflow["jobs"].items() if "write" in str(job.get("permissions"))
    }
    assert writing in ({}, {"deploy": {"pages": "write", "id-token": "write"}})
    assert all(len(workflow["jobs"][name]["steps"]) == 1 for name in writing)


def test_actions_are_pinned_by_commit_and_one_commit_each(workflow: dict[str, Any]) -> None:
    used = {step["uses"] for step in steps(workflow) if "uses" in step}
    assert used
    assert [use for use in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", use)] == []
    everywhere = {use for path in WORKFLOWS for use in re.findall(r"uses: (\S+ # v\S+)", path.read_text())}
    assert len({use.split("@")[0] for use in everywhere}) == len(everywhere), "one action, two versions"


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


def test_a_release_never_meets_the_cache_of_a_pull_request(model_gate: dict[str, Any]) -> None:
    (cache,) = [step for step in steps(model_gate) if step.get("uses", "").startswith("actions/cache@")]
    assert cache["if"] == "github.event_name != 'release'"


def test_the_summary_of_a_gate_is_a_table(model_gate: dict[str, Any], tmp_path: Path) -> None:
    (script,) = [step["run"] for step in steps(model_gate) if step.get("name") == "summary"]
    measured = {
        "guard": "photos",
        "metric": "top1",
        "codec": "jpeg",
        "target_bpp": 0.25,
        "clean_score": 76.2,
        "score": 73.1,
        "drop": 3.1,
        "drop_low": 1.9,
        "drop_high": 4.3,
        "max_drop": 2.0,
        "verdict": "inconclusive",
    }
    numbers = dict.fromkeys(["clean_score", "score", "drop", "drop_low", "drop_high", "max_drop"])
    missing = {**measured, **numbers, "codec": "jxl", "verdict": "unavailable"}
    hostile = {**missing, "guard": "a|`<b>&\n::error::\u202e\udce9_é", "codec": "x"}
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "results.json").write_text(json.dumps({"cells": [measured, missing, hostile]}))
    assert summary(script, tmp_path) == [
        "| cell | clean | compressed | drop | interval | allowed | verdict |",
        "|---|--:|--:|--:|--:|--:|---|",
        "| photos top1 jpeg 0.25 bpp | 76.2 | 73.1 | 3.1 | 1.9 to 4.3 | 2.0 | inconclusive |",
        "| photos top1 jxl 0.25 bpp |  |  |  |  |  | unavailable |",
        r"| a&#124;&#96;&#60;b&#62;&#38;\n&#58;&#58;error&#58;&#58;\u202e\udce9&#95;&#233; top1 x 0.25 bpp "
        "|  |  |  |  |  | unavailable |",
    ]


def summary(script: str, folder: Path) -> list[str]:
    written = folder / "summary.md"
    search_path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "GITHUB_STEP_SUMMARY": str(written), "PATH": search_path}
    subprocess.run(["bash", "-e", "-c", script], check=True, cwd=folder, env=environment)
    return written.read_text(encoding="utf-8").splitlines()
