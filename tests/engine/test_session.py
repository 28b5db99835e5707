"""One run of a thresholds file: what guards share, what fixtures give, and the evidence that is left behind."""

from __future__ import annotations

import errno
import re
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compress_guard.engine.evidence_files import collect_evidence, evidence_lost
from compress_guard.engine.images.readings import pixel_hash
from compress_guard.engine.releases.names import evidence_name
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.errors import DataError, ModelError
from compress_guard.records import Cell, CodecSpec, Evidence, Guard, Rate, Thresholds

MODULE = """
    import torch

    CALLS = []

    def data():
        CALLS.append("data")
        noise = torch.Generator().manual_seed(0)
        return [
            (torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8, generator=noise), at % 2, f"n{at}")
            for at in range(6)
        ]

    def model():
        CALLS.append("model")
        return lambda images: [torch.tensor([1.0, 0.0])] * len(images)

    def broken():
        CALLS.append("broken")
        raise OSError("weights.pt")

    def text():
        return "weights"
"""


def guard(name, model, data, task="classification"):
    cells = tuple(Cell(name, CodecSpec("webp", "webp"), Rate(rate), 100.0, None, None, 1) for rate in (2.0, 4.0))
    return Guard(name, task, "top1", model, data, cells)


@pytest.fixture
def project(tmp_path, request):
    """A session of these guards, and the module behind its factories."""
    name = f"session_{abs(hash(request.node.name))}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(MODULE))
    run = tmp_path / "run"
    run.mkdir()

    def make(*guards, **settings):
        guards = tuple(
            replace(one, model=one.model.replace("M:", f"{name}:"), data=one.data.replace("M:", f"{name}:"))
            for one in guards
        )
        made = RunSettings(run, tmp_path / "store", **{"device": "cpu", "workers": 1, **settings})
        session = Session(Thresholds(str(tmp_path / "thresholds.yaml"), guards), made)

        def measure(fixtures=without_fixtures):
            return [
                session.measure(cell, f"thresholds.yaml::{cell.name}", fixtures, lambda *told: None)
                for one in guards
                for cell in one.cells
            ]

        return session, measure, lambda: sys.modules[name].CALLS

    yield make
    sys.modules.pop(name, None)


def test_a_model_and_data_are_made_once_whatever_names_them(project):
    session, measure, calls = project(guard("a", "M:model", "M:data"), guard("b", "M:model", "M:data"))
    found = measure()
    assert sorted(calls()) == ["data", "model"]
    assert [one.result.verdict for one in found] == ["pass"] * 4
    # Guards of one subject share clean predictions and the controls too: without loss, and among other neighbours.
    assert [one.result.predictions for one in found] == [24, 6, 6, 6]
    assert session.device == "cpu"


def test_a_factory_that_fails_is_tried_once_and_fails_every_cell(project):
    _, measure, calls = project(guard("a", "M:broken", "M:data"), guard("b", "M:broken", "M:data"))
    found = measure()
    assert calls().count("broken") == 1
    assert {one.result.verdict for one in found} == {"error"}
    assert all("raised OSError: weights.pt; expected it to return an object" in one.result.reason for one in found)


def test_what_a_factory_returns_is_checked(project):
    _, measure, _ = project(guard("a", "M:text", "M:data"), guard("b", "M:model", "M:text"))
    model, _, data, _ = measure()
    assert re.search(r":text: returned a str; expected a predictor", model.result.reason)
    assert isinstance(model.problem, ModelError)
    assert re.search(r"sample 0 is a str; expected \(image, target\)", data.result.reason)
    assert isinstance(data.problem, DataError)


def test_fixtures_are_looked_up_with_the_error_to_raise(project, pictures, spectrum):
    asked = []
    things = {"my_model": spectrum(), "my_data": pictures(6)}

    def lookup(name, error):
        asked.append((name, error))
        return things[name]

    _, measure, _ = project(guard("a", "fixture:my_model", "fixture:my_data"))
    assert all(one.problem is None for one in measure(lookup))
    assert sorted(asked, key=str) == [("my_data", DataError), ("my_model", ModelError)]


