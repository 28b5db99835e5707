"""The example workflow gates with what it installs, and nothing that only developers have."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import venv
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]


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
    match = re.fullmatch(r'python -m pip install "\.\[([a-z,]+)\]"', steps["install"]["run"])
    assert match, steps["install"]
    names = required("compress-guard", match[1].split(","))
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


def run(script: str, programs: Path, project: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a step as a runner does, with nothing of this test run in its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV", "PYTHON"))}
    return subprocess.run(
        ["bash", "-e", "-c", script],
        check=False,
        cwd=project,
        env={**kept, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.skipif(os.name == "nt", reason="the workflow runs on Linux")
def test_the_gate_runs_with_what_the_workflow_installs(steps, programs, project) -> None:
    for module in ("hypothesis", "junitparser", "pytest_benchmark", "torchmetrics", "xdist"):
        absent = run(f"python -c 'import {module}'", programs, project)
        assert f"No module named '{module}'" in absent.stderr, "the environment has what only developers have"

    one_cell = "-k 'classifier and jpeg and 2.0bpp'"
    gate = run(steps["gate"]["run"], programs, project, LIMIT="8", PYTEST_ADDOPTS=one_cell)
    assert gate.returncode == 0, gate.stdout + gate.stderr
    (cell,) = json.loads((project / "reports" / "results.json").read_text(encoding="utf-8"))["cells"]
    assert (cell["guard"], cell["codec"], cell["target_bpp"], cell["images"]) == ("classifier", "jpeg", 2.0, 8)
    assert cell["outcome"] == "passed", cell
    assert "classifier[jpeg-2.0bpp]" in (project / "reports" / "junit.xml").read_text(encoding="utf-8")

    summary = project / "summary.md"
    written = run(steps["summary"]["run"], programs, project, GITHUB_STEP_SUMMARY=str(summary))
    assert written.returncode == 0, written.stderr
    assert summary.read_text(encoding="utf-8").splitlines()[-1].startswith("| classifier top1 jpeg 2.0 bpp | 100.0 |")
