"""The table of throughput: what it says, and that it measures what it says."""

from __future__ import annotations

import argparse
import re

import pytest
import torch
from PIL import Image

from benchmarks.speed import codecs as speed
from benchmarks.speed import throughput
from benchmarks.speed.codecs import Findings, Job, Row
from compress_guard.engine.settings import processor
from compress_guard.errors import CodecError, UsageError
from compress_guard.registry import CODECS


@pytest.fixture
def folder(tmp_path):
    """Three small photographs."""
    noise = torch.Generator().manual_seed(0)
    for number, size in enumerate([(48, 64), (40, 40), (33, 57)]):
        coarse = torch.rand(1, 3, 6, 8, generator=noise) * 255
        image = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic")[0].clamp(0, 255).byte()
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(tmp_path / f"{number}.png")
    return tmp_path


@pytest.fixture
def job(folder):
    return Job("jpeg", "cpu", (2.0, 4.0), folder, limit=3, batch=2, repeats=2, workers=1)


@pytest.fixture
def calls(monkeypatch):
    """Return the numbers of images in the calls of jpeg's encoder and decoder."""
    made = {"encode": [], "decode": []}
    jpeg = CODECS.resolve("jpeg")
    encode, decode = jpeg.encode, jpeg.decode

    def encoding(self, images, settings, workers=1):
        made["encode"].append(len(images))
        return encode(self, images, settings, workers)

    def decoding(self, streams, workers=1):
        made["decode"].append(len(streams))
        return decode(self, streams, workers)

    monkeypatch.setattr(jpeg, "encode", encoding)
    monkeypatch.setattr(jpeg, "decode", decoding)
    return made


def test_a_codec_is_measured_at_each_rate(job, calls):
    found = speed.measure(job)
    assert (found.unavailable, found.remark) == ("", None)
    assert found.version.startswith("libjpeg")
    assert [row.target for row in found.rows] == [2.0, 4.0]
    for row in found.rows:
        assert row.bpp == pytest.approx(row.target, rel=0.15)
        assert row.why == ""
        assert row.encode > 0
        assert row.decode > 0
        assert row.memory is None or row.memory >= 0
    # Per rate a warm-up of one batch and two passes over two batches.
    assert calls["decode"] == [2, *[2, 1] * 2] * 2


def test_speed_is_pixels_by_the_median_time(job, monkeypatch):
    seconds = iter([1.0, 5.0, 2.0, 7.0, 3.0, 6.0] * 2)
    monkeypatch.setattr(speed, "timed", lambda work, device: (next(seconds), work()))
    pixels = 48 * 64 + 40 * 40 + 33 * 57
    for row in speed.measure(Job(**{**vars(job), "repeats": 3})).rows:
        assert row.encode == pytest.approx(pixels / 1e6 / 2.0)
        assert row.decode == pytest.approx(pixels / 1e6 / 6.0)


def test_a_codec_that_cannot_run_is_told_and_costs_the_others_nothing(job, monkeypatch):
    def broken(self, images, settings, workers=1):
        raise CodecError("jpeg could not encode image 1 of 2")

    monkeypatch.setattr(CODECS.resolve("jpeg"), "encode", broken)
    assert speed.measure(job) == Findings((), unavailable="jpeg could not encode image 1 of 2")
    monkeypatch.setattr(CODECS.resolve("jpeg"), "encode", lambda *given: 1 / 0)
    assert speed.measure(job).unavailable == "ZeroDivisionError: division by zero"


def test_a_rate_out_of_reach_has_no_speed(job):
    (row,) = speed.measure(Job(**{**vars(job), "rates": (0.05,)})).rows
    assert (row.encode, row.decode) == (None, None)
    assert re.fullmatch(r"cannot be reached on these images, its floor is \d\.\d\d", row.why)
    assert throughput.line("jpeg", row, 2) == "| jpeg | 0.05 | 2 | | | | |"


