"""``--cg-shard``: the same cut as ``compress-guard run --shard``, with and without workers."""

from __future__ import annotations

import json

import pytest

from compress_guard.thresholds import load
from compress_guard.thresholds.shards import cut


@pytest.fixture
def cells(project):
    """Writes a file of two codecs; returns the names of the cells of both of its parts."""
    project.guard("max_drop: 100", defaults="codecs: [jpeg, webp], bpp: [0.5, 1.0]")
    return cut(load(project.folder / "thresholds.yaml"), 2)


def test_each_shard_measures_its_cells_and_knows_all(project, cells):
    for number, names in enumerate(cells, start=1):
        run = project.run("--cg-shard", f"{number}/2")
        assert (run.code, tuple(run.cells)) == (0, names)
        assert run.json["shard"] == f"{number}/2"
        assert set(run.json["all_cells"]) == {*cells[0], *cells[1]}
        assert run.json["not_measured"] == []


def test_an_empty_shard_is_green_and_says_so(project, cells):
    run = project.run("--cg-shard", "3/3")
    assert (run.code, run.cells) == (0, {})
    assert "shard 3/3 of thresholds.yaml is empty: the other shards have its cells" in run.out
    assert set(run.json["all_cells"]) == {*cells[0], *cells[1]}
    assert project.run("--cg-shard", "3/3", "--cg-strict").code == 0


def test_workers_measure_the_same_shard(project, cells):
    run = project.start("-n", "2", "--cg-shard", "2/2")  # new interpreters: each with its own seed of hashes
    assert (run.code, tuple(run.cells)) == (0, cells[1])
    empty = project.fork("-n", "2", "--cg-shard", "3/3")
    assert (empty.code, empty.cells) == (0, {})


def test_a_selection_inside_a_shard_that_leaves_nothing_fails_a_strict_run(project, cells):
    run = project.run("--cg-shard", "1/2", "--cg-strict", "-k", "nothing")
    assert run.code != 0


def test_a_shard_that_is_none(project, cells):
    run = project.run("--cg-shard", "3/2")
    assert run.code == 4
    assert "'3/2' is no shard; write I/N such as 2/5, with I from 1 to N and N up to 10000" in " ".join(run.out.split())


def test_that_nothing_was_judged_is_for_merge_to_say(project):
    project.guard("max_drop: 100, bpp: [0.05]")
    assert project.run().code == 1
    assert project.run("--cg-shard", "1/1").code == 0


def test_seconds_of_a_baseline_balance_the_cut(project, cells):
    project.guards(dict.fromkeys(("one", "two", "three"), "max_drop: 100"))
    whole = project.run()
    for cell, seconds in zip(whole.json["cells"], (60.0, 1.0, 1.0), strict=True):
        cell["seconds"] = seconds
    project.write("whole.json", json.dumps(whole.json | {"evidence": None}))
    run = project.run("--cg-shard", "1/2", "--cg-baseline", "whole.json")
    assert (run.code, list(run.cells)) == (0, ["one[jpeg-0.5bpp]"])
