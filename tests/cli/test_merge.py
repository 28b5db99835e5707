"""Shards and `merge`: the same results as those of one run, and files that do not belong together."""

from __future__ import annotations

import json
import re
import sys
import zipfile

import junitparser
import pytest

WORK = {"seconds", "encodes", "check_encodes", "predictions", "remembered"}
GUARDS = {
    "toy": "max_drop: 100, codecs: [jpeg, webp], bpp: [0.5, 1.0]",
    "two": "max_drop: 0, on_inconclusive: fail, traffic: {jpeg: 1}",
    "free": "bpp: [1.0], on_inconclusive: pass, min_score: 0, max_drop: 100",
}


@pytest.fixture
def shards(command, guards, folder):
    """Runs the file in `count` shards; returns the exit codes, and the names of the results files."""

    def run(count, *more):
        names = [f"shard{number}.json" for number in range(1, count + 1)]
        codes = [
            command("run", "--shard", f"{number}/{count}", "--json", name, *more).code
            for number, name in enumerate(names, start=1)
        ]
        return codes, names

    return run


@pytest.fixture
def split(command, guards, folder, shards):
    """Two shards of two guards that hold."""
    guards(toy="max_drop: 100", two="max_drop: 100")
    assert shards(2) == ([0, 0], ["shard1.json", "shard2.json"])
    return "shard1.json", "shard2.json"


def results(path):
    document = json.loads(path.read_text())
    cells = [{key: value for key, value in cell.items() if key not in WORK} for cell in document["cells"]]
    return cells, document["traffic"], document["all_cells"], document["thresholds_sha256"], document["not_measured"]


def evidence(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def change(path, **keys):
    document = json.loads(path.read_text())
    document["cells"][0] |= keys
    path.write_text(json.dumps(document))


def test_shards_merged_are_the_whole_run(command, guards, folder, shards):
    guards(**GUARDS)
    assert command("run", "--json", "whole.json").code == 1
    whole = results(folder / "whole.json")
    for count in range(1, 6):
        codes, names = shards(count)
        assert sorted(set(codes)) == ([1] if count == 1 else [0, 1])
        assert len(codes) - sum(codes) == count - 1
        done = command("merge", *reversed(names), "--out", "all.json", "--junit", "all.xml")
        assert (done.code, done.err) == (1, "")
        assert results(folder / "all.json") == whole
        assert evidence(folder / "all.evidence.zip") == evidence(folder / "whole.evidence.zip")
        (suite,) = junitparser.JUnitXml.fromfile("all.xml")
        assert [case.name for case in suite] == whole[2]
        assert (suite.failures, suite.errors, suite.skipped) == (1, 0, 0)


def test_an_empty_shard_is_green_and_says_so(command, guards, folder):
    guards(toy="max_drop: 100")
    done = command("run", "--shard", "2/2", "--json", "empty.json")
    assert (done.code, done.out) == (0, "")
    assert done.err == "compress-guard: shard 2/2 of thresholds.yaml is empty: the other shards have its cells\n"
    document = json.loads((folder / "empty.json").read_text())
    assert (document["shard"], document["all_cells"], document["cells"]) == ("2/2", ["toy[jpeg-0.5bpp]"], [])


def test_missing_cells_are_exit_code_2(command, folder, split):
    done = command("merge", split[0], "--out", "some.json", "--junit", "some.xml")
    assert done.code == 2
    assert done.err == (
        "compress-guard: 1 cell is missing, which no job has measured: thresholds.yaml::two[jpeg-0.5bpp]; name the "
        "results of every job\n"
    )
    document = json.loads((folder / "some.json").read_text())
    assert (document["exit_status"], document["not_measured"]) == (2, ["thresholds.yaml::two[jpeg-0.5bpp]"])
    (suite,) = junitparser.JUnitXml.fromfile("some.xml")
    assert (suite.tests, suite.errors) == (2, 1)
    assert [(each.name, each.value) for each in suite.properties()] == [
        ("cg_not_measured", '["thresholds.yaml::two[jpeg-0.5bpp]"]')
    ]
    # What is joined can be joined again.
    assert command("merge", "some.json", split[1], "--out", "all.json").code == 0


def test_a_file_that_is_given_twice_is_one(command, folder, split):
    assert command("merge", *split, *split, "--out", "all.json").code == 0
    assert len(json.loads((folder / "all.json").read_text())["cells"]) == 2


def test_work_may_differ_in_an_overlap_and_nothing_else(command, folder, split):
    whole = command("run", "--json", "whole.json")
    assert whole.code == 0
    change(folder / split[0], seconds=1e6, encodes=99.0, predictions=99)
    assert command("merge", "whole.json", *split, "--out", "all.json").code == 0
    change(folder / split[0], drop=1.5)
    done = command("merge", "whole.json", *split, "--out", "all.json")
    assert done.code == 2
    assert done.err.startswith(
        "compress-guard: shard1.json: toy[jpeg-0.5bpp] is in whole.json too, and they disagree: drop is "
    )
    assert done.err.endswith("and 1.5 here; measure each cell in one job\n")


def test_results_of_another_file_are_refused(command, guards, folder, split):
    guards(toy="max_drop: 99", two="max_drop: 100")
    assert command("run", "--shard", "1/2", "--json", "other.json").code == 0
    done = command("merge", split[1], "other.json", "--out", "all.json")
    assert (done.code, done.err) == (
        2,
        "compress-guard: other.json: it is of another thresholds file than shard2.json; merge results of one file, as "
        "one commit has it\n",
    )
    assert not (folder / "all.json").exists()


@pytest.mark.parametrize("part", ["pixels", "target"])
def test_jobs_that_had_other_images_under_the_same_ids_are_refused(command, guards, folder, monkeypatch, part):
    guards("bpp: [0.5], limit: 8", toy="max_drop: 100, codecs: [jpeg, webp]")
    assert command("run", "--shard", "1/2", "--json", "shard1.json").code == 0
    toy = sys.modules["toy"]
    samples = toy.data()
    other = [
        (255 - image, label, name) if part == "pixels" else (image, 3 - label, name) for image, label, name in samples
    ]
    monkeypatch.setattr(toy, "data", lambda: other)
    command("run", "--shard", "2/2", "--json", "shard2.json", "--no-cache")
    done = command("merge", "shard1.json", "shard2.json", "--out", "all.json")
    assert (done.code, re.sub(r"texture-\d+", "texture", done.err)) == (
        2,
        "compress-guard: shard2.json: the image texture of toy has other pixels or another target than in shard1.json; "
        "give all jobs the same data, and measure again\n",
    )
    assert not (folder / "all.json").exists()


def test_results_of_other_settings_are_refused(command, split):
    command("run", "--shard", "1/2", "--json", "other.json", "--seed", "7")
    done = command("merge", split[1], "other.json", "--out", "all.json")
    assert (done.code, done.err) == (
        2,
        "compress-guard: other.json: its setting seed is 7, and that of shard2.json is 0; run all jobs with the same "
        "options\n",
    )


@pytest.mark.parametrize(("status", "found"), [
    (None, "shard1.json is of a job that did not come to its end"),
    (3, "shard1.json is of a job that ended with exit status 3, and no cell failed"),
])  # fmt: skip
def test_a_job_that_broke_off_is_red(command, folder, split, status, found):
    path = folder / split[0]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"exit_status": status}))
    done = command("merge", *split, "--out", "all.json")
    assert (done.code, done.err) == (1, f"compress-guard: {found}\n")


