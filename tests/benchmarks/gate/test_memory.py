"""The table of memory: its pictures, its runs, and when the bar is held."""

from __future__ import annotations

import gc
import weakref

import pytest
import torch

from benchmarks.gate import memory
from benchmarks.gate.memory import Job, Pictures
from compress_guard.thresholds import load


def test_pictures_are_made_from_their_index_and_nobody_keeps_them():
    data = Pictures(memory.MANY, memory.brightest)
    image, label, name = data[3999]
    assert (image.dtype, tuple(image.shape), name) == (torch.uint8, (3, 256, 256), "picture 3999")
    assert 0 <= label < memory.CLASSES
    assert torch.equal(image, data[3999][0])
    assert not torch.equal(image, data[3998][0])
    died = weakref.ref(image)
    del image
    gc.collect()
    assert died() is None
    with pytest.raises(IndexError):
        data[memory.MANY]


def test_no_two_pictures_are_cut_at_the_same_place():
    data = Pictures(memory.MANY, lambda image: 0)
    corners = {data[index][0][:, :3, :3].numpy().tobytes() for index in range(0, memory.MANY, 7)}
    assert len(corners) == len(range(0, memory.MANY, 7))


@pytest.mark.parametrize("task", memory.TASKS)
def test_models_know_what_the_targets_say(task):
    data, model = {
        "classification": (memory.pictures(), memory.classifier()),
        "segmentation": (memory.maps(), memory.segmenter()),
    }[task]
    image, target, _ = data[5]
    (said,) = model([image])
    assert said.argmax() == target if task == "classification" else torch.equal(said, target)


def test_the_file_has_two_cells(tmp_path):
    path = tmp_path / "thresholds.yaml"
    path.write_text(memory.thresholds("segmentation"))
    (guard,) = load(path).guards
    assert [(cell.bpp, cell.max_drop) for cell in guard.cells] == [(0.5, 100), (1.0, 100)]


@pytest.mark.parametrize("task", memory.TASKS)
def test_a_gate_runs_and_its_memory_is_told(task):
    found = memory.measure(Job(task, 8))
    assert found is None or found > 50


def test_a_gate_that_does_not_hold_is_no_figure(monkeypatch):
    monkeypatch.setattr(memory, "thresholds", lambda task: "version: 2\n")
    with pytest.raises(
        RuntimeError, match=r"(?s)^compress-guard run on 8 images left with 4: compress-guard: .*version"
    ):
        memory.work(Job("classification", 8))


def test_the_table():
    figures = {
        Job("classification", 400): 700.0,
        Job("classification", 4000): 820.0,
        Job("segmentation", 400): 1000.0,
        Job("segmentation", 4000): 1151.0,
    }
    assert list(memory.lines(run=figures.__getitem__)) == [
        "| memory | 400 images MB | 4000 images MB | more MB | bar |",
        "|---|--:|--:|--:|---|",
        "| classification | 700 | 820 | +120 | +120: held |",
        "| segmentation | 1000 | 1151 | +151 | +150: exceeded |",
    ]
    (row,) = list(memory.lines(run=lambda job: None, tasks=["segmentation"]))[2:]
    assert row == "| segmentation | | | | this system does not tell a process its memory |"


def test_arguments_without_sense(capsys):
    with pytest.raises(SystemExit):
        memory.main(["--few", "50", "--many", "40"])
    assert "--few 50 and --many 40: expected 2 <= few <= many <= 4000" in capsys.readouterr().err
