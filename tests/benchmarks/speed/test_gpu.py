"""The table of what a GPU brings: what it holds against what, tried without one."""

from __future__ import annotations

import json
import textwrap
from collections import defaultdict
from pathlib import Path

import pytest
import torch

from benchmarks.speed import apart, gpu, loop
from benchmarks.speed.apart import Apart
from benchmarks.speed.codecs import Findings, Job, Row
from benchmarks.speed.gpu import Gate, Ran, Ways
from benchmarks.speed.loop import Looped, Pace
from compress_guard.codecs.jpeg import Jpeg
from compress_guard.engine import session
from compress_guard.registry import CODECS

MODULE = """
    import torch

    def data():
        noise = torch.Generator().manual_seed(0)
        return [
            (torch.randint(0, 256, (3, 48, 48), dtype=torch.uint8, generator=noise), at % 2, f"n{at}")
            for at in range(12)
        ]

    class Model:
        batch_size = 5

        def __call__(self, images):
            return [torch.stack([one.float().mean(), torch.tensor(127.5)]) for one in images]

    def model():
        return Model()
"""


def made_up(**ways):
    """Figures of nothing, and those that a test cares about."""
    nothing = {
        "pace": lambda job, side: "not here",
        "speed": lambda job: Findings((), unavailable="not here"),
        "gate": lambda run: Ran(1.0, 1),
        "apart": lambda run: Apart(1.0, 0.0, 1.0),
    }
    return Ways(**{**nothing, **ways})


def job(codec="neural", device="cuda:0", **other):
    given = {"rates": (0.5,), "folder": None, "limit": 2, "batch": 2, "repeats": 2, "workers": 1}
    return Job(codec, device, **{**given, **other})


# Learned codecs


def test_the_bundled_codec_is_held_against_ten_times_the_loop():
    found = {"neural": Pace(0.51, 120.0, 10.0, 6.0), "zoo:mbt2018-mean": Pace(0.4, 30.0, 12.0, 8.0)}
    jobs = [job("neural"), job("zoo:mbt2018-mean"), job("zoo:bmshj2018-hyperprior")]
    rows = list(gpu.paces(jobs, 512, made_up(pace=lambda one, side: found.get(one.codec, f"no weights for {side}"))))
    assert rows[2:] == [
        "| neural | 0.51 | 2 | 120 | 10 | 6 | 12.00 | 10 |",
        "| zoo:mbt2018-mean | 0.40 | 2 | 30 | 12 | 8 | 2.50 |  |",
        "",
        "- zoo:bmshj2018-hyperprior: not measured: no weights for 512",
        "",
    ]
    assert {row.count("|") for row in rows[:4]} == {9}


@pytest.fixture
def neural():
    codec = CODECS.resolve("neural")()
    if (reason := codec.unavailable()) is not None:
        pytest.skip(reason)
    return codec


def test_the_loop_gets_the_very_streams_and_pixels(neural, tmp_path):
    (image,) = loop.squares(None, 1, 176)
    (stream,) = neural.encode([image], [80.0])
    model = Looped(neural, 80.0)
    coded = model.compress(image[None].float() / 255)
    assert coded == {"strings": [[stream]], "shape": (176, 176)}
    (decoded,) = neural.decode([stream])
    assert torch.equal((model.decompress(**coded)["x_hat"][0] * 255).round().byte(), decoded)
    with pytest.raises(ValueError, match=r"^an image of \(176, 176\) came back as one of \(1, 2\)$"):
        model.decompress([[stream]], (1, 2))


def test_both_ways_code_every_image_once_a_pass(neural, monkeypatch):
    given = []
    encode = type(neural).encode

    def encoding(self, images, settings, workers=1):
        given.append((len(images), tuple(settings), {tuple(image.shape) for image in images}))
        return encode(self, images, settings, workers)

    monkeypatch.setattr(type(neural), "encode", encoding)
    monkeypatch.setattr(loop, "planned_rates", lambda codec, images, one: [PLANNED])
    threads, deterministic = torch.get_num_threads(), torch.backends.cudnn.deterministic
    found = loop.measure(job(device="cpu", limit=3, repeats=1), 192)
    one, two = ((count, (90.0,) * count, {(3, 192, 192)}) for count in (1, 2))
    assert given == [two, one, one, one, one] * 2
    assert found.ours > 0
    assert found.loop > found.whole_loop > 0
    assert 0.05 < found.bpp < 4
    assert (torch.get_num_threads(), torch.backends.cudnn.deterministic) == (threads, deterministic)