def test_that_a_guard_gates_nothing_is_for_merge_to_say(command, guards, shards):
    guards(toy="max_drop: 100", floor="max_drop: 100, bpp: [0.05]")
    codes, names = shards(2)
    assert codes == [0, 0]
    done = command("merge", *names, "--out", "all.json")
    assert (done.code, done.err) == (1, "compress-guard: floor gates nothing: none of its cells was judged\n")


def test_the_results_may_not_replace_what_they_are_joined_of(command, split):
    done = command("merge", *split, "--out", split[0])
    assert (done.code, done.err.count("would replace shard1.json")) == (4, 1)


def test_a_shard_that_is_none(command, guards):
    guards(toy="max_drop: 100")
    done = command("run", "--shard", "3/2")
    assert done.code == 4
    assert "'3/2' is no shard; write I/N such as 2/5" in done.err


def test_seconds_of_a_baseline_balance_the_cut(command, guards, folder):
    guards("codecs: [jpeg], bpp: [0.5], limit: 8", one="max_drop: 100", two="max_drop: 100", three="max_drop: 100")
    assert command("run", "--json", "whole.json").code == 0
    document = json.loads((folder / "whole.json").read_text())
    for cell, seconds in zip(document["cells"], (60.0, 1.0, 1.0), strict=True):
        cell["seconds"] = seconds
    (folder / "whole.json").write_text(json.dumps(document))
    done = command("run", "--shard", "1/2", "--baseline", "whole.json", "--json", "shard.json")
    assert done.code == 0
    assert [cell["guard"] for cell in json.loads((folder / "shard.json").read_text())["cells"]] == ["one"]
