"""``compress-guard github comment``: a summary as the one comment on a pull request."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from compress_guard.cli.github.lines import say
from compress_guard.errors import UsageError, described
from compress_guard.github.api import GitHubApi, GitHubRefusal
from compress_guard.github.comment import marker, put_comment
from compress_guard.github.workflow import Workflow
from compress_guard.report.html.markdown import escaped


def comment(options: argparse.Namespace, variables: Mapping[str, str]) -> None:
    """Write the comment, or change the one that is there; a notice says where that is not possible."""
    workflow = Workflow.of(variables)
    first_line = marker(options.name, workflow.file)  # refuses a name that cannot be used, whatever the event
    try:
        text = Path(options.text).read_text(encoding="utf-8")
    except (OSError, ValueError) as problem:
        found = f"this cannot be read as text ({described(problem)})"
        raise UsageError(options.text, found, "name the summary that compress-guard github publish wrote") from problem
    if workflow.pull_request is None:
        say("notice", "No comment is written: no pull request started this run.", title="no comment")
        return
    job = escaped(options.name if workflow.file is None else f"{options.name} in {workflow.file}")
    foot = f"\n[This run]({workflow.url}) of {workflow.commit[:10]}: {job}\n"
    try:
        number = workflow.pull_request
        put_comment(GitHubApi(workflow), number, text + foot, first_line=first_line, author=options.author)
    except GitHubRefusal as problem:
        permission = "; the token of the job may not write here, as in runs for a fork" if problem.status == 403 else ""
        say("notice", f"The comment could not be written: {problem}{permission}.", title="no comment")
