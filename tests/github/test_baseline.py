"""``compress-guard github baseline``: the results of the newest good run on the base branch, and of no other."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.github.fake_server import FORK, workflow_run

INTO = ("baseline", "--into", "earlier")


def packed(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(
                name.replace("__", "/").replace("_json", ".json").replace("_zip", ".evidence.zip"), content
            )
    return buffer.getvalue()


RESULTS = packed(results_json=b"{}", results_zip=b"evidence", report=b"page")


def test_the_newest_run_that_still_has_its_artifact_is_the_baseline(task, github, tmp_path):
    github.keep(workflow_run(5), RESULTS, expired=True)
    github.runs.append(workflow_run(4))  # it left none
    github.keep(workflow_run(3), RESULTS)
    github.keep(workflow_run(2), packed(results_json=b"older"))
    code, out, err, outputs = task(*INTO)
    assert (code, err, outputs) == (0, "", {"path": "earlier/results.json"})
    assert out == "::notice title=baseline::Compared with main at 0000000000, run 3.\n"
    assert (tmp_path / "earlier" / "results.json").read_bytes() == b"{}"
    assert (tmp_path / "earlier" / "results.evidence.zip").read_bytes() == b"evidence"
    assert sorted(path.name for path in (tmp_path / "earlier").iterdir()) == ["results.evidence.zip", "results.json"]
    (_, _, query, _) = github.asked[0]
    assert query == {"branch": "main", "status": "success", "per_page": "20"}


def test_the_server_of_files_does_not_see_the_token(task, github):
    github.keep(workflow_run(3), RESULTS)
    task(*INTO)
    tokens = {path.partition("/")[0]: token for _, path, _, token in github.asked}
    assert tokens == {"": "Bearer job-token", "files": None}


@pytest.mark.parametrize(
    "run",
    [
        workflow_run(9, head_repository=FORK),
        workflow_run(9, head_repository=None),
        workflow_run(9, event="pull_request"),
        workflow_run(9, event="pull_request_target"),
        workflow_run(9, event="workflow_run"),
        workflow_run(9, conclusion="failure"),
    ],
    ids=["fork", "fork that is gone", "pull request", "its target", "run after a run", "red"],
)
def test_a_run_that_strangers_can_start_is_no_baseline(task, github, run):
    github.keep(run, RESULTS)
    code, out, err, outputs = task(*INTO)
    assert (code, err, outputs) == (0, "", {"path": ""})
    assert out == (
        "::notice title=no baseline::Nothing to compare with: no successful run of model-gate.yml on main has an "
        "artifact 'compress-guard'.\n"
    )
    assert not any("artifacts" in request for request in github.requests)


def test_a_repository_without_runs_has_no_baseline_yet(task, github):
    code, _, _, outputs = task(*INTO)
    assert (code, outputs) == (0, {"path": ""})


def test_a_run_of_a_branch_is_compared_with_the_branch_itself(task, in_workflow, github):
    in_workflow(
        {"repository": {"default_branch": "main"}}, GITHUB_BASE_REF="", GITHUB_REF_TYPE="branch", GITHUB_REF_NAME="next"
    )
    github.keep(workflow_run(3, head_branch="next"), RESULTS)
    assert task(*INTO)[3] == {"path": "earlier/results.json"}


def test_a_run_of_a_tag_is_compared_with_the_default_branch(task, in_workflow, github):
    in_workflow(
        {"repository": {"default_branch": "trunk"}}, GITHUB_BASE_REF="", GITHUB_REF_TYPE="tag", GITHUB_REF_NAME="v1"
    )
    github.keep(workflow_run(3, head_branch="trunk"), RESULTS)
    assert task(*INTO)[3] == {"path": "earlier/results.json"}


def test_branch_workflow_and_artifact_may_be_named(task, github):
    github.keep(workflow_run(3, head_branch="stable"), RESULTS, name="gate")
    outputs = task(*INTO, "--branch=stable", "--workflow=nightly.yml", "--artifact=gate")[3]
    assert outputs == {"path": "earlier/results.json"}
    assert github.requests[0] == "GET /repos/owner/name/actions/workflows/nightly.yml/runs"


def test_a_run_that_names_no_workflow_has_no_baseline(task, in_workflow, github):
    in_workflow(GITHUB_WORKFLOW_REF="")
    _, out, _, outputs = task(*INTO)
    assert (outputs, github.asked) == ({"path": ""}, [])
    assert "the run does not say of which branch and workflow the baseline is" in out


@pytest.mark.parametrize(
    ("archive", "problem"),
    [
        (b"no zip", "cannot be unpacked (BadZipFile: File is not a zip file)"),
        (packed(other=b"x"), "holds no results.json"),
        (packed(a__results_json=b"1", b__results_json=b"2"), "holds 2 results.json"),
    ],
)
def test_an_artifact_that_cannot_be_used_is_said(task, github, archive, problem):
    github.keep(workflow_run(3), archive)
    code, out, _, outputs = task(*INTO)
    assert (code, outputs) == (0, {"path": ""})
    assert (
        out
        == f"::notice title=no baseline::Nothing to compare with: the artifact 'compress-guard' of main {problem}.\n"
    )


def test_names_in_an_artifact_are_no_paths(task, github, tmp_path):
    hostile = io.BytesIO()
    with zipfile.ZipFile(hostile, "w") as archive:
        archive.writestr("../../results.json", b"{}")
        archive.writestr("../../evil.txt", b"x")
    github.keep(workflow_run(3), hostile.getvalue())
    assert task(*INTO)[3] == {"path": "earlier/results.json"}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.suffix in (".json", ".txt")) == [
        "event.json",
        "output.txt",
        "results.json",
    ]


@pytest.mark.parametrize(
    ("status", "message", "shown"),
    [
        (403, "Resource not accessible by integration", "; give the job the permission actions: read"),
        (404, "Not Found", "; give the job the permission actions: read"),
        (503, "busy", ""),
    ],
)
def test_what_github_refuses_is_a_warning_and_no_failure(task, github, status, message, shown):
    github.refused["GET"] = (status, message)
    code, out, err, outputs = task(*INTO)
    assert (code, err, outputs) == (0, "", {"path": ""})
    assert out == (
        "::warning title=no baseline::Nothing to compare with: GET /actions/workflows/model-gate.yml/runs: "
        f"{status} {message}{shown}.\n"
    )
    assert len(github.asked) == (2 if status == 503 else 1), "a server with a bad moment is asked twice"


def test_a_server_that_is_not_there_is_a_warning(task, in_workflow):
    in_workflow(GITHUB_API_URL="http://127.0.0.1:1")
    code, out, _, outputs = task(*INTO)
    assert (code, outputs) == (0, {"path": ""})
    assert out.startswith("::warning title=no baseline::Nothing to compare with: GET /actions/workflows/")


def test_an_address_that_is_none_is_refused(task, in_workflow):
    in_workflow(GITHUB_API_URL="file:///etc")
    assert "file:///etc is no address of a web server" in task(*INTO)[1]


def test_outside_a_workflow_it_is_a_usage_error(task, monkeypatch):
    monkeypatch.delenv("GITHUB_REPOSITORY")
    assert task(*INTO) == (
        4,
        "",
        "compress-guard: github: the variable GITHUB_REPOSITORY is not set; run this command in a step of GitHub "
        "Actions\n",
        {},
    )
