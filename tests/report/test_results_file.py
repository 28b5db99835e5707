from __future__ import annotations

import hashlib
import json
import os
import re
import zipfile
from dataclasses import replace

import pytest

from compress_guard.engine.settings import RunSettings
from compress_guard.errors import RunError
from compress_guard.records import CellResult, Scores, SliceResult
from compress_guard.report import document, environment, write

CONTRACT = [
    "id",
    "guard",
    "task",
    "metric",
    "codec",
    "target_bpp",
    "bpp_mean",
    "bpp_pooled",
    "rate",
    "bits",
    "settings",
    "off_target",
    "images",
    "images_used",
    "errors",
    "clean_score",
    "score",
    "drop",
    "drop_low",
    "drop_high",
    "confidence",
    "max_drop",
    "verdict",
    "outcome",
    "settled_by",
    "reason",
    "device",
    "encodes",
    "seconds",
]


@pytest.fixture
def settings(tmp_path):
    return RunSettings(run_folder=tmp_path, store_folder=tmp_path, device="cpu", workers=2, seed=7)


def test_a_document_has_the_keys_of_the_contract(every_verdict):
    made = document(every_verdict, {"python": "3.11"})
    assert (made["schema"], made["environment"]) == ("compress-guard/1", {"python": "3.11"})
    assert (made["recovery"], made["throughput"], made["evidence"]) == ([], [], None)
    assert len(made["cells"]) == len(every_verdict)
    for found in made["cells"]:
        assert set(CONTRACT) <= set(found)
        assert set(found) == set(CellResult.field_names())
    assert made["cells"][0]["drop"] is None


def test_a_file_gives_the_results_back(every_verdict, tmp_path):
    target = tmp_path / "made" / "for it" / "results.json"
    write(target, every_verdict, {}, {})
    read = json.loads(target.read_text(encoding="utf-8"))
    assert [CellResult.from_dict(found) for found in read["cells"]] == every_verdict
    assert [path.name for path in target.parent.iterdir()] == ["results.json"]


def test_slices_worst_images_and_controls_come_back_too(cell, tmp_path):
    slices = (
        SliceResult("weather", "night", 33, 0.975, "fail", 90.0, 78.0, 12.0, 8.0, 16.0, 5.0),
        SliceResult("weather", "fog", 0, 0.95, "unjudged"),
    )
    found = cell(
        "jpeg", 1, "fail", "failed", 1.0, slices=slices, worst=(("a", 0.5), ("b", 0.25)), stopped_early=True,
        swap_decoder="torchvision 0.29", swap_score=75.0, resolvable_drop=4.9, control_images=96, control_changed=0,
    )  # fmt: skip
    write(tmp_path / "r.json", [found], {}, {})
    (read,) = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))["cells"]
    assert CellResult.from_dict(read) == found
    assert read["slices"][1]["drop"] is None


def test_words_stay_readable_in_the_file(cell, tmp_path):
    write(tmp_path / "r.json", [cell("jpeg", 1, drop=1.0, reason="größer")], {}, {})
    assert "größer" in (tmp_path / "r.json").read_text(encoding="utf-8")


def test_a_number_that_is_none_is_refused_by_place(cell):
    found = [cell("jpeg", 1, drop=1.0), cell("jpeg", 2, drop=1.0, drop_high=float("inf"))]
    with pytest.raises(ValueError, match=r"^cells\[1\]\.drop_high is inf; a number that was not measured is None$"):
        document(found, {})
    with pytest.raises(ValueError, match=r"^environment\.load is nan;"):
        document([], {"load": float("nan")})
    part = SliceResult("weather", "night", 3, 0.95, "unjudged", drop=float("nan"))
    with pytest.raises(ValueError, match=r"^cells\[0\]\.slices\[0\]\.drop is nan;"):
        document([cell("jpeg", 1, drop=1.0, slices=(part,))], {})


