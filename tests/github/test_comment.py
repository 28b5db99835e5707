"""``compress-guard github comment``: one comment on a pull request, found again by its first line and its author."""

from __future__ import annotations

import pytest

from compress_guard.cli import main

MARKER = "<!-- compress-guard: compress-guard in model-gate.yml -->"
RUN = "https://github.example/owner/name/actions/runs/99"
FOOT = f"\n[This run]({RUN}) of abcdef0123: compress-guard in model-gate.yml\n"


@pytest.fixture
def summary(in_workflow, tmp_path):
    (tmp_path / "summary.md").write_text("## held\n", encoding="utf-8")
    return "summary.md"


def test_the_first_run_writes_a_comment_and_later_ones_change_it(task, github, summary, tmp_path):
    github.comment("nice work", "ann")
    assert task("comment", summary) == (0, "", "", {})
    assert github.bodies == ["nice work", f"{MARKER}\n## held\n{FOOT}"]
    (tmp_path / "summary.md").write_text("## failed\n", encoding="utf-8")
    assert task("comment", summary) == (0, "", "", {})
    assert github.bodies == ["nice work", f"{MARKER}\n## failed\n{FOOT}"]
    assert github.requests[-1] == "PATCH /repos/owner/name/issues/comments/2"


@pytest.mark.parametrize(
    ("body", "login"),
    [
        (f"{MARKER}\nhijacked", "mallory"),
        (f"{MARKER}\nhijacked", None),
        (f"quoted:\n{MARKER}", "github-actions[bot]"),
        ("<!-- compress-guard: other -->\nx", "github-actions[bot]"),
    ],
    ids=["another author", "an account that is gone", "not the first line", "another name"],
)
def test_a_comment_that_is_not_its_own_is_left_alone(task, github, summary, body, login):
    github.comment(body, login)
    assert task("comment", summary)[0] == 0
    assert github.bodies == [body, f"{MARKER}\n## held\n{FOOT}"]


def test_its_comment_is_found_behind_a_hundred_others(task, github, summary):
    for number in range(230):
        github.comment(str(number), "ann")
    github.comment(f"{MARKER}\nold", "github-actions[bot]")
    task("comment", summary)
    assert len(github.bodies) == 231
    assert github.bodies[-1] == f"{MARKER}\n## held\n{FOOT}"


def test_several_gates_of_a_pull_request_have_a_comment_each(task, github, summary):
    for name in ("photos", "scans", "photos"):
        assert task("comment", summary, "--name", name)[0] == 0
    assert [body.splitlines()[0] for body in github.bodies] == [
        "<!-- compress-guard: photos in model-gate.yml -->",
        "<!-- compress-guard: scans in model-gate.yml -->",
    ]


def test_two_workflows_with_one_name_have_a_comment_each(task, in_workflow, github, summary):
    for file in ("gate.yml", "no--end -->.yml", "gate.yml"):
        in_workflow(GITHUB_WORKFLOW_REF=f"owner/name/.github/workflows/{file}@refs/pull/7/merge")
        assert task("comment", summary)[0] == 0
    assert [body.splitlines()[0] for body in github.bodies] == [
        "<!-- compress-guard: compress-guard in gate.yml -->",
        "<!-- compress-guard: compress-guard in no-end-.yml -->",
    ]


def test_another_token_writes_as_its_own_account(task, github, summary):
    github.comment(f"{MARKER}\nold", "our-app[bot]")
    task("comment", summary, "--author", "our-app[bot]")
    assert github.bodies == [f"{MARKER}\n## held\n{FOOT}"]


@pytest.mark.parametrize("request_", ["GET", "POST"])
def test_a_token_that_may_not_write_is_a_notice_and_no_failure(task, github, summary, request_):
    github.refused[request_] = (403, "Resource not accessible by integration")
    code, out, err, _ = task("comment", summary)
    assert (code, err, github.bodies) == (0, "", [])
    assert out == (
        f"::notice title=no comment::The comment could not be written: {request_} /issues/7/comments: 403 Resource not "
        "accessible by integration; the token of the job may not write here, as in runs for a fork.\n"
    )


def test_without_a_pull_request_there_is_no_comment(task, in_workflow, github, summary):
    in_workflow({"ref": "refs/heads/main"})
    assert task("comment", summary) == (
        0,
        "::notice title=no comment::No comment is written: no pull request started this run.\n",
        "",
        {},
    )
    assert github.asked == []


def test_a_request_that_failed_halfway_is_not_made_twice(task, github, summary):
    github.refused["POST"] = (502, "Bad Gateway")
    assert "502 Bad Gateway" in task("comment", summary)[1]
    assert github.requests.count("POST /repos/owner/name/issues/7/comments") == 1


@pytest.mark.parametrize("name", ["a --> b", "a--b", "", "a\nb", "x" * 101])
def test_a_name_that_could_end_the_marker_is_refused(task, github, summary, name):
    code, _, err, _ = task("comment", summary, "--name", name)
    assert code == 4
    assert err.startswith("compress-guard: --name: ")
    assert github.asked == []


def test_a_summary_that_is_not_there_is_a_usage_error(task, github):
    code, _, err, _ = task("comment", "nothing.md")
    assert code == 4
    assert err.startswith("compress-guard: nothing.md: this cannot be read as text (FileNotFoundError")


def test_help_needs_no_workflow(capsys):
    assert main(["github", "comment", "--help"]) == 0
    assert "--author LOGIN" in capsys.readouterr().out
