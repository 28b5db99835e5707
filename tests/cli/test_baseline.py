"""`compress-guard run --baseline`: each cell against the same cell of an earlier run."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from compress_guard.records import Evidence

MODELS = '''
import torch, toy

class Worse(toy.Spectrum):
    """Wrong about the first images of the data, whatever they show."""

    def __init__(self, wrong):
        self.wrong = wrong

    def scores(self, image):
        scores = super().scores(image)
        known = (toy.texture(other)[0].float().mean(0) for other in range(self.wrong))
        same = any((other - image).abs().mean() < 12 for other in known)
        return -scores if same else scores

def one(): return Worse(1)
def eight(): return Worse(8)
'''


@pytest.fixture
def release(command, guards, folder):
    """Runs one guard with this model and these keys, its results in this file; the run and its results."""
    (folder / "models.py").write_text(MODELS)

    def run(name: str, *arguments: str, model: str = "toy:model", keys: str = "max_drop: 100", **other: str):
        guards(other.get("defaults", "codecs: [jpeg], bpp: [2]"), toy=f"model: '{model}', {keys}")
        file = Path("thresholds.yaml")
        file.write_text(file.read_text().replace("toy:data", other.get("data", "toy:data")))
        done = command("run", f"--json={name}", "--device=cpu", "--no-cache", *arguments)
        document = json.loads(Path(name).read_text()) if Path(name).exists() else {"cells": [None]}
        return done, document["cells"][0]

    return run


def evidence(name: str, part: str) -> Evidence:
    with zipfile.ZipFile(f"{Path(name).stem}.evidence.zip") as archive:
        return Evidence.from_bytes(archive.read(f"thresholds.yaml__toy[jpeg-2.0bpp].{part}.npz"))


def test_the_changes_are_the_means_of_the_differences_of_each_image(release):
    _, before = release("base.json", model="models:one")
    done, now = release("head.json", "--baseline=base.json", model="models:eight")
    flags = {
        (name, part): [float(item["top1"]) for item in evidence(name, part).items]
        for name in ("base.json", "head.json")
        for part in ("clean", "compressed")
    }
    falls = [a - b for a, b in zip(flags["base.json", "compressed"], flags["head.json", "compressed"], strict=True)]
    assert now["regression"] == pytest.approx(100 * sum(falls) / 32)
    assert now["regression"] == pytest.approx(before["score"] - now["score"])
    assert now["regression"] > 15
    assert now["drop_change"] == pytest.approx(now["drop"] - before["drop"])
    assert now["regression_low"] < now["regression"] < now["regression_high"]
    assert now["drop_change_low"] <= now["drop_change"] <= now["drop_change_high"]
    assert (now["baseline_images"], now["baseline_paired"], now["baseline_remark"]) == (32, True, None)
    assert now["baseline_score"] == before["score"]
    assert (done.code, now["verdict"], now["max_regression"]) == (0, "pass", None)


def test_without_a_baseline_nothing_is_compared(release):
    _, cell = release("head.json")
    names = [name for name in cell if name.startswith(("regression", "baseline", "drop_change"))]
    assert len(names) == 10
    assert [cell[name] for name in names] == [None] * 10


@pytest.mark.parametrize(
    ("limit", "model", "verdict"),
    [(1, "models:eight", "fail"), (60, "models:eight", "pass"), (1, "toy:model", "inconclusive")],
)
def test_a_limit_on_the_fall_is_judged_by_its_interval(release, limit, model, verdict):
    release("base.json")
    done, cell = release(
        "head.json", "--baseline=base.json", model=model, keys=f"max_drop: 100, max_regression: {limit}"
    )
    assert cell["verdict"] == verdict
    assert done.code == (1 if verdict == "fail" else 0)
    assert cell["max_regression"] == limit
    low, high = cell["regression_low"], cell["regression_high"]
    assert {"fail": low > limit, "pass": high <= limit, "inconclusive": low <= limit < high}[verdict]


def test_the_reason_names_the_baseline_first_where_that_fails(release):
    release("base.json")
    done, cell = release(
        "head.json", "--baseline=base.json", model="models:eight", keys="max_drop: 100, max_regression: 1"
    )
    low, high = (f"{cell[name]:.1f}" for name in ("regression_low", "regression_high"))
    fell = f"{cell['regression']:.1f} points ({cell['baseline_score']:.1f} to {cell['score']:.1f}"
    assert cell["reason"].startswith(
        f"against the baseline top1 fell by {fell}, 95 % interval {low} to {high}), allowed 1.0; top1 "
    )
    assert f"against the baseline: top1 -{cell['regression']:.1f} ({low} to {high}), allowed 1.0" in done.err


def test_a_guard_may_have_no_other_limit(release, guards):
    release("base.json")
    done, cell = release("head.json", "--baseline=base.json", keys="max_regression: 60")
    assert (done.code, cell["verdict"]) == (0, "pass")
    assert "no limit is set" not in cell["reason"]


NEEDS = (
    "max_regression is not judged, since the run has no baseline; name results of an earlier run by --cg-baseline, or "
    "--baseline of compress-guard run"
)


def test_a_limit_without_a_baseline_is_said_and_fails_a_strict_run(release):
    done, cell = release("head.json", keys="max_drop: 100, max_regression: 1")
    assert (done.code, cell["verdict"], cell["doubts"]) == (0, "pass", [NEEDS])
    assert NEEDS in done.out
    done, cell = release("head.json", "--strict", keys="max_drop: 100, max_regression: 1")
    assert (done.code, cell["outcome"]) == (1, "failed")
    assert f"failed because the run is strict: {NEEDS}" in cell["reason"]


def test_a_guard_whose_only_limit_has_no_baseline_gates_nothing(release):
    done, cell = release("head.json", keys="max_regression: 1")
    assert (done.code, cell["verdict"], cell["outcome"]) == (1, "unjudged", "skipped")
    assert cell["reason"].endswith(f"; skipped: {NEEDS}")
    done, cell = release("head.json", "--strict", keys="max_regression: 1")
    assert (done.code, cell["outcome"]) == (1, "failed")
    assert cell["reason"].endswith(f"; failed because the run is strict: {NEEDS}")


def test_a_baseline_at_the_path_of_the_results_is_read_first(release):
    _, before = release("head.json", model="models:one")
    _, now = release("head.json", "--baseline=head.json", model="models:eight")
    assert now["baseline_score"] == before["score"] != now["score"]
    assert now["baseline_paired"] is True
    # And the file that was set aside is one, too.
    _, again = release("other.json", "--baseline=head.json.previous", model="models:eight")
    assert again["baseline_score"] == before["score"]
    assert again["baseline_paired"] is True


def test_only_images_with_the_same_pixels_and_target_are_compared(release, folder):
    release("base.json")
    (folder / "other.py").write_text(
        "import toy\n"
        "def data():\n"
        "    images = toy.data()\n"
        "    image, label, name = images[0]\n"
        "    images[0] = (image.clone().flip(-1), label, name)\n"
        "    images[1] = (images[1][0], 3, images[1][2])\n"
        "    images[2] = (*images[2][:2], 'renamed')\n"
        "    return images\n"
    )
    _, now = release("head.json", "--baseline=base.json", data="other:data")
    assert (now["baseline_images"], now["images_used"], now["baseline_paired"]) == (29, 32, True)


def test_a_baseline_of_other_data_is_an_error(release, folder):
    (folder / "other.py").write_text("import toy\ndef data(): return [(255 - x, y, n) for x, y, n in toy.data()]\n")
    both = "codecs: [jpeg], bpp: [1, 2]"
    release("base.json", defaults=both)
    done, now = release("head.json", "--baseline=base.json", data="other:data", defaults=both)
    assert (done.code, now["verdict"]) == (1, "error")
    assert now["reason"] == (
        "the baseline is of other data: it has none of these 32 images (32 have the same id, 32 with other "
        "pixels, such as texture-000); name results on the same images, or run without a baseline"
    )
    # All cells of the guard say it in the same words.
    first, second = json.loads(Path("head.json").read_text())["cells"]
    assert (first["reason"], first["verdict"]) == (second["reason"], second["verdict"])
    (folder / "renamed.py").write_text("import toy\ndef data(): return [(x, y, n + 'b') for x, y, n in toy.data()]\n")
    _, now = release("head.json", "--baseline=base.json", data="renamed:data", defaults=both)
    why = "no id is the same: the first is texture-000 there, and texture-000b here"
    assert f"none of these 32 images ({why}); name results" in now["reason"]


def without_sources(name: str) -> None:
    """Leave the evidence as an earlier version has written it."""
    path = Path(f"{Path(name).stem}.evidence.zip")
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist() if ".sources." not in part}
    with zipfile.ZipFile(path, "w") as archive:
        for part, data in parts.items():
            archive.writestr(part, data)
    document = json.loads(Path(name).read_text())
    document["evidence"]["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    Path(name).write_text(json.dumps(document))


@pytest.mark.parametrize("left", ["evidence", "sources"])
def test_what_cannot_be_paired_is_compared_by_its_scores_and_said(release, left):
    _, before = release("base.json")
    if left == "evidence":
        Path("base.evidence.zip").unlink()
        why = "not compared image by image: the evidence of the baseline is not beside its results"
    else:
        without_sources("base.json")
        why = "not compared image by image: the baseline does not say which images it had"
    done, now = release(
        "head.json", "--baseline=base.json", model="models:eight", keys="max_drop: 100, max_regression: 40"
    )
    assert (now["baseline_paired"], now["baseline_images"], now["baseline_remark"]) == (False, None, why)
    assert now["regression"] == pytest.approx(before["score"] - now["score"])
    assert now["drop_change"] == pytest.approx(now["drop"] - before["drop"])
    assert now["verdict"] == "inconclusive"
    assert why in done.out
    release("base.json")
    _, paired = release(
        "head.json", "--baseline=base.json", model="models:eight", keys="max_drop: 100, max_regression: 40"
    )
    assert paired["regression_high"] - paired["regression_low"] < now["regression_high"] - now["regression_low"]


def test_a_cell_that_the_baseline_lacks_is_not_compared(release):
    release("base.json")
    _, now = release(
        "head.json",
        "--baseline=base.json",
        "--only=*1.0bpp*",
        defaults="codecs: [jpeg], bpp: [1, 2]",
        keys="max_drop: 100, max_regression: 5",
    )
    assert (now["verdict"], now["regression"]) == ("pass", None)
    assert now["baseline_remark"] == "the baseline has no such cell"
    assert now["doubts"] == ["max_regression is not judged: the baseline has no such cell"]


def test_results_of_another_folder_s_thresholds_file_are_a_baseline_too(release):
    release("base.json")
    text = Path("base.json").read_text().replace('"thresholds.yaml::', '"ci/thresholds.yaml::')
    Path("base.json").write_text(text)
    _, now = release("head.json", "--baseline=base.json")
    assert now["regression"] == 0
    assert now["baseline_paired"] is False  # evidence goes by the id of the cell, which is another one here


def test_a_folder_of_results_is_a_baseline(release, folder):
    release("reports/a.json", "--only=*2.0bpp*", defaults="codecs: [jpeg], bpp: [1, 2]")
    release("reports/b.json", "--only=*1.0bpp*", defaults="codecs: [jpeg], bpp: [1, 2]")
    Path("reports/coverage.json").write_text("[1, 2]")
    release("head.json", "--baseline=reports", defaults="codecs: [jpeg], bpp: [1, 2]")
    cells = json.loads(Path("head.json").read_text())["cells"]
    assert [cell["baseline_paired"] for cell in cells] == [True, True]
    shutil.copy("reports/a.json", "reports/c.json")
    done, _ = release("head.json", "--baseline=reports")
    assert done.code == 4
    assert done.err == (
        "compress-guard: --baseline: reports: a.json and c.json both have the cell thresholds.yaml::toy[jpeg-2.0bpp]; "
        "name one file, or keep the results of one run in the folder\n"
    )
