"""Results that are not those that a command was asked for: of another release, of a part, of an earlier call."""

from __future__ import annotations

import json

import pytest

REPORTS = ("all.json", "all.evidence.zip", "all.xml")


@pytest.fixture
def shards(command, guards, folder):
    """Two shards of two guards that hold."""
    guards(toy="max_drop: 100", two="max_drop: 100")
    names = ["shard1.json", "shard2.json"]
    for number, name in enumerate(names, start=1):
        assert command("run", "--shard", f"{number}/2", "--json", name).code == 0
    return names


def change(path, edit):
    document = json.loads(path.read_text())
    edit(document)
    path.write_text(json.dumps(document))


def of_commit(commit):
    return lambda document: document["environment"].update(commit=commit)


def test_jobs_of_two_commits_are_refused(command, folder, shards):
    change(folder / "shard1.json", of_commit("aaa"))
    change(folder / "shard2.json", of_commit("bbb"))
    done = command("merge", *shards, "--out", "all.json")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "compress-guard: shard2.json: it is of commit bbb, and shard1.json is of aaa; merge results of one release, "
        "measured by one version\n"
    )
    # A job may have left files of its own in the tree, and one may run where there is no repository.
    for commit in ("aaa-dirty", None):
        change(folder / "shard2.json", of_commit(commit))
        assert command("merge", *shards, "--out", "all.json").code == 0


def test_jobs_of_two_versions_of_the_package_are_refused(command, folder, shards):
    change(folder / "shard2.json", lambda document: document["environment"]["packages"].update({"compress-guard": "0"}))
    done = command("merge", *shards, "--out", "all.json")
    assert done.code == 2
    assert done.err.startswith("compress-guard: shard2.json: it is of compress_guard 0, and shard1.json is of ")


@pytest.mark.parametrize("names", [[], ["two[jpeg-0.5bpp]"]])
def test_a_file_that_does_not_name_its_cells_is_refused(command, folder, shards, names):
    change(folder / "shard1.json", lambda document: document.update(all_cells=names))
    done = command("merge", "shard1.json", "--out", "all.json")
    assert (done.code, done.err) == (
        2,
        "compress-guard: shard1.json: toy[jpeg-0.5bpp] is not among the cells that it names as those of its thresholds "
        "file; measure it again with this version of compress_guard\n",
    )


@pytest.mark.parametrize("bad", ["nowhere.json", "broken.json"])
def test_a_merge_that_fails_leaves_no_report_of_an_earlier_one(command, folder, shards, bad):
    merge = ("--out", "all.json", "--junit", "all.xml")
    assert command("merge", *shards, *merge).code == 0
    (folder / "broken.json").write_text('{"schema": ')
    assert command("merge", *shards, bad, *merge).code == 2
    for name in REPORTS:
        assert not (folder / name).exists()
        assert (folder / f"{name}.previous").exists()


def test_a_merge_that_fails_leaves_its_sources_alone(command, folder, shards):
    before = sorted(path.name for path in folder.iterdir())
    assert command("merge", *shards, "nowhere.json", "--out", "shard1.json").code == 4
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_report_that_fails_leaves_no_page_of_an_earlier_one(command, folder, shards):
    pages = ("--html", "page.html", "--markdown", "page.md")
    assert command("report", "shard1.json", *pages).code == 0
    assert command("report", "nowhere.json", *pages).code == 4
    for name in ("page.html", "page.md"):
        assert not (folder / name).exists()
        assert (folder / f"{name}.previous").exists()


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_results_without_a_cell_are_said_to_have_none(command, folder, shards, quiet):
    change(folder / "shard1.json", lambda document: document.update(cells=[]))
    done = command("report", "shard1.json", *quiet)
    assert (done.code, done.out.strip()) == (0, "these results have no cell: nothing was measured")


def test_a_page_of_a_part_says_so(command, folder, shards):
    assert command("report", "shard1.json", "--html", "part.html").code == 0
    assert "1 of the 2 cells of the file, shard 1/2" in (folder / "part.html").read_text()
    assert command("merge", *shards, "--out", "all.json").code == 0
    assert command("report", "all.json", "--html", "whole.html").code == 0
    assert "cells of the file" not in (folder / "whole.html").read_text()
