"""The run of a workflow that this process is a step of, from the variables that the runner sets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from compress_guard.errors import UsageError, described

_REMEDY: Final = "run this command in a step of GitHub Actions"


@dataclass(frozen=True, slots=True)
class Workflow:
    """The run, its repository and what it was started by."""

    api: str
    """Address of the REST interface: that of GitHub, or of an own server."""
    repository: str
    """``owner/name``."""
    token: str | None = field(repr=False)
    event: Mapping[str, object]
    """The event that started the run, as GitHub describes it."""
    url: str
    """Address of the page of the run."""
    commit: str
    branch: str | None
    """Branch whose runs are the baseline: that which a pull request goes into, else that of the run itself."""
    file: str | None
    """Name of the workflow's file: ``model-gate.yml``."""

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Workflow:
        """Return the run that these environment variables describe; raises `UsageError` outside GitHub Actions."""
        repository = _needed(variables, "GITHUB_REPOSITORY")
        server = variables.get("GITHUB_SERVER_URL", "https://github.com")
        on_branch = variables.get("GITHUB_REF_NAME") if variables.get("GITHUB_REF_TYPE") == "branch" else None
        event = _event(variables.get("GITHUB_EVENT_PATH"))
        file, _, _ = variables.get("GITHUB_WORKFLOW_REF", "").partition("@")
        return cls(
            api=variables.get("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
            repository=repository,
            token=variables.get("GITHUB_TOKEN") or variables.get("GH_TOKEN") or None,
            event=event,
            url=f"{server}/{repository}/actions/runs/{variables.get('GITHUB_RUN_ID', '')}",
            commit=_commit(event) or variables.get("GITHUB_SHA", ""),
            branch=variables.get("GITHUB_BASE_REF") or on_branch or _default_branch(event),
            file=file.rpartition("/")[2] or None,
        )

    @property
    def pull_request(self) -> int | None:
        """Number of the pull request that started the run; None for other events."""
        number = mapping(self.event.get("pull_request")).get("number")
        return number if isinstance(number, int) else None


def append(variable: str, text: str) -> None:
    """Add a text to the file that the runner names by a variable; do nothing where no runner names one."""
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)


def from_workspace(path: Path, variables: Mapping[str, str]) -> str:
    """Return a path as the repository has it, for annotations; as it is outside the checkout."""
    workspace = variables.get("GITHUB_WORKSPACE")
    place = Path(os.path.abspath(path))  # noqa: PTH100 - links stay: the repository has them under this name
    if workspace and place.is_relative_to(workspace):
        return place.relative_to(workspace).as_posix()
    return path.as_posix()


def _needed(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "")
    if not value:
        raise UsageError("github", f"the variable {name} is not set", _REMEDY)
    return value


def _event(path: str | None) -> Mapping[str, object]:
    if not path:
        return {}
    try:
        return mapping(json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError) as problem:
        raise UsageError("GITHUB_EVENT_PATH", f"{path} cannot be read ({described(problem)})", _REMEDY) from problem


def _commit(event: Mapping[str, object]) -> str | None:
    """Return the last commit of a pull request: the run itself is of a commit that merges it into its base."""
    commit = mapping(mapping(event.get("pull_request")).get("head")).get("sha")
    return commit if isinstance(commit, str) else None


def _default_branch(event: Mapping[str, object]) -> str | None:
    branch = mapping(event.get("repository")).get("default_branch")
    return branch if isinstance(branch, str) else None


def mapping(value: object) -> Mapping[str, object]:
    """Return a value of an answer that is to be an object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}
