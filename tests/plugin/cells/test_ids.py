"""Images whose names are no UTF-8, hold control characters or are very long: gated like any other, and told apart."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

CODE = """
    import toy

    NAMES = ["caf\\udce9.png", "caf\\\\udce9.png", "caf\\udce8.png", "a\\0", "a", "a\\n", "\\x1b[31mred", "x" * 300_000]

    class Own:
        def __init__(self, name): self.name = name
        def __str__(self): return self.name

    def data():
        return [(picture, label, name) for (picture, label, _), name in zip(toy.data()[:8], NAMES)]

    def objects():
        return [(picture, label, Own(name)) for picture, label, name in data()]

    def wrong():
        return [(picture, {"cat": label}, name) for picture, label, name in data()]

    def slicer(target, name):
        assert name in NAMES, "a slicer gets the name as the data set has it"
        return name[:5]

    def words(target, name):
        return "日本語"
"""
SHOWN = ["caf\\udce9.png", "caf\\\\udce9.png", "caf\\udce8.png", "a\\x00", "a", "a\\x0a", "\\x1b[31mred"]


@pytest.fixture
def odd(project):
    project.write("odd.py", CODE)
    project.guards(
        {
            "toy": 'data: "odd:data", max_drop: 100, slices: {s: odd:slicer}',
            "objects": 'data: "odd:objects", max_drop: 100',
            "wrong": 'data: "odd:wrong", max_drop: 100, max_error_share: 0.9',
        }
    )
    return project


def check(project, run):
    assert run.code == 1
    assert [cell["verdict"] for cell in run.cells.values()] == ["pass", "pass", "error"]
    assert len(run.cells["toy[jpeg-0.5bpp]"]["slices"]) == 8
    archive = zipfile.ZipFile(project.folder / "results.evidence.zip")
    name = next(name for name in archive.namelist() if "toy" in name and name.endswith("compressed.npz"))
    ids = np.load(io.BytesIO(archive.read(name)))["ids"].tolist()
    assert ids[:7] == SHOWN
    assert ids[7].startswith("xxx")
    assert len(ids[7]) <= 1000
    assert "sample 0 (id caf\\udce9.png): target of a 3x96x96 image is a dict" in run.out


def test_names_of_every_kind_are_gated_and_kept(odd):
    check(odd, odd.run())


@pytest.mark.slow
def test_they_come_back_from_workers_too(odd):
    check(odd, odd.fork("-n", "2"))


def test_the_command_keeps_them_too(odd):
    done = odd.fork("run", "thresholds.yaml", "--json", "results.json", program="compress_guard")
    assert done.code == 1
    document = json.loads((odd.folder / "results.json").read_text(encoding="utf-8"))
    assert [cell["verdict"] for cell in document["cells"]] == ["pass", "pass", "error"]
    assert "sample 0 (id caf\\udce9.png)" in document["cells"][2]["reason"]


def test_a_terminal_without_unicode_is_no_trouble(odd, monkeypatch):
    odd.guards({"toy": "max_drop: 100", "slices": 'data: "odd:data", max_drop: 100, slices: {s: odd:words}'})
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    run = odd.start()
    assert (run.code, len(run.cells)) == (0, 2)
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    done = odd.start("run", "thresholds.yaml", "--json", "results.json", program="compress_guard")
    assert (done.code, "Traceback" in done.out) == (0, False)
    assert "\\u65e5" in done.out
    assert len(json.loads((odd.folder / "results.json").read_text(encoding="utf-8"))["cells"]) == 2
