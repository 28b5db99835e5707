"""The benchmark of a whole gate: what it counts, and what it holds it against."""

from __future__ import annotations

import textwrap

import pytest

from benchmarks.gate import pipeline
from benchmarks.gate.pipeline import Run, Way

MODULE = """
    import torch

    def data():
        noise = torch.Generator().manual_seed(0)
        return [
            (torch.randint(0, 256, (3, 48, 48), dtype=torch.uint8, generator=noise), at % 2, f"n{at}")
            for at in range(12)
        ]

    def model():
        return lambda images: [torch.stack([one.float().mean(), torch.tensor(127.5)]) for one in images]
"""
FILE = """
    version: 1
    defaults: {codecs: [jpeg, webp], bpp: [3.0, 4.0]}
    guards:
      toys: {task: classification, model: "pipeline_toy:model", data: "pipeline_toy:data", fingerprint: v1}
"""


def test_each_run_is_held_against_the_work_it_cannot_avoid(monkeypatch, tmp_path):
    monkeypatch.setattr(pipeline, "cores", lambda: 2)
    spent = {"encode": 10.0, "decode": 20.0, "predict": 30.0}
    found = {
        Way(serial=True): Run(90.0, 100.0, 60, spent),
        Way(): Run(36.0, 100.0, 60, {}),
        Way(parted=True): Run(33.0, 100.0, 60, {}),
        Way(fingerprints=False): Run(40.0, 0.0, 60, {}),
    }
    folders = []

    def run(path, way, cache, limit):
        folders.append(cache)
        return found[way]

    told, _, _, _, cold, parted, again, fresh, _ = pipeline.table(tmp_path, None, run)
    assert told.startswith("CPU seconds on one thread: encoding 10, decoding 20, prediction 30")
    assert cold == "| cold, one process | 100 | 60 | 36 | (coding + prediction) / 2 cores: 30 s | 1.20 | 1.15 |"
    assert parted == (
        "| cold, OMP_NUM_THREADS=1 pytest -n 2 | 100 | 60 | 33 | (coding + prediction) / 2 cores: 30 s | 1.10 | 1.15 |"
    )
    assert again == "| again | 100 | 60 | 36 | the first cold run: 36 s | 1.00 |  |"
    assert fresh == "| new models, streams kept | 0 | 60 | 40 | decoding + prediction: 50 s | 0.80 | 1.15 |"
    serial, first, others = folders[0], folders[1], folders[2]
    assert len({serial, first, others}) == 3
    assert first == folders[3] == folders[4]


def test_the_runs_themselves(tmp_path):
    (tmp_path / "pipeline_toy.py").write_text(textwrap.dedent(MODULE))
    path = tmp_path / "thresholds.yaml"
    path.write_text(textwrap.dedent(FILE))
    serial = pipeline.measure(path, Way(serial=True), tmp_path / "one", None)
    assert set(serial.spent) == {"encode", "decode", "predict"}
    assert all(seconds > 0 for seconds in serial.spent.values())
    cold = pipeline.measure(path, Way(), tmp_path / "other", None)
    assert (cold.encodes, cold.predictions, cold.spent) == (serial.encodes, serial.predictions, {})
    again = pipeline.measure(path, Way(), tmp_path / "other", None)
    # The probing batch, which is all images here, and the first batch again of the control and of four cells.
    assert (again.encodes, again.predictions) == (0, 12 * 6)
    fresh = pipeline.measure(path, Way(fingerprints=False), tmp_path / "other", None)
    assert fresh.encodes == 0
    assert fresh.predictions == 12 * 7  # clean, lossless, other neighbours, four cells


def test_a_run_with_errors_has_no_figures(tmp_path):
    path = tmp_path / "thresholds.yaml"
    path.write_text(textwrap.dedent(FILE).replace("pipeline_toy", "not_there"))
    with pytest.raises(SystemExit, match=r"toys\[jpeg-3.0bpp\]: .*; a run with errors has no figures"):
        pipeline.measure(path, Way(), tmp_path / "cache", None)
