"""Options of ``compress-guard github``, whose tasks are steps of a workflow."""

from __future__ import annotations

from compress_guard.cli.arguments.shared import Commands

_WORKFLOW = "compress-guard"


def add_github(commands: Commands) -> None:
    """Add the command `github`."""
    github = commands.add_parser(
        "github",
        help="do what a step of GitHub Actions needs: baseline, summary, comment",
        description="Steps of the action .github/actions/compress-guard. The token is read from GITHUB_TOKEN, all else "
        "from the variables that the runner sets. Exit code 0: done, or GitHub did not allow it, which a notice says; "
        "4: an option makes no sense, or this is no step of a workflow.",
    )
    tasks: Commands = github.add_subparsers(
        dest="task", required=True, metavar="TASK", help="baseline, publish or comment"
    )
    _add_baseline(tasks)
    _add_publish(tasks)
    _add_comment(tasks)


def _add_baseline(tasks: Commands) -> None:
    baseline = tasks.add_parser(
        "baseline",
        help="fetch the results of the newest successful run on the base branch",
        description="Write results.json and its evidence to a folder, and their path to the output `path` of the step.",
    )
    baseline.add_argument("--into", required=True, metavar="DIR", help="folder for the results and their evidence")
    baseline.add_argument(
        "--artifact", default=_WORKFLOW, metavar="NAME", help=f"artifact with the results (default: {_WORKFLOW})"
    )
    baseline.add_argument(
        "--branch", metavar="NAME", help="branch (default: that which the pull request goes into, or that of the run)"
    )
    baseline.add_argument("--workflow", metavar="FILE", help="workflow that left the artifact (default: this one)")


def _add_publish(tasks: Commands) -> None:
    publish = tasks.add_parser(
        "publish",
        help="write the summary, the annotations, the badge and the outputs of a step",
        description="Write summary.md and badge.svg beside the results, an annotation for each failed cell, and the "
        "summary and the outputs of the step: verdict (held, undecided, failed or error), cells, failed, and the paths "
        "results, html, summary and badge.",
    )
    publish.add_argument("results", metavar="RESULTS", help="the results file that the gate was to write")
    publish.add_argument(
        "--thresholds", default="thresholds.yaml", metavar="FILE", help="its thresholds file (default: thresholds.yaml)"
    )
    publish.add_argument("--html", metavar="FILE", help="the report of the run, which is written if it is not there")
    publish.add_argument(
        "--status",
        type=int,
        metavar="N",
        help="exit code of the gate: after 2 and 4 the results may be of an earlier run",
    )


def _add_comment(tasks: Commands) -> None:
    comment = tasks.add_parser(
        "comment",
        help="write a summary on the pull request, over the one of an earlier run",
        description="Write a text as a comment on the pull request that started the run, or change the comment of an "
        "earlier run, which is found by an invisible first line and by its author.",
    )
    comment.add_argument("text", metavar="FILE", help="Markdown, such as summary.md")
    comment.add_argument(
        "--name", default=_WORKFLOW, metavar="NAME", help=f"tells several comments apart (default: {_WORKFLOW})"
    )
    comment.add_argument(
        "--author",
        default="github-actions[bot]",
        metavar="LOGIN",
        help="account of the token (default: github-actions[bot], that of the job's own token)",
    )
