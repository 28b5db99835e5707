"""Destinations of results and their evidence: through links, never in place of what is no regular file."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path

import pytest

from compress_guard.destination import destination, discard, replace
from compress_guard.engine.settings import check_results_file
from compress_guard.errors import RunError, UsageError
from compress_guard.report import write

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refusal(path):
    with pytest.raises(UsageError) as caught:
        check_results_file(path, "--cg-json", {})
    return str(caught.value)


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "reports"
    folder.mkdir()
    return folder


def test_a_link_stays_and_its_file_is_replaced(reports, elsewhere):
    (elsewhere / "a.json").write_text("old")
    (elsewhere / "b.json").symlink_to("a.json")
    (reports / "r.json").symlink_to("../elsewhere/b.json")
    check_results_file(reports / "r.json", "--cg-json", {})
    write(reports / "r.json", [], {}, {})
    assert (reports / "r.json").is_symlink()
    assert (elsewhere / "b.json").is_symlink()
    assert json.loads((elsewhere / "a.json").read_text())["cells"] == []
    assert (names(reports), names(elsewhere)) == (["r.json"], ["a.json", "b.json"])


def test_the_evidence_is_written_through_a_link_too(reports, elsewhere):
    (reports / "r.evidence.zip").symlink_to(elsewhere / "kept.zip")
    write(reports / "r.json", [], {}, {"a.npz": b"new"})
    assert (reports / "r.evidence.zip").is_symlink()
    assert (elsewhere / "kept.zip").read_bytes().startswith(b"PK")


def test_without_evidence_nothing_behind_a_link_is_removed(reports, elsewhere):
    (elsewhere / "kept.zip").write_bytes(b"mine")
    (reports / "r.evidence.zip").symlink_to(elsewhere / "kept.zip")
    write(reports / "r.json", [], {}, {})
    assert json.loads((reports / "r.json").read_text())["evidence"] is None
    assert (elsewhere / "kept.zip").read_bytes() == b"mine"
    assert (reports / "r.evidence.zip").is_symlink()


def test_a_link_that_leads_nowhere_gets_its_file(reports, elsewhere):
    (reports / "r.json").symlink_to(elsewhere / "new" / "folder" / "a.json")
    check_results_file(reports / "r.json", "--cg-json", {})
    write(reports / "r.json", [], {}, {})
    assert (reports / "r.json").is_symlink()
    assert (elsewhere / "new" / "folder" / "a.json").is_file()


def test_folders_that_are_links_are_followed(reports, elsewhere):
    (reports / "out").symlink_to(elsewhere)
    write(reports / "out" / "r.json", [], {}, {})
    assert names(elsewhere) == ["r.json"]
    assert (reports / "out").is_symlink()


def test_a_hard_link_keeps_the_other_name_as_it_was(reports, elsewhere):
    (elsewhere / "a.json").write_text("old")
    os.link(elsewhere / "a.json", reports / "r.json")
    write(reports / "r.json", [], {}, {})
    assert (elsewhere / "a.json").read_text() == "old"


def others(folder):
    """Return one path of each kind that is no regular file, with its name in messages."""
    os.mkfifo(folder / "pipe")
    yield folder / "pipe", "a pipe"
    made = socket.socket(socket.AF_UNIX)
    with contextlib.chdir(folder):  # names of sockets are short
        made.bind("socket")
    made.close()
    yield folder / "socket", "a socket"


@pytest.mark.parametrize("linked", [False, True])
def test_what_is_no_file_is_refused_at_once_and_at_the_end(reports, elsewhere, linked):
    for path, kind in [*others(elsewhere), (Path("/dev/null"), "a device")]:
        target = path
        if linked:
            target = reports / f"{path.name}.json"
            target.symlink_to(path)
        before = os.lstat(path)
        assert refusal(target) == (
            f"--cg-json: {target} is {kind}, not a regular file; name a file that may be replaced as a whole"
        )
        with pytest.raises(RunError) as caught:
            write(target, [], {}, {})
        assert str(caught.value) == (
            f"{target}: results cannot be written ({target} is {kind}, not a regular file); "
            "name a file in a folder that can be written"
        )
        after = os.lstat(path)
        assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)


def test_evidence_does_not_replace_a_pipe(reports):
    os.mkfifo(reports / "r.evidence.zip")
    with pytest.raises(RunError, match="is a pipe, not a regular file"):
        write(reports / "r.json", [], {}, {"a.npz": b"new"})
    write(reports / "r.json", [], {}, {})
    assert names(reports) == ["r.evidence.zip", "r.json"]


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/stderr", "/dev/fd/1", "/proc/self/fd/1"])
def test_an_open_stream_is_refused_wherever_it_leads(name):
    """Even a file would be replaced, and what was printed to it would be lost."""
    if not os.path.lexists(name):
        pytest.skip(f"there is no {name}")
    assert refusal(Path(name)) == (
        f"--cg-json: {name} is an open stream, not a regular file; name a file that may be replaced as a whole"
    )


def test_a_link_to_an_open_stream(reports):
    (reports / "r.json").symlink_to("/dev/stdout")
    assert refusal(reports / "r.json").startswith(f"--cg-json: {reports / 'r.json'} is an open stream, ")


def test_links_in_a_circle(reports):
    (reports / "a.json").symlink_to("b.json")
    (reports / "b.json").symlink_to("a.json")
    path = reports / "a.json"
    assert refusal(path) == f"--cg-json: {path} cannot be written (Too many levels of symbolic links); name a file"
    with pytest.raises(RunError, match="results cannot be written \\(Too many levels of symbolic links\\)"):
        write(path, [], {}, {})


def test_a_link_to_a_folder_is_a_folder(reports, elsewhere):
    (reports / "r.json").symlink_to(elsewhere)
    assert refusal(reports / "r.json") == f"--cg-json: {reports / 'r.json'} is a folder; name a file"


def test_a_link_planted_where_the_draft_will_be_is_not_written_through(reports, elsewhere, monkeypatch):
    (elsewhere / "mine").write_text("mine")
    monkeypatch.setattr("compress_guard.files.secrets.token_hex", lambda count: "known")
    (reports / f".new-{os.getpid()}-known").symlink_to(elsewhere / "mine")
    with pytest.raises(FileExistsError):
        replace(reports / "r.json", b"data")
    assert (elsewhere / "mine").read_text() == "mine"
    assert not (reports / "r.json").exists()


def test_destinations_of_plain_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert destination(Path("a/b.json")) == tmp_path.resolve() / "a" / "b.json"
    discard(tmp_path / "a" / "b.json")
    replace(Path("a/b.json"), b"data")
    assert (tmp_path / "a" / "b.json").read_bytes() == b"data"
    discard(tmp_path / "a" / "b.json")
    assert names(tmp_path / "a") == []
