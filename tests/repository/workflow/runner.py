"""A stand-in for the runner of GitHub: it runs the shell of each step, and notes the actions that steps use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.repository.workflow.expressions import Scope, text_of

ROOT: Final = Path(__file__).parents[3]
ACTION: Final = ROOT / ".github" / "actions" / "compress-guard" / "action.yml"
KEPT: Final = ("HOME", "LANG", "TMPDIR", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE")
"""Variables of the test run that a step sees."""


@dataclass
class Done:
    """A step that ran, was skipped, or used another action."""

    name: str
    outcome: str
    output: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    summary: str = ""
    used: str | None = None
    given: dict[str, str] = field(default_factory=dict)


@dataclass
class Used:
    """The end of a composite action."""

    steps: dict[str, Done]
    outputs: dict[str, str]
    failed: bool

    @property
    def output(self) -> str:
        return "".join(step.output for step in self.steps.values())

    @property
    def annotations(self) -> list[str]:
        return [line for line in self.output.splitlines() if line.startswith("::")]


@dataclass
class Runner:
    """A machine with a checkout in `workspace`; `event` is what started the run."""

    folder: Path
    workspace: Path
    event: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable
    python_path: str = str(ROOT)
    event_name: str = "push"

    def __post_init__(self) -> None:
        programs = self.folder / "programs"
        programs.mkdir(parents=True, exist_ok=True)
        self.installed = self.folder / "pip.log"
        self.installed.touch()
        (self.folder / "temp").mkdir(exist_ok=True)
        # pip is the only program of the gate that would reach out.
        self.stand_in(
            "python",
            f'if [ "$1 $2" = "-m pip" ]; then shift 2; printf "%s\\n" "$*" >> "{self.installed}"; exit 0; fi\n'
            f'exec "{self.python}" "$@"',
        )
        (self.folder / "event.json").write_text(json.dumps(self.event), encoding="utf-8")

    def stand_in(self, name: str, script: str) -> None:
        """Put a program in front of the path."""
        path = self.folder / "programs" / name
        path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **{name: os.environ[name] for name in KEPT if name in os.environ},
            "PATH": f"{self.folder / 'programs'}{os.pathsep}{os.environ['PATH']}",
            **({"PYTHONPATH": self.python_path} if self.python_path else {}),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ACTION.parent),
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_EVENT_PATH": str(self.folder / "event.json"),
            "GITHUB_EVENT_NAME": self.event_name,
            "RUNNER_TEMP": str(self.folder / "temp"),
            **self.variables,
        }

    def context(self, **more: Any) -> dict[str, Any]:
        github = {
            "event_name": self.event_name,
            "event": self.event,
            "sha": "0" * 40,
            "run_attempt": "1",
            "ref": "refs/heads/main",
            "repository": "owner/name",
            "token": "job-token",
            "action_path": str(ACTION.parent),
        }
        return {"github": github, "runner": {"os": "Linux"}, "steps": {}, **more}

    def use(self, given: dict[str, str] | None = None, path: Path = ACTION) -> Used:
        """Run a composite action with these inputs."""
        action = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert set(given or {}) <= set(action["inputs"])
        outer = Scope(self.context())
        inputs = {name: outer.filled(each.get("default", "")) for name, each in action["inputs"].items()}
        scope = Scope(self.context(inputs=inputs | (given or {})))
        steps = self.steps(action["runs"]["steps"], scope)
        outputs = {name: scope.filled(each["value"]) for name, each in action["outputs"].items()}
        return Used(steps, outputs, scope.failed)

    def steps(self, steps: list[dict[str, Any]], scope: Scope) -> dict[str, Done]:
        done = {}
        for number, step in enumerate(steps):
            name = step.get("name", str(number))
            made = self.step(name, step, scope) if scope.runs(step.get("if")) else Done(name, "skipped")
            done[name] = made
            scope.failed = scope.failed or made.outcome == "failure"
            if "id" in step:
                scope.context["steps"][step["id"]] = {"outcome": made.outcome, "outputs": made.outputs}
        return done

    def step(self, name: str, step: dict[str, Any], scope: Scope) -> Done:
        if "uses" in step:
            given = {key: scope.filled(value) for key, value in step.get("with", {}).items()}
            return Done(name, "success", used=step["uses"], given=given)
        files = {key: self.folder / f"{key}.txt" for key in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_ENV")}
        for file in files.values():
            file.write_text("", encoding="utf-8")
        script = self.folder / "step.sh"
        script.write_text(scope.filled(step["run"]), encoding="utf-8")
        run = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            check=False,
            cwd=self.workspace / scope.filled(step.get("working-directory", ".")),
            env={
                **self.environment,
                **{key: str(file) for key, file in files.items()},
                **{key: text_of(scope.filled(value)) for key, value in step.get("env", {}).items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=300,
        )
        lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
        return Done(
            name,
            "failure" if run.returncode else "success",
            run.stdout,
            dict(line.split("=", 1) for line in lines),
            files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"),
        )
