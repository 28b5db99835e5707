"""The gate beside others: each contender does what it is said to do, and the tables say what was found."""

from __future__ import annotations

import io
import re

import pytest
import torch
from PIL import Image

from benchmarks.gate import contenders, ourselves
from benchmarks.gate.contenders import Effort, Speed, Task
from compress_guard.errors import UsageError
from compress_guard.registry import CODECS

RATES = (2.0, 4.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three small photographs."""
    folder = tmp_path_factory.mktemp("photographs")
    noise = torch.Generator().manual_seed(0)
    for number, size in enumerate([(96, 128), (80, 80), (66, 114)]):
        coarse = torch.rand(1, 3, 12, 16, generator=noise) * 255
        smooth = torch.nn.functional.interpolate(coarse, size=size, mode="bicubic")[0]
        image = (smooth + 8 * torch.randn(smooth.shape, generator=noise)).clamp(0, 255).byte()
        Image.fromarray(image.permute(1, 2, 0).numpy()).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def task(folder):
    return Task(tuple(sorted(folder.iterdir())), "jpeg", RATES)


@pytest.fixture
def answered(monkeypatch):
    """The shapes of all images that the model was asked for."""
    asked, answer = [], contenders.brightness

    def counting(images):
        asked.extend(tuple(image.shape) for image in images)
        return answer(images)

    monkeypatch.setattr(contenders, "brightness", counting)
    return asked


@pytest.fixture
def written(monkeypatch):
    """The pictures that Pillow wrote, by format."""
    made, save = [], Image.Image.save

    def counting(self, file, kind=None, **options):
        made.append(kind)
        return save(self, file, kind, **options)

    monkeypatch.setattr(Image.Image, "save", counting)
    return made


def test_the_model_scores_quarters():
    image = torch.zeros(3, 64, 96, dtype=torch.uint8)
    image[:, 32:, 48:] = 200
    (scores,) = contenders.brightness([image])
    assert scores.tolist() == [0, 0, 0, 200]


def test_the_plain_loop_decodes_and_predicts_each_image_at_each_rate(task, answered, written):
    found = contenders.plain_loop(task)
    assert sorted(answered) == sorted([(3, 96, 128), (3, 80, 80), (3, 66, 114)] * 2)
    assert found.encodes == len(written) <= 7 * task.images
    assert found.held >= 0.5
    assert found.seconds > 0


@pytest.mark.parametrize("codec", ["jpeg", "webp"])
def test_the_bisection_comes_as_near_as_trying_every_quality_or_near_enough(task, codec):
    picture = contenders.opened(task.paths[0])
    pixels = picture.width * picture.height

    def miss(stream):
        return abs(8 * len(stream) / pixels / target - 1)

    for target in (2.0, 3.0, 4.0):
        stream, probes = contenders.bisected(picture, codec, target)
        low, high = contenders.QUALITIES[codec]
        every = []
        for quality in range(low, high + 1):
            picture.save(buffer := io.BytesIO(), codec, quality=quality)
            every.append(buffer.getvalue())
        assert stream in every
        assert miss(stream) <= max(0.05, min(map(miss, every)))
        assert probes <= 7
    assert contenders.decoded(stream).size == picture.size


def test_find_close_probes_seven_times(task, answered, monkeypatch, capsys):
    codecs = pytest.importorskip("compressai.utils.bench.codecs")
    probes, run = [], codecs.JPEG.run

    def counting(self, path, quality, *given, **named):
        probes.append(quality)
        return run(self, path, quality, *given, **named)

    monkeypatch.setattr(codecs.JPEG, "run", counting)
    found = contenders.find_close(task)
    assert len(answered) == task.images
    assert len(probes) <= found.encodes == 7 * task.images
    assert len(probes) >= 6 * task.images
    assert capsys.readouterr().err == ""


@pytest.fixture
def encoded(monkeypatch):
    """Images that our jpeg encoded."""
    made, jpeg = [], CODECS.resolve("jpeg")
    encode = jpeg.encode

    def counting(self, images, settings, workers=1):
        made.extend(settings)
        return encode(self, images, settings, workers)

    monkeypatch.setattr(jpeg, "encode", counting)
    return made


def test_the_gate_encodes_in_its_first_run_alone(task, encoded, tmp_path):
    first = contenders.gate(task, tmp_path)
    assert first.encodes * task.images > 0
    assert first.encodes == pytest.approx(len(encoded), rel=0.25)  # it counts by pixels
    encoded.clear()
    assert contenders.gate(task, tmp_path).encodes == 0
    assert encoded == []


def test_a_gate_that_could_not_measure_is_no_figure(task, tmp_path):
    with pytest.raises(RuntimeError, match=r"(?s)compress-guard run left with 1: .*jpeg cannot reach 0\.02 bpp"):
        contenders.gate(Task(task.paths, "jpeg", (0.02,)), tmp_path)


def test_batches_are_each_image_at_each_rate(task, answered, encoded, tmp_path):
    found = contenders.batches(task, tmp_path)
    assert len(answered) == task.images
    assert found.encodes is None
    assert found.held >= 0.5
    assert encoded
    encoded.clear()
    assert contenders.batches(task, tmp_path).held == found.held
    assert encoded == []


def test_codecs_are_timed_on_the_same_files(task):
    pytest.importorskip("compressai")
    for found in (contenders.speed_by_bench(task, 75), contenders.speed_of_ours(task, 75)):
        assert found.encode > 0
        assert found.decode > 0


def test_a_contest_has_every_contender_in_turn(task, monkeypatch):
    ran = []

    def contender(name):
        def run(task, cache=None):
            ran.append((name, len(task.paths), None if cache is None else (cache.name, cache.exists())))
            if cache is not None:
                cache.mkdir(exist_ok=True)
            return Effort(float(len(ran)), None, None)

        return run

    for name in ("batches", "gate", "plain_loop", "find_close"):
        monkeypatch.setattr(ourselves, name, contender(name))
    for name in ("speed_by_bench", "speed_of_ours"):
        monkeypatch.setattr(ourselves, name, lambda task, quality: Speed(quality, 1.0))
    monkeypatch.setattr(ourselves, "on_one_core", lambda: None)
    found = ourselves.contest(task, 2)
    names = [name for name, _, _ in ran]
    assert [count for _, count, _ in ran] == [1] * 6 + [3] * 12
    assert names[6:12] == ["batches", "batches", "gate", "gate", "plain_loop", "find_close"]
    assert names[12:] == ["gate", "gate", "plain_loop", "find_close", "batches", "batches"]
    # The first of two runs finds nothing, the second what the first left.
    caches = [cache for name, _, cache in ran[6:] if name == "gate"]
    assert caches == [("gate", False), ("gate", True)] * 2
    assert len(found.efforts) == 6
    assert found.efforts["plain loop with Pillow, every run"].seconds == (11 + 15) / 2
    assert set(found.speeds.values()) == {Speed(75, 1.0)}


def test_the_tables(task):
    efforts = {ourselves.FIRST: Effort(0.06, None, 1.0), "loop": Effort(0.24, 30, 5 / 6)}
    found = ourselves.Found(efforts, {"bench": Speed(61.23, 7.0)})
    lines = list(ourselves.tables([task], 3, lambda one, repeats: found))
    assert lines[0] == "3 photographs at 2, 4 bpp, each within 5 %; one core; medians of 3 turns."
    assert lines[4:6] == [
        "| jpeg | `compressed_batches`, first run | 10.0 | 1.00 |  | 100 % |",
        "| jpeg | loop | 40.0 | 4.00 | 5.00 | 83 % |",
    ]
    assert "| jpeg | 75 | bench | 61.2 | 7 |" in lines
    assert {line.count("|") for line in lines[2:6]} == {7}


def test_the_whole_command(folder, capsys, monkeypatch, tmp_path):
    pytest.importorskip("compressai")
    monkeypatch.setattr(ourselves, "in_own_process", ourselves.contest)
    monkeypatch.setattr(ourselves, "on_one_core", lambda: None)
    monkeypatch.setattr(ourselves.start, "lines", lambda thresholds, pairs: iter([f"start {thresholds} {pairs}"]))
    monkeypatch.setattr(ourselves.memory, "lines", lambda few, many: iter([f"memory {few} {many}"]))
    page = tmp_path / "page.md"
    page.write_text("<!-- ourselves -->\n<!-- end of ourselves -->\n## CUDA\n", encoding="utf-8")
    ourselves.main(
        [
            *("--photographs", str(folder), "--codecs", "jpeg", "--rates", "2", "--limit", "2", "--repeats", "1"),
            *("--write", str(page)),
        ]
    )
    shown = capsys.readouterr().out
    assert shown.startswith(f"`python -m benchmarks.gate.ourselves --photographs {folder.name} ")
    assert str(folder) not in shown
    assert len(re.findall(r"^\| jpeg \| .* \| [\d.]+ \| [\d.]+ \| [\d.]* \|( \d+ %| ) \|$", shown, re.MULTILINE)) == 6
    assert len(re.findall(r"^\| jpeg \| 75 \| .* \| [\d.e+]+ \| [\d.e+]+ \|$", shown, re.MULTILINE)) == 2
    assert shown.rstrip().endswith("start thresholds.yaml 31\n\nmemory 400 4000")
    text = page.read_text(encoding="utf-8")
    assert shown.strip() in text
    assert text.endswith("<!-- end of ourselves -->\n## CUDA\n")


@pytest.mark.slow
def test_a_contest_in_a_process_of_its_own(task):
    pytest.importorskip("compressai")
    found = ourselves.in_own_process(task, 1)
    assert len(found.efforts) == 6
    assert all(effort.seconds > 0 for effort in found.efforts.values())
    assert len(found.speeds) == 2


def test_a_folder_without_photographs(tmp_path, monkeypatch):
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(UsageError, match=r"has no png, jpg or webp files; name a folder of photographs$"):
        ourselves.photographs(tmp_path, 5)
    with pytest.raises(SystemExit, match=r"^--photographs: "):
        ourselves.main(["--photographs", str(tmp_path / "nowhere")])


def test_a_document_without_marks_is_told_before_anything_is_measured(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(ourselves, "report", lambda *given: pytest.fail("measured"))
    page = tmp_path / "page.md"
    page.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"does not have <!-- ourselves -->"):
        ourselves.main(["--photographs", str(folder), "--write", str(page)])
