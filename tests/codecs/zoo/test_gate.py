"""Learned codecs in the gate: by name, with their bits labelled, and imported only where they are named."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch

import compress_guard
from compress_guard.engine.coding.available import build_codec
from compress_guard.errors import CodecUnavailable, OptionError
from compress_guard.records import CodecSpec

# Measures a cell of a thresholds file that names jpeg only, the way the gate does.
CELL = """
import json, sys
from pathlib import Path
import torch
from compress_guard.engine.session import Session, without_fixtures
from compress_guard.engine.settings import RunSettings
from compress_guard.thresholds import load

folder = Path(sys.argv[1])
thresholds = load(folder / "thresholds.yaml")
session = Session(thresholds, RunSettings(run_folder=folder / "run", store_folder=folder / "store", device="cpu"))
cell = thresholds.guards[0].cells[0]
result = session.measure(cell, cell.name, without_fixtures, lambda *_: None).result
print(json.dumps([result.verdict, sorted({name.split(".")[0] for name in sys.modules})]))
"""
TOY = """
import torch

def model():
    return lambda images: [torch.eye(2)[int(image.float().mean() > 127)] for image in images]

def data():
    return [(torch.full((3, 64, 64), 40 + 170 * (i % 2), dtype=torch.uint8), i % 2) for i in range(8)]
"""


class Halves:
    """Dark and bright pictures."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, at: int):
        if at >= 8:
            raise IndexError(at)
        generator = torch.Generator().manual_seed(at)
        noise = torch.randint(0, 100, (3, 64, 64), generator=generator)
        return (noise + 150 * (at % 2)).to(torch.uint8), at % 2, str(at)


def bright(images):
    return [torch.eye(2)[int(image.float().mean() > 120)] for image in images]


@pytest.fixture
def checkpoint(made, tmp_path, monkeypatch) -> str:
    """The name of a codec of one's own, two levels."""
    for name, channels in (("a.pth", 4), ("b.pth", 9)):
        (tmp_path / name).write_bytes(made("bmshj2018-factorized", channels))
    monkeypatch.chdir(tmp_path)
    return "compressai:a.pth,b.pth?arch=bmshj2018-factorized&N=8"


def test_compress_takes_a_name_with_options(checkpoint) -> None:
    images = [image for image, _, _ in Halves()]
    done = compress_guard.compress(images, codec=checkpoint, bpp=0.3, rate="dataset")
    assert done.bits == "coded"
    assert set(done.settings) <= {1.0, 2.0}
    assert done.bpp == [8 * len(stream) / 64**2 for stream in done.streams]
    with pytest.raises(OptionError, match="says arch, and so do its options; keep one of them"):
        compress_guard.compress(images, codec=checkpoint, arch="mbt2018")


def test_measure_labels_what_was_estimated(shelf) -> None:
    name = "zoo:mbt2018?levels=1..3"
    result = compress_guard.measure(
        bright, Halves(), task="classification", codec=name, bpp=0.047, rate_tolerance=0.2, device="cpu"
    )
    assert result.codec == name
    assert result.id == f"measure[{name}-0.047bpp]"
    assert result.bits == "estimated"
    assert result.bpp_mean == pytest.approx(0.047, rel=0.2)
    assert "mbt2018 mse, weights" in (result.codec_version or "")


def test_missing_weights_are_a_verdict_of_their_own(tables) -> None:
    with pytest.raises(CodecUnavailable, match=r"^mbt2018-mean-1-[0-9a-f]{8}\.pth\.tar is missing in "):
        compress_guard.measure(
            bright, Halves(), task="classification", codec="zoo:mbt2018-mean?levels=1..3", bpp=0.3, device="cpu"
        )


def test_what_python_must_not_set_is_no_option() -> None:
    with pytest.raises(OptionError) as caught:
        build_codec(CodecSpec("zoo", "zoo", (("_place", "cuda:0"), ("model", "mbt2018"))))
    assert str(caught.value) == (
        "unknown option of codec zoo '_place'; known: bits, download, levels, metric, model, weights"
    )


def test_a_gate_of_jpeg_imports_no_learned_codec(tmp_path) -> None:
    file = {
        "version": 1,
        "defaults": {"codecs": ["jpeg"], "bpp": [1]},
        "guards": {"toy": {"task": "classification", "model": "toy:model", "data": "toy:data"}},
    }
    (tmp_path / "thresholds.yaml").write_text(json.dumps(file))
    (tmp_path / "toy.py").write_text(TOY)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CELL, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, "")
    verdict, loaded = json.loads(done.stdout)
    assert verdict in ("unjudged", "unreachable"), verdict
    assert "PIL" in loaded
    assert not {"compressai", "torch_geometric", "safetensors"} & set(loaded)
