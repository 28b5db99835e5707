"""The results of the newest good run on a branch, from the artifact that it left."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from compress_guard.errors import CompressGuardError, described
from compress_guard.github.api import GitHubApi
from compress_guard.github.workflow import Workflow, mapping

RESULTS: Final = "results.json"
EVIDENCE: Final = "results.evidence.zip"
_MOST_RUNS: Final = 20
"""Runs whose artifacts are looked through, the newest first."""
_LARGEST: Final = 2**30
"""Most bytes of an artifact, and of each file in it."""
_FOREIGN_EVENTS: Final = ("pull_request", "pull_request_target", "issue_comment", "workflow_run")
"""Events by which people who may not write to the repository start runs with code of theirs."""


class NoBaseline(CompressGuardError):
    """A branch without results to compare with; the message says why."""


@dataclass(frozen=True, slots=True)
class WantedArtifact:
    """The artifact of the baseline: its name, and the runs that may have left it."""

    name: str
    branch: str
    workflow: str
    """Name of the workflow's file."""


def wanted(workflow: Workflow, name: str, branch: str | None, file: str | None) -> WantedArtifact:
    """Return the artifact of a run of this workflow on its base branch, unless another one is named.

    Raises `NoBaseline` where the run does not say which these are.
    """
    branch, file = branch or workflow.branch, file or workflow.file
    if branch is None or file is None:
        raise NoBaseline("the run does not say of which branch and workflow the baseline is")
    return WantedArtifact(name, branch, file)


def fetch_baseline(api: GitHubApi, artifact: WantedArtifact, folder: Path) -> tuple[Path, str]:
    """Write the results and the evidence of the newest good run to a folder; return the results file and a sentence.

    Raises `NoBaseline` if no run has left any, and `GitHubRefusal` where GitHub does not give them.
    """
    for run in _runs(api, artifact):
        found = api.get(f"/actions/runs/{run.get('id')}/artifacts", name=artifact.name, per_page=100)
        for each in _list(found, "artifacts"):
            if each.get("name") == artifact.name and not each.get("expired"):
                packed = api.download(f"/actions/artifacts/{each.get('id')}/zip", _LARGEST)
                commit = str(run.get("head_sha", ""))[:10]
                return _unpacked(packed, artifact, folder), f"{artifact.branch} at {commit}, run {run.get('id')}"
    runs = f"successful run of {artifact.workflow} on {artifact.branch}"
    raise NoBaseline(f"no {runs} has an artifact {artifact.name!r}")


def _runs(api: GitHubApi, artifact: WantedArtifact) -> Iterator[Mapping[str, object]]:
    """Yield the good runs on the branch, the newest first.

    A branch of a fork may have the same name, so runs of other repositories and those of pull requests are left out:
    else whoever opens a pull request could choose what it is compared with.
    """
    path = f"/actions/workflows/{quote(artifact.workflow, safe='')}/runs"
    found = api.get(path, branch=artifact.branch, status="success", per_page=_MOST_RUNS)
    for run in _list(found, "workflow_runs"):
        home, head = (mapping(run.get(key)).get("id") for key in ("repository", "head_repository"))
        own = home == head is not None
        on_branch = run.get("head_branch") == artifact.branch and run.get("conclusion") == "success"
        if own and on_branch and run.get("event") not in _FOREIGN_EVENTS and isinstance(run.get("id"), int):
            yield run


def _list(answer: object, key: str) -> list[Mapping[str, object]]:
    values = mapping(answer).get(key)
    return [mapping(value) for value in values] if isinstance(values, list) else []


def _unpacked(packed: bytes, artifact: WantedArtifact, folder: Path) -> Path:
    """Write the results and the evidence of an artifact; no other name in it is a path of ours."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            names = [name for name in archive.namelist() if name.rpartition("/")[2] == RESULTS]
            if len(names) != 1:
                count = "no" if not names else str(len(names))
                raise NoBaseline(f"the artifact {artifact.name!r} of {artifact.branch} holds {count} {RESULTS}")
            beside = f"{names[0].removesuffix(RESULTS)}{EVIDENCE}"
            folder.mkdir(parents=True, exist_ok=True)
            for name, target in ((names[0], RESULTS), (beside, EVIDENCE)):
                (folder / target).unlink(missing_ok=True)
                if name in archive.namelist():
                    (folder / target).write_bytes(_member(archive, name))
    except (zipfile.BadZipFile, NotImplementedError, EOFError, ValueError, OSError) as problem:
        found = f"the artifact {artifact.name!r} of {artifact.branch} cannot be unpacked ({described(problem)})"
        raise NoBaseline(found) from problem
    return folder / RESULTS


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as member:
        content = member.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise ValueError(f"{name} has more than {_LARGEST} bytes")
    return content