class PLANNED:
    setting_counts = {89.0: 1, 90.0: 2}  # noqa: RUF012 - a double


def test_images_are_cut_or_repeated(monkeypatch):
    small, large = (torch.arange(3 * side * side).reshape(3, side, side).byte() for side in (5, 9))
    monkeypatch.setattr(loop, "load", lambda folder, limit: [small, large])
    found = loop.squares(None, 2, 8)
    assert [tuple(image.shape) for image in found] == [(3, 8, 8)] * 2
    assert torch.equal(found[0][:, :5, :5], small)
    assert torch.equal(found[0][:, 5:, 5:], small[:, :3, :3])
    assert torch.equal(found[1], large[:, :8, :8])


def test_a_network_that_is_not_there_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(Path, "home", lambda: tmp_path.parent)
    told = gpu.pace(job("zoo:mbt2018-mean", device="cpu"), 176)
    assert isinstance(told, str)
    assert str(tmp_path.parent) not in told


# JPEG


def test_a_gpu_is_held_against_the_cpu():
    def speed(one):
        if one.codec == "jpeg":
            return Findings((), unavailable="torchcodec is not installed")
        fast = one.device != "cpu"
        rows = (Row(0.5, 0.5, 600.0 if fast else 150.0, 90.0 if fast else 60.0), Row(0.01, None, why="no"))
        return Findings(rows, "nvJPEG 13" if fast else "libjpeg-turbo 3", "in batches" if fast else None)

    jobs = [job("jpeg?subsampling=4:4:4"), job("jpeg")]
    assert list(gpu.speeds(jobs, made_up(speed=speed)))[2:] == [
        "| jpeg subsampling=4:4:4 | 0.5 | 150 | 600 | 4.00 | 60 | 90 | 1.50 |",
        "| jpeg subsampling=4:4:4 | 0.01 |  | |  |  | |  |",
        "",
        "- jpeg subsampling=4:4:4: nvJPEG 13; in batches",
        "- jpeg: not measured: torchcodec is not installed",
        "",
    ]


# A whole guard


@pytest.mark.parametrize(
    ("work", "beside"),
    [
        (Apart(40.0, 5.0, 20.0), "coding, on the CPU by 2 cores: 25.0 s | 1.20"),
        (Apart(10.0, 5.0, 20.0), "prediction: 20.0 s | 1.50"),
    ],
)
def test_a_gate_is_held_against_the_larger_of_coding_and_prediction(work, beside, monkeypatch, tmp_path):
    monkeypatch.setattr(gpu, "cores", lambda: 2)
    begun = []

    def gate(run):
        begun.append(run)
        kept = [one.cache for one in begun].count(run.cache) > 1
        return Ran(90.0, 60) if run.device == "cpu" else Ran(6.0, 8) if kept else Ran(30.0, 60)

    told, *rows = gpu.gates(tmp_path / "t.yaml", "cuda:0", 7, made_up(gate=gate, apart=lambda run: work))
    assert told == (
        f"Without threads on cuda:0: {work.coding_cpu} s of coding on the CPU, 5.0 s on the GPU, 20.0 s of prediction."
    )
    assert rows[3:] == [
        "| cold, cpu | 60 | 90.0 |  |  |  |",
        f"| cold, cuda:0 | 60 | 30.0 | {beside} | 1.25 |",
        "| the same | 60 | 30.0 | cold, cpu: 90.0 s | 0.33 |  |",
        "| again, cuda:0 | 8 | 6.0 | cold, cuda:0: 30.0 s | 0.20 |  |",
        "",
    ]
    assert [(run.device, run.limit) for run in begun] == [("cpu", 7), ("cuda:0", 7), ("cuda:0", 7)]


@pytest.fixture
def toys(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "gpu_toy.py").write_text(textwrap.dedent(MODULE))
    guard = {"task": "classification", "model": "gpu_toy:model", "data": "gpu_toy:data", "max_drop": 100}
    cells = {"codecs": ["jpeg", "webp"], "bpp": [3.0, 4.0]}
    path = tmp_path / "thresholds.yaml"
    path.write_text(json.dumps({"version": 1, "defaults": cells, "guards": {"toys": guard}}))
    return path


