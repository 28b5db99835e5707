"""The page on continuous integration: its tables are the action's, its files are valid, and its shell runs."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.repository.workflow.runner import ACTION, ROOT, Runner

PAGE = (ROOT / "docs" / "howto" / "ci.md").read_text(encoding="utf-8")
TOOLS = Path(sys.executable).parent


def block(language: str, number: int = 0) -> str:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[number]


def test_the_tables_are_the_inputs_and_outputs_of_the_action():
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    inputs = re.findall(r"^\| `([\w-]+)` \| (.+?) \| .+ \|$", PAGE.split("| output |")[0], re.MULTILINE)
    shown = [(name, f"`{each['default']}`" if each["default"] else "empty") for name, each in action["inputs"].items()]
    assert inputs == shown
    assert re.findall(r"^\| `([\w-]+)` \|", PAGE.split("| output |")[1], re.MULTILINE) == list(action["outputs"])


def test_the_workflow_is_one_that_github_takes_and_gives_the_action_its_inputs(tmp_path):
    path = tmp_path / "gate.yml"
    path.write_text(block("yaml"), encoding="utf-8")
    check(["check-jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)])
    steps = yaml.safe_load(block("yaml"))["jobs"]["gate"]["steps"]
    (own,) = [step for step in steps if step.get("uses", "").startswith("OWNER/")]
    assert own["uses"] == f"OWNER/compress_guard/{ACTION.parent.relative_to(ROOT).as_posix()}@VERSION"
    assert set(own["with"]) <= set(yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"])
    here = ACTION.read_text(encoding="utf-8") + (ROOT / ".github/workflows/model-gate.yml").read_text(encoding="utf-8")
    for use in re.findall(r"uses: (actions/\S+ # v\S+)", PAGE):
        assert f"uses: {use}" in here, "the version is that of our own workflows"


def test_the_files_for_other_systems_are_valid_and_name_the_script(tmp_path):
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(block("yaml", 1), encoding="utf-8")
    check(["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(path)])
    gitlab, jenkins = yaml.safe_load(block("yaml", 1))["compression gate"], block("groovy")
    assert gitlab["script"] == re.findall(r"sh '(.+)'", jenkins)
    assert gitlab["script"][-1] == "sh ci/compression-gate.sh"
    assert "\n# ci/compression-gate.sh: " in block("sh")
    assert jenkins.count("{") == jenkins.count("}") > 5
    written = set(re.findall(r"reports/[\w.]+", block("sh")))
    assert {gitlab["artifacts"]["reports"]["junit"], *re.findall(r"testResults: '(.+?)'", jenkins)} <= written


def check(command: list[str]) -> None:
    run = subprocess.run([TOOLS / command[0], *command[1:]], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.skipif(os.name == "nt", reason="shell")
def test_the_script_keeps_the_exit_code_and_no_report_of_an_earlier_run(tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "tests/repository/tiny_guard", project)
    (project / "ci").mkdir()
    (project / "ci" / "compression-gate.sh").write_text(block("sh"), encoding="utf-8")
    runner = Runner(tmp_path / "runner", project, variables={"PYTEST_ADDOPTS": "--cg-limit 8 -k jpeg"})
    runner.stand_in("pip", f'echo "$@" >> "{runner.installed}"')
    runner.stand_in("pytest", f'exec "{sys.executable}" -m pytest "$@"')
    runner.stand_in("compress-guard", f'exec "{sys.executable}" -m compress_guard "$@"')

    def gate() -> subprocess.CompletedProcess[str]:
        script = "\n".join(["set -e", *yaml.safe_load(block("yaml", 1))["compression gate"]["script"]])
        command = ["sh", "-c", script]
        return subprocess.run(
            command, check=False, cwd=project, env=runner.environment, capture_output=True, text=True, timeout=300
        )

    done = gate()
    assert done.returncode == 0, done.stdout + done.stderr
    assert runner.installed.read_text() == "install compress-guard -r requirements.txt\n"
    reports = project / "reports"
    written = {path.name for path in reports.iterdir()}
    assert written == set("badge.svg junit.xml report.html results.evidence.zip results.json summary.md".split())
    assert len(json.loads((reports / "results.json").read_text())["cells"]) == 1
    (project / "thresholds.yaml").write_text("version: 2\n")
    assert gate().returncode == 4
    assert list(reports.iterdir()) == []
