from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from compress_guard.cli import main
from compress_guard.github import api
from tests.github.fake_server import FakeGitHub, serving


@pytest.fixture
def github(monkeypatch) -> Iterator[FakeGitHub]:
    with serving() as fake:
        monkeypatch.setattr(api, "_PAUSE", 0.01)
        yield fake


@pytest.fixture
def in_workflow(github, tmp_path, monkeypatch) -> Callable[..., None]:
    """Return a function that sets the variables of a run, by default of pull request 7 into main."""

    def set_up(event=None, **variables):
        pull_request = {"number": 7, "head": {"sha": "abcdef0123456789"}}
        event = {"pull_request": pull_request} if event is None else event
        (tmp_path / "event.json").write_text(json.dumps(event))
        given = {
            "GITHUB_API_URL": github.url,
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "owner/name",
            "GITHUB_RUN_ID": "99",
            "GITHUB_TOKEN": "job-token",
            "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
            "GITHUB_WORKFLOW_REF": "owner/name/.github/workflows/model-gate.yml@refs/pull/7/merge",
            "GITHUB_BASE_REF": "main",
            "GITHUB_SHA": "f" * 40,
            "GITHUB_OUTPUT": str(tmp_path / "output.txt"),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "step.md"),
            "GITHUB_WORKSPACE": str(tmp_path),
        }
        for name, value in (given | variables).items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)

    set_up()
    return set_up


@pytest.fixture
def task(in_workflow, tmp_path, capsys):
    """Return a function that does a task of ``compress-guard github``: its exit code, lines, messages and outputs."""

    def run(*arguments):
        capsys.readouterr()
        (tmp_path / "output.txt").unlink(missing_ok=True)
        code = main(["github", *arguments])
        written = capsys.readouterr()
        outputs = (tmp_path / "output.txt").read_text() if (tmp_path / "output.txt").exists() else ""
        return code, written.out, written.err, dict(line.split("=", 1) for line in outputs.splitlines())

    return run