def test_coding_and_prediction_apart(toys, tmp_path, monkeypatch):
    seconds = defaultdict(float)

    def timed(work, device):
        seconds[device] += 1
        return 1.0, work()

    monkeypatch.setattr(apart, "timed", timed)
    before = Jpeg.encode, session.check_model
    found = apart.measure(toys, "cpu", 10, tmp_path / "cache")
    assert (Jpeg.encode, session.check_model) == before
    # Ten images in two batches: clean ones, those after the lossless codec, among other neighbours, four cells.
    assert found.prediction == 2 * 7
    assert found.coding_device == 0
    assert found.coding_cpu == seconds["cpu"] - found.prediction > 4 * 2 * 2


def test_a_codec_within_a_codec_counts_once(monkeypatch):
    class Outer:
        device = "cuda:1"

        def encode(self, images):
            return [*images, *self.decode(images)]

        def decode(self, streams):
            return list(streams)

    spent = defaultdict(float)
    monkeypatch.setattr(apart, "timed", lambda work, device: (len(device), work()))
    with apart.watched({Outer}, "cuda:1", spent):
        assert Outer().encode([1]) == [1, 1]
        assert Outer().decode([1]) == [1]
    assert spent == {"device": 2 * len("cuda:1")}


def test_a_real_gate_in_a_process_of_its_own(toys, tmp_path):
    found = gpu.gate(Gate(toys, "cpu", 10, tmp_path / "cache"))
    assert found.predictions == 10 * 7 + 5  # the same, and the first clean batch at the end
    assert found.wall > 0.1


def test_runs_that_broke_have_no_figures(toys, tmp_path):
    toys.write_text(toys.read_text().replace("gpu_toy:data", "gpu_toy:nothing"))
    with pytest.raises(SystemExit, match=r"toys\[jpeg-3.0bpp\]: .*; a run with errors has no figures$"):
        gpu.gate(Gate(toys, "cpu", 10, tmp_path / "cache"))
    with pytest.raises(SystemExit, match=r"^toys\[jpeg-3.0bpp\]: .*; a run with errors has no figures$"):
        apart.measure(toys, "cpu", 10, tmp_path / "apart")
    toys.write_text("version: 2\n")
    with pytest.raises(SystemExit, match=r"^compress-guard run ended with 4: "):
        gpu.gate(Gate(toys, "cpu", 10, tmp_path / "cache"))


# The command


def test_the_command_fills_the_document(tmp_path, monkeypatch, capsys):
    page = tmp_path / "page.md"
    page.write_text("<!-- gpu -->\n<!-- end of gpu -->\n", encoding="utf-8")
    asked = []
    ways = made_up(pace=lambda job, side: asked.append((job, side)) or Pace(0.5, 1.0, 1.0, 1.0))
    monkeypatch.setattr(gpu, "OUR_WAYS", ways)
    gpu.main(f"--device cpu --limit 4 --batch 2 --thresholds thresholds.yaml --write {page}".split())
    text = page.read_text(encoding="utf-8")
    assert "`python -m benchmarks.speed.gpu --device cpu --limit 4" in text
    assert "4 images at 0.5 bpp on cpu; medians of 3 passes." in text
    assert capsys.readouterr().out.strip() in text
    assert [(job.codec, job.device, job.rates, side) for job, side in asked] == [
        (codec, "cpu", (0.5,), 512) for codec in gpu.LEARNED
    ]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_it_says_so_at_once():
    with pytest.raises(
        SystemExit, match=r"^--device: cuda:0 asked for, but torch sees no usable CUDA device; use auto"
    ):
        gpu.main([])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--limit", "0"], "--limit: 0 is not a whole number of at least 1"),
        (["--side", "160"], "--side: 160 is too small for MS-SSIM, which `eval_model` asks for; use more than 160"),
        (["--photographs", "nowhere"], "--photographs: nowhere is not a folder; name a folder of photographs"),
        (["--thresholds", "none.yaml"], "--thresholds: none.yaml is not a file; name a thresholds file"),
    ],
)
def test_arguments_without_sense(given, message, capsys):
    with pytest.raises(SystemExit):
        gpu.main(given)
    assert message in capsys.readouterr().err


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_real_gpu(toys, tmp_path):
    found = gpu.in_own_process(gpu.pace, job(limit=8, batch=8), 512)
    assert isinstance(found, str) or found.ours > found.loop
    told = apart.measure(toys, "cuda:0", 10, tmp_path / "cache")
    assert told.prediction > 0