def test_fixtures_need_pytest(project):
    _, measure, _ = project(guard("a", "M:model", "fixture:my_data"))
    message = "fixture:my_data needs pytest; run `pytest --compress-guard` or name a factory package.module:callable"
    assert [one.result.reason for one in measure()] == [message] * 2


# Evidence of the run


def test_evidence_is_kept_where_it_is_wanted(project, tmp_path):
    _, measure, _ = project(guard("a", "M:model", "M:data"), keep_evidence=True)
    found = measure()
    files = collect_evidence(tmp_path / "run")
    assert sorted(files) == [
        f"thresholds.yaml__a[webp-{rate}bpp].{part}"
        for rate in ("2.0", "4.0")
        for part in ("changes.json", "clean.npz", "compressed.npz", "sources.npz")
    ]
    for one in found:
        name = evidence_name(one.result.id)
        for side, evidence in (("clean", one.clean_evidence), ("compressed", one.evidence)):
            assert Evidence.from_bytes(files[f"{name}.{side}.npz"]).to_bytes() == evidence.to_bytes()


def test_evidence_names_its_sources_by_their_pixels_and_targets(project, tmp_path):
    _, measure, _ = project(guard("a", "M:model", "M:data"), keep_evidence=True)
    first, second = (one.sources for one in measure())
    kept = collect_evidence(tmp_path / "run")["thresholds.yaml__a[webp-2.0bpp].sources.npz"]
    assert Evidence.from_bytes(kept).to_bytes() == first.to_bytes() == second.to_bytes()
    noise = torch.Generator().manual_seed(0)
    images = [torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8, generator=noise) for _ in range(6)]
    assert first.ids == tuple(f"n{at}" for at in range(6))
    assert [item["pixels"].tobytes() for item in first.items] == [pixel_hash(image) for image in images]
    targets = [item["target"].tobytes() for item in first.items]
    assert targets == targets[:2] * 3
    assert targets[0] != targets[1]


def test_no_evidence_is_kept_where_nobody_asked_or_nothing_was_measured(project, tmp_path):
    _, measure, _ = project(guard("a", "M:model", "M:data"))
    measure()
    assert collect_evidence(tmp_path / "run") == {}
    _, measure, _ = project(guard("a", "M:broken", "M:data"), keep_evidence=True)
    measure()
    assert collect_evidence(tmp_path / "run") == {}


def test_evidence_that_found_no_room_is_left_out_whole_and_told(project, tmp_path, monkeypatch):
    write_bytes = Path.write_bytes

    def full(path, data):
        if "2.0bpp" in path.name and "compressed.npz" in path.name:
            write_bytes(path, data[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    _, measure, _ = project(guard("a", "M:model", "M:data"), keep_evidence=True)
    results = [one.result for one in measure()]
    assert [result.verdict for result in results] == ["pass", "pass"]
    kept = collect_evidence(tmp_path / "run")
    assert {name.partition("]")[0] for name in kept} == {"thresholds.yaml__a[webp-4.0bpp"}
    assert evidence_lost(tmp_path / "run", results, kept) == (
        "the evidence of 1 of 2 cells is not beside their results, the first: thresholds.yaml::a[webp-2.0bpp]; "
        f"{tmp_path} had no room for it: make some, or let TMPDIR name another folder"
    )
    assert evidence_lost(tmp_path / "run", results[1:], kept) is None


def test_no_two_cells_share_a_file():
    ids = [
        "t.py::f[a/b]",
        "t.py::f[a_b]",
        "t.py::f[a:b]",
        "t.py::f[a b]",
        "t.py::f[ä]",
        "x" * 300 + "1",
        "x" * 300 + "2",
    ]
    names = [evidence_name(one) for one in ids]
    assert len(set(names)) == len(ids)
    assert all(re.fullmatch(r"[\w.%\[\]-]{1,230}", name) for name in names)
