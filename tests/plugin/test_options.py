"""Each option of the command line, seen through a run."""

from __future__ import annotations

import hashlib
import io
import math
import zipfile

import numpy as np
import pytest
import torch

from compress_guard.codecs.jpeg import Jpeg
from compress_guard.plugin import decision
from compress_guard.records import CellResult, Evidence, seeded_fraction

FIELDS = (
    "id guard task metric codec target_bpp bpp_mean bpp_pooled rate bits settings off_target images images_used errors "
    "clean_score score drop drop_low drop_high confidence max_drop verdict outcome settled_by reason device encodes "
    "seconds"
).split()


def numbers(run):
    """Return the fields of the cells, without those of the work."""
    cost = {"seconds", "encodes", "predictions"}
    return [{key: value for key, value in cell.items() if key not in cost} for cell in run.json["cells"]]


def evidence(run, project):
    """Evidence of a run by file name."""
    named = run.json["evidence"]
    packed = (project.folder / named["file"]).read_bytes()
    assert hashlib.sha256(packed).hexdigest() == named["sha256"]
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return {name: Evidence.from_bytes(archive.read(name)) for name in archive.namelist() if name.endswith(".npz")}


@pytest.fixture
def encoded(monkeypatch):
    """Counts what JPEG's encoder is called with."""
    calls = []
    encode = Jpeg.encode

    def counted(self, images, settings, workers=1):
        calls.append((len(images), workers))
        return encode(self, images, settings, workers)

    monkeypatch.setattr(Jpeg, "encode", counted)
    return calls


# --cg-device


def test_device_cpu(project):
    project.guard("max_drop: 100, limit: 4")
    run = project.run("--cg-device=cpu")
    assert (run.code, run.cell["device"], run.json["environment"]["device"]) == (0, "cpu", "cpu")


def test_device_that_is_none(project):
    run = project.run("--cg-device=gpu")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == "ERROR: --cg-device: unknown device 'gpu'; use auto, cpu, cuda or cuda:N"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA device")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_device_that_is_not_there(project, device):
    run = project.run(f"--cg-device={device}")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == (
        f"ERROR: --cg-device: {device} asked for, but torch sees no usable CUDA device; use auto or cpu"
    )


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_device_cuda(project):
    project.guard("max_drop: 100")
    run = project.run("--cg-device=cuda")
    assert run.code == 0
    assert run.cell["device"].startswith("cuda:0 (")


# --cg-workers


def test_workers_change_nothing_but_the_threads(project, encoded):
    project.guard("max_drop: 100, limit: 8")
    one = project.run("--cg-workers=1", "--cg-no-cache")
    threads = {workers for _, workers in encoded}
    encoded.clear()
    three = project.run("--cg-workers=3", "--cg-no-cache")
    assert threads == {1}
    assert {workers for _, workers in encoded} == {3}
    assert numbers(one) == numbers(three)
    assert (one.json["environment"]["workers"], three.json["environment"]["workers"]) == (1, 3)