def test_options_of_a_codec_are_written_behind_its_name():
    spec = speed.named("jpeg?subsampling=4:4:4")
    assert (spec.type, dict(spec.options)) == ("jpeg", {"subsampling": "4:4:4"})
    assert speed.named("webp").options == ()
    assert dict(speed.named("zoo:mbt2018-mean").options) == {"model": "mbt2018-mean"}


def test_the_table(job):
    answers = {
        "jpeg": Findings((Row(0.5, 0.504, 100.0, 50.0, 12.3), Row(1.0, 0.97, 8.0, 8.0)), "lib 1"),
        "neural": Findings((Row(0.5, None, why="cannot be reached"),), "net 2", "batches cut to 4"),
        "heic": Findings((), unavailable="pillow-heif is not installed"),
    }
    jobs = [Job(**{**vars(job), "codec": codec}) for codec in answers]
    lines = list(throughput.report(jobs, lambda one: answers[one.codec]))
    assert lines[0] == f"### CPU: {processor()}"
    assert lines[2] == "3 photographs, 0.0 megapixels; 1 threads; medians of 2 passes."
    table = [line for line in lines if line.startswith("|")]
    assert table[2:] == [
        "| jpeg | 0.50 | 2 | 100 | 50 | 33.3 | 12 |",
        "| jpeg | 0.97 | 2 | 8 | 8 | 4 |  |",
        "| neural | 0.5 | 2 | | | | |",
    ]
    assert {line.count("|") for line in table} == {8}
    assert [line for line in lines if line.startswith("- ")] == [
        "- jpeg: lib 1",
        "- neural at 0.5 bpp: cannot be reached",
        "- neural: net 2; batches cut to 4",
        "- heic: not measured: pillow-heif is not installed",
    ]


def test_the_whole_command_in_processes_of_their_own(folder, capsys, monkeypatch):
    document = folder / "page.md"
    document.write_text("<!-- throughput -->\n<!-- end of throughput -->\n", encoding="utf-8")
    throughput.main(
        [
            *("--photographs", str(folder), "--device", "cpu", "--codecs", "jpeg", "--rates", "2"),
            *("--limit", "2", "--repeats", "1", "--workers", "1", "--write", str(document)),
        ]
    )
    shown = capsys.readouterr().out
    assert re.search(r"^\| jpeg \| [12]\.\d\d \| 8 \| [\d.e+]+ \| [\d.e+]+ \| [\d.e+]+ \| \d* \|$", shown, re.MULTILINE)
    assert "No GPU at hand: not measured." in shown
    assert str(folder) not in shown
    assert shown.strip() in document.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--limit", "0"], "--limit: 0 is not a whole number of at least 1"),
        (["--photographs", "no-such-folder"], "--photographs: no-such-folder is not a folder; name a folder"),
    ],
)
def test_arguments_without_sense(given, message, capsys):
    with pytest.raises(SystemExit):
        throughput.arguments_of(given)
    assert message in capsys.readouterr().err


def test_defaults_name_codecs_and_the_cpu_at_least():
    chosen = throughput.arguments_of([])
    assert isinstance(chosen, argparse.Namespace)
    assert {speed.named(codec).type for codec in chosen.codecs} == set(CODECS) - {"command", "compressai", "pipeline"}
    assert throughput.devices(["auto"])[0] == "cpu"
    assert throughput.devices(["cpu", "cpu"]) == ["cpu"]
    with pytest.raises(UsageError, match=r"^--device: unknown device 'gpu'"):
        throughput.devices(["gpu"])


def test_without_photographs_scenes_are_rendered():
    images = speed.load(None, 2)
    assert [(image.dtype, tuple(image.shape)) for image in images] == [(torch.uint8, (3, 256, 256))] * 2
    assert images[0].is_contiguous()
    assert not torch.equal(images[0], images[1])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_has_its_own_table(job):
    moved = Job(**{**vars(job), "device": "cuda:0"})
    found = speed.measure(moved)
    assert "nvJPEG" in found.version
    assert all(row.encode > 0 and row.decode > 0 and row.memory > 0 for row in found.rows)
    assert throughput.devices(["auto"]) == ["cpu", "cuda:0"]
