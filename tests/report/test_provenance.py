"""Provenance of results: date, commit and models."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest

from compress_guard.records import Guard, Thresholds
from compress_guard.report.notes import provenance as module
from compress_guard.report.notes.provenance import commit, provenance

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit of one file."""

    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        made = subprocess.run(
            ["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True, text=True
        )
        return made.stdout.strip()

    git("init", "-q")
    (tmp_path / "thresholds.yaml").write_text("version: 1\n")
    git("add", ".")
    git("commit", "-qm", "first")
    return tmp_path, git("rev-parse", "HEAD")


def test_the_commit_of_the_folder_of_the_file(repository, monkeypatch):
    folder, head = repository
    monkeypatch.setenv("GITHUB_SHA", SHA)
    assert commit(folder) == head
    (folder / "thresholds.yaml").write_text("version: 2\n")
    assert commit(folder) == f"{head}-dirty"


def test_a_tag_does_not_stand_for_the_commit(repository):
    folder, head = repository
    subprocess.run(["git", "-C", str(folder), "tag", "v1"], check=True)
    assert commit(folder) == head


@pytest.mark.parametrize(("given", "expected"), [(SHA, SHA), ("<script>", None), (None, None)])
def test_without_a_repository_github_names_the_commit(tmp_path, monkeypatch, given, expected):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.setenv("PATH", str(tmp_path)) if given == "<script>" else None
    monkeypatch.delenv("GITHUB_SHA", raising=False)
    if given is not None:
        monkeypatch.setenv("GITHUB_SHA", given)
    assert commit(tmp_path) == expected


def test_models_are_named_as_the_file_has_them(tmp_path):
    guards = (Guard("photos", "classification", "top1", "app.models:release", "app.data:photos", ()),)
    made = provenance(Thresholds(str(tmp_path / "thresholds.yaml"), guards), tmp_path)
    assert made["models"] == {"photos": "app.models:release"}
    assert abs((datetime.now(UTC) - datetime.fromisoformat(str(made["date"]))).total_seconds()) < 60
    assert provenance(None, tmp_path)["models"] == {}


def test_all_reports_of_a_run_name_one_date(tmp_path, monkeypatch):
    class Later(datetime):
        @classmethod
        def now(cls, zone=None):
            return datetime(2030, 1, 1, tzinfo=zone)

    first = provenance(None, tmp_path / "a")["date"]
    monkeypatch.setattr(module, "datetime", Later)
    assert provenance(None, tmp_path / "a")["date"] == first
    assert provenance(None, tmp_path / "b")["date"] == "2030-01-01T00:00:00+00:00"