@pytest.mark.parametrize("option", ["--cg-workers", "--cg-limit"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_counts_are_whole_and_positive(project, option, value):
    run = project.run(f"{option}={value}")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert f"argument {option}: '{value}' is not a whole number of at least 1" in run.out


# --cg-limit, --cg-seed


def test_limit_takes_a_seeded_subset_that_grows(project):
    project.guard("max_drop: 100")
    used = {}
    for limit, seed in ((4, 0), (8, 0), (4, 7)):
        run = project.run(f"--cg-limit={limit}", f"--cg-seed={seed}")
        assert (run.cell["images"], run.cell["images_used"], run.cell["seed"]) == (limit, limit, seed)
        assert (run.json["environment"]["limit"], run.json["environment"]["seed"]) == (limit, seed)
        (clean,) = (found for name, found in evidence(run, project).items() if name.endswith(".clean.npz"))
        assert list(clean.ids) == sorted(clean.ids)
        used[limit, seed] = set(clean.ids)
    assert used[4, 0] < used[8, 0]
    assert used[4, 0] != used[4, 7]
    first = sorted(range(32), key=lambda position: seeded_fraction(0, f"position {position}"))[:4]
    assert used[4, 0] == {f"texture-{position:03d}" for position in first}


def test_the_smaller_limit_holds(project):
    project.guard("max_drop: 100, limit: 4")
    assert project.run("--cg-limit=8").cell["images"] == 4


# --cg-cache, --cg-no-cache


def test_the_second_run_encodes_nothing(project, encoded):
    project.guard("max_drop: 100, limit: 8")
    first = project.run()
    folder = project.folder / ".compress_guard"
    assert "*" in (folder / ".gitignore").read_text().splitlines()
    assert sum(count for count, _ in encoded) == round(8 * first.cell["encodes"])
    encoded.clear()
    second = project.run()
    assert sum(count for count, _ in encoded) == 0
    assert second.cell["encodes"] == 0
    assert numbers(first) == numbers(second)


def test_a_cache_folder_of_ones_own(project, encoded):
    project.guard("max_drop: 100, limit: 4")
    project.run("--cg-cache=kept")
    assert any((project.folder / "kept" / "streams").iterdir())
    assert not (project.folder / ".compress_guard").exists()
    encoded.clear()
    project.run("--cg-cache=kept")
    assert sum(count for count, _ in encoded) == 0


def test_without_cache_nothing_stays(project, monkeypatch, tmp_path):
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(decision.tempfile, "tempdir", str(temporary))
    project.guard("max_drop: 100, limit: 4")
    before = set(project.folder.iterdir())
    run = project.run("--cg-no-cache", "-p", "no:benchmark")
    assert run.code == 0
    made = {path.name for path in project.folder.iterdir() if path not in before} - {"__pycache__"}
    assert made == {"results.json", "results.evidence.zip", "junit.xml"}
    assert list(temporary.iterdir()) == []


def test_cache_and_no_cache(project):
    run = project.run("--cg-cache=kept", "--cg-no-cache")
    assert run.code == pytest.ExitCode.USAGE_ERROR
    assert run.out.strip() == "ERROR: --cg-no-cache: given together with --cg-cache; use one of them"


# --cg-json


def test_the_results_file(project):
    project.guard("max_drop: 100", defaults="codecs: [jpeg], bpp: [0.05, 0.5]")
    run = project.run()
    keys = {
        "schema",
        "environment",
        "exit_status",
        "not_measured",
        "thresholds_sha256",
        "shard",
        "all_cells",
        "cells",
        "recovery",
        "throughput",
        "traffic",
        "evidence",
    }
    assert set(run.json) == keys
    assert (run.json["schema"], run.json["recovery"], run.json["throughput"]) == ("compress-guard/1", [], [])
    unreachable, measured = run.json["cells"]
    assert set(FIELDS) <= measured.keys()
    assert set(FIELDS) <= unreachable.keys()
    assert [unreachable[key] for key in ("score", "drop", "drop_low", "images_used")] == [None] * 4
    assert measured["drop_low"] <= measured["drop"] <= measured["drop_high"]
    assert math.isclose(measured["drop"], measured["clean_score"] - measured["score"])
    assert CellResult.from_dict(measured).as_dict() == measured


def test_the_evidence_gives_the_scores(project):
    project.guard("max_drop: 100")
    run = project.run()
    parts = evidence(run, project)
    assert set(parts) == {
        f"thresholds.yaml__toy[jpeg-0.5bpp].{side}.npz" for side in ("clean", "compressed", "sources")
    }
    for side, score in (("clean", "clean_score"), ("compressed", "score")):
        found = parts[f"thresholds.yaml__toy[jpeg-0.5bpp].{side}.npz"]
        assert found.ids == tuple(f"texture-{index:03d}" for index in range(32))
        assert 100 * np.mean([item["top1"] for item in found.items]) == pytest.approx(run.cell[score])


# --cg-strict

MISSING = """
  gone: {type: command, encoder: "no-such-coder {setting} {input} {output}", decoder: "no-such-coder {input} {output}",
         settings: 1..10}
"""


def test_strict_fails_whatever_the_file_does_not_say_to_skip(project):
    project.guards(
        {
            "floor": "max_drop: 100, codecs: [jpeg], bpp: [0.05, 0.5]",
            "stated_floor": "max_drop: 100, codecs: [jpeg], bpp: [0.05, 0.5], on_unreachable: skip",
            "stated_missing": "max_drop: 100, codecs: [jpeg, gone], on_unavailable: skip",
            "unjudged": "min_score: {0.5: 1}, bpp: [0.5, 1.0]",
        },
        head=f"codecs:{MISSING.rstrip()}",
        defaults="codecs: [jpeg], bpp: [0.5], limit: 8",
    )
    lax, strict = project.run(), project.run("--cg-strict")
    skipped = {name for name, cell in lax.cells.items() if cell["outcome"] == "skipped"}
    assert (lax.code, strict.code) == (0, 1)
    assert skipped == {
        "floor[jpeg-0.05bpp]",
        "stated_floor[jpeg-0.05bpp]",
        "stated_missing[gone-0.5bpp]",
        "unjudged[jpeg-1.0bpp]",
    }
    failed = {
        name: cell["reason"].rpartition("; ")[2] for name, cell in strict.cells.items() if cell["outcome"] == "failed"
    }
    assert failed == {
        "floor[jpeg-0.05bpp]": "failed because the run is strict: to allow it, state on_unreachable: skip",
        "unjudged[jpeg-1.0bpp]": "failed because the run is strict: set max_drop or min_score",
    }
    assert {name for name, cell in strict.cells.items() if cell["outcome"] == "skipped"} == skipped - failed.keys()
    assert strict.json["environment"]["strict"] is True
