"""Reports of an earlier run are renamed, and what cannot be renamed is told."""

from __future__ import annotations

import os
from pathlib import Path

from compress_guard.report.earlier import results_files, set_aside


def test_a_report_and_its_evidence_are_renamed_in_place_of_older_ones(tmp_path):
    path = tmp_path / "results.json"
    assert results_files(path) == (path, tmp_path / "results.evidence.zip")
    for name in ("results.json", "results.evidence.zip", "results.json.previous"):
        (tmp_path / name).write_text(name)
    assert set_aside(results_files(path)) == []
    assert {found.name: found.read_text() for found in tmp_path.iterdir()} == {
        "results.json.previous": "results.json",
        "results.evidence.zip.previous": "results.evidence.zip",
    }


def test_what_is_not_there_leaves_an_older_one_alone(tmp_path):
    (tmp_path / "results.json.previous").write_text("older")
    assert set_aside([tmp_path / "results.json", tmp_path / "no folder" / "results.json"]) == []
    assert (tmp_path / "results.json.previous").read_text() == "older"


def test_what_is_no_regular_file_stays(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    assert set_aside([tmp_path / "pipe", tmp_path / "folder", Path("/dev/null")]) == []
    assert sorted(found.name for found in tmp_path.iterdir()) == ["folder", "pipe"]


def test_a_link_stays_and_its_file_is_renamed(tmp_path):
    """The new report is written through the link, as long as it is there."""
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "results.json").symlink_to("kept")
    assert set_aside([tmp_path / "results.json"]) == []
    assert (tmp_path / "results.json").is_symlink()
    assert (tmp_path / "kept.previous").read_text() == "kept"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["kept.previous", "results.json"]
    assert set_aside([tmp_path / "results.json"]) == []


def test_what_is_no_file_is_not_replaced_by_an_earlier_report(tmp_path):
    path = tmp_path / "results.json"
    path.write_text("old")
    (tmp_path / "results.json.previous").symlink_to("elsewhere")
    assert set_aside([path]) == [
        f"{path}: this report of an earlier run cannot be renamed to results.json.previous "
        f"({path}.previous is a link, not a regular file); do not take it for a report of this run, and remove what is "
        "in the way"
    ]
    assert path.read_text() == "old"


def test_what_cannot_be_renamed_is_told_and_the_others_are_renamed(tmp_path):
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(name)
    (tmp_path / "a.json.previous").mkdir()
    assert set_aside([tmp_path / "a.json", tmp_path / "b.json"]) == [
        f"{tmp_path / 'a.json'}: this report of an earlier run cannot be renamed to a.json.previous (Is a directory); "
        "do not take it for a report of this run, and remove what is in the way"
    ]
    assert (tmp_path / "b.json.previous").exists()
