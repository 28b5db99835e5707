"""``compress-guard github baseline``: the results of the newest good run on the base branch."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from compress_guard.cli.github.lines import say
from compress_guard.github.api import GitHubApi, GitHubRefusal
from compress_guard.github.baseline import NoBaseline, fetch_baseline, wanted
from compress_guard.github.commands import assignments
from compress_guard.github.workflow import Workflow, append


def baseline(options: argparse.Namespace, variables: Mapping[str, str]) -> None:
    """Fetch the baseline and name it in the output `path`; without one the output is empty, and a notice says why."""
    workflow = Workflow.of(variables)
    path = ""
    try:
        artifact = wanted(workflow, options.artifact, options.branch, options.workflow)
        results, origin = fetch_baseline(GitHubApi(workflow), artifact, Path(options.into))
        path = str(results)
        say("notice", f"Compared with {origin}.", title="baseline")
    except NoBaseline as problem:
        say("notice", f"Nothing to compare with: {problem}.", title="no baseline")
    except GitHubRefusal as problem:
        permission = "; give the job the permission actions: read" if problem.status in (401, 403, 404) else ""
        say("warning", f"Nothing to compare with: {problem}{permission}.", title="no baseline")
    append("GITHUB_OUTPUT", assignments({"path": path}))
