"""--cg-baseline: cells and checks against an earlier run, in one process and in workers."""

from __future__ import annotations

import json
import shutil

import pytest

WORSE = """
    import toy

    class Model(toy.Spectrum):
        def scores(self, image):
            return super().scores(image).roll(1)

    def model():
        return Model()
"""


def set_aside(project):
    """Keep the results of the last run as a baseline."""
    for name in ("results.json", "results.evidence.zip"):
        shutil.copy(project.folder / name, project.folder / name.replace("results", "base"))


KEYS = "max_drop: 100, max_regression: 5"


def test_a_run_is_compared_with_the_results_that_it_replaces(project):
    project.write("worse.py", WORSE)
    project.guard(KEYS, defaults="codecs: [jpeg], bpp: [0.5, 2]")
    mine = project.folder / "mine.json"
    project.run(f"--cg-json={mine}")
    (before,) = [cell for cell in json.loads(mine.read_text())["cells"] if "2.0bpp" in cell["id"]]
    project.guard(f"{KEYS}, model: 'worse:model'", defaults="codecs: [jpeg], bpp: [0.5, 2]")
    run = project.run(f"--cg-json={mine}", f"--cg-baseline={mine}")
    assert run.code == 1
    (cell,) = [cell for cell in json.loads(mine.read_text())["cells"] if "2.0bpp" in cell["id"]]
    assert (cell["verdict"], cell["baseline_images"], cell["baseline_paired"]) == ("fail", 32, True)
    assert cell["baseline_score"] == before["score"]
    assert cell["regression"] > 20
    properties = {part.get("name"): part.get("value") for part in run.junit["toy[jpeg-2.0bpp]"]._elem.iter("property")}
    assert json.loads(properties["cg_regression"]) == cell["regression"]
    assert json.loads(properties["cg_max_regression"]) == 5
    assert "against the baseline: top1 -" in run.out


def test_workers_compare_with_the_same_baseline(project):
    project.guard(KEYS, defaults="codecs: [jpeg, webp], bpp: [0.5, 2], on_inconclusive: pass")
    project.run()
    set_aside(project)
    run = project.fork("--cg-baseline=base.json", "-n2")
    assert run.code == 0
    assert len(run.cells) == 4
    for cell in run.cells.values():
        assert (cell["regression"], cell["drop_change"], cell["baseline_paired"]) == (0, 0, True)


OWN = """
    import toy, worse

    def test_mine(guard):
        model = {model}.model()
        guard.check(model, toy.data(), task="classification", codec="jpeg", bpp=2.0, max_regression=5)
"""


def test_a_check_of_your_own_is_compared_too(project):
    project.write("worse.py", WORSE)
    project.write("test_own.py", OWN.format(model="toy"))
    run = project.run("test_own.py")
    assert run.outcomes == {"skipped": 1}  # there is nothing to compare with yet
    set_aside(project)
    project.write("test_own.py", OWN.format(model="worse"))
    run = project.run("test_own.py", "--cg-baseline=base.json")
    assert run.outcomes == {"failed": 1}
    assert run.cell["reason"].startswith("against the baseline top1 fell by ")


def test_a_strict_run_without_a_baseline_fails(project):
    project.guard(KEYS)
    assert project.run().code == 0
    run = project.run("--cg-strict")
    assert run.code == 1
    assert "failed because the run is strict: max_regression is not judged, since the run has no baseline" in run.out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "base.json: there is no such file; name a file that --cg-json, or --json, has written"),
        (
            '{"schema": "compress-guard/1", "cells": [',
            "base.json: this file breaks off in line 1: it is truncated; copy it again, or repeat the run",
        ),
        (
            '{"totals": 3}',
            "base.json: this is a JSON document of something else: it has no schema, expected compress-guard/1; name a "
            "file that --cg-json, or --json, has written",
        ),
        (
            '{"schema": "compress-guard/9", "cells": []}',
            "base.json: its schema is compress-guard/9, and this version reads compress-guard/1; use the version of "
            "compress_guard that has written it",
        ),
        (
            '{"schema": "compress-guard/1", "cells": []}',
            "base.json has no cell of thresholds.yaml; name results of a run of this thresholds file",
        ),
    ],
)
def test_what_is_no_baseline_is_refused_before_anything_runs(project, content, message):
    project.guard(KEYS)
    if content is not None:
        project.write("base.json", content)
    run = project.run("--cg-baseline=base.json")
    assert run.code == 4
    said = run.out.replace(f"{project.folder}/", "")
    assert f"ERROR: --cg-baseline: {message}\n" in said
    assert not (project.folder / "results.json").exists()


def test_a_baseline_of_another_metric_is_refused(project):
    project.guard("max_drop: 100, metric: top5")
    project.run()
    set_aside(project)
    project.guard("max_drop: 100")
    run = project.run("--cg-baseline=base.json")
    assert run.code == 4
    assert (
        "ERROR: --cg-baseline: the metric of toy is top5 in base.json, and top1 in thresholds.yaml; name results with "
        "the same one, or run without a baseline\n"
    ) in run.out.replace(f"{project.folder}/", "")


def test_evidence_of_another_run_is_refused(project):
    project.guard(KEYS)
    project.run()
    set_aside(project)
    (project.folder / "base.evidence.zip").write_bytes(b"PK")
    (project.folder / "results.evidence.zip").unlink()
    run = project.run("--cg-baseline=base.json")
    assert run.code == 4
    assert (
        "base.json: base.evidence.zip beside it is truncated, or the evidence of another run (its sha256 differs); "
        "keep the two files of a run together\n"
    ) in run.out