def test_evidence_lies_beside_the_file_and_belongs_to_it(cell, tmp_path):
    evidence = {"photos[jpeg-1.0bpp].clean.npz": b"clean", "photos[jpeg-1.0bpp].compressed.npz": b"compressed"}
    write(tmp_path / "results.json", [cell("jpeg", 1, drop=1.0)], {}, evidence)
    beside = tmp_path / "results.evidence.zip"
    with zipfile.ZipFile(beside) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == evidence
    first = beside.read_bytes()
    assert json.loads((tmp_path / "results.json").read_text())["evidence"] == {
        "file": "results.evidence.zip",
        "sha256": hashlib.sha256(first).hexdigest(),
    }
    write(tmp_path / "results.json", [], {}, dict(reversed(evidence.items())))
    assert beside.read_bytes() == first


def test_a_run_without_evidence_leaves_none_of_an_earlier_run(tmp_path):
    write(tmp_path / "results.json", [], {}, {"a.npz": b"old"})
    write(tmp_path / "results.json", [], {}, {})
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_write_that_fails_leaves_the_old_file(cell, tmp_path, monkeypatch):
    target = tmp_path / "results.json"
    write(target, [], {}, {})
    old = target.read_bytes()

    def full(handle, mode):
        os.close(handle)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fdopen", full)
    with pytest.raises(RunError) as caught:
        write(target, [cell("jpeg", 1, drop=1.0)], {}, {})
    assert str(caught.value) == (
        f"{target}: results cannot be written (No space left on device); name a file in a folder that can be written"
    )
    assert target.read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["results.json"]


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path):
    with pytest.raises(RunError, match="results cannot be written"):
        write(tmp_path, [], {}, {})


def test_the_file_can_be_read_by_others(tmp_path):
    mask = os.umask(0o022)
    try:
        write(tmp_path / "results.json", [], {}, {})
    finally:
        os.umask(mask)
    assert (tmp_path / "results.json").stat().st_mode & 0o777 == 0o644


def test_the_environment_names_what_a_result_depends_on(settings):
    import numpy as np

    made = environment(settings)
    assert made["packages"]["numpy"] == np.__version__
    assert {"compress-guard", "pytest"} <= set(made["packages"])
    assert (made["device"], made["workers"], made["seed"], made["limit"], made["strict"]) == ("cpu", 2, 7, None, False)
    assert json.loads(json.dumps(made, allow_nan=False)) == made


def test_the_environment_imports_nothing_heavy():
    import subprocess
    import sys

    code = (
        "import sys, pathlib; from compress_guard import report;"
        "from compress_guard.engine.settings import RunSettings;"
        "p = pathlib.Path('.'); report.environment(RunSettings(p, p));"
        "print({'torch', 'PIL', 'pytest', 'numpy', 'torchvision'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"


def test_what_json_does_not_have_costs_its_own_cell_and_not_the_file(tmp_path, every_verdict):
    first, second, *_ = every_verdict
    broken = replace(first, scores=Scores(drop=float("nan"), clean_score=object()), reason="top1 fell")
    path = tmp_path / "r.json"
    message = f"{path}: cells[0].clean_score is of type object; this is a fault of compress_guard: please report it"
    with pytest.raises(RunError, match=f"^{re.escape(message)}$"):
        write(path, [broken, second], {"python": "3.11"}, {})
    one, other = json.loads(path.read_text())["cells"]
    assert (one["verdict"], one["outcome"], one["drop"], one["clean_score"]) == ("error", "failed", None, None)
    assert one["reason"] == ("cells[0].clean_score is of type object, which no result can be; before that: top1 fell")
    assert other == json.loads(json.dumps(second.as_dict()))


def test_text_that_is_no_utf_8_comes_back_as_it_was(tmp_path, every_verdict):
    path, name = tmp_path / "r.json", "caf\udce9/thresholds.yaml::toy[jpeg-0.5bpp]"
    write(path, [replace(every_verdict[0], id=name)], {"python": "3.11"}, {})
    assert json.loads(path.read_bytes())["cells"][0]["id"] == name
