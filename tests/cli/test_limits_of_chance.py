"""Limits of a model that may know nothing: neither `init` nor an update writes them."""

from __future__ import annotations

import pytest

CHANCE = """import toy
import torch


class Chance(toy.Spectrum):
    \"\"\"Right in one class of four, as often as somebody who guesses.\"\"\"

    def scores(self, image):
        return super().scores(image)[torch.tensor([0, 3, 1, 2])]


def model():
    return Chance()


def data():
    return [(*toy.texture(index), f"texture-{index:03d}") for index in range(40)]
"""
REMARK = "(top1 25.0 on 40 images) could not be told from those of a model that knows nothing (Cohen's kappa 0.000, "
CHOICE = ("--task", "classification", "--model", "chance:model", "--data", "chance:data", "--quality", "jpeg=75")


@pytest.fixture(autouse=True)
def chance(folder, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    (folder / "chance.py").write_text(CHANCE)
    (folder / "thresholds.yaml").unlink()


def test_init_writes_nothing(command, folder):
    done = command("init", *CHOICE)
    assert (done.code, done.out) == (1, "")
    last = done.err.splitlines()[-1]
    assert last.startswith(f"compress-guard: init: the clean answers {REMARK}")
    assert last.endswith(
        ", and such a model keeps every limit; check labels, class order, preprocessing and weights, or give a higher "
        "--limit; nothing was written"
    )
    assert not (folder / "thresholds.yaml").exists()


def test_init_says_where_images_are_too_few_to_tell(command, folder):
    done = command("init", *CHOICE, "--limit", "16")
    assert done.code == 0
    sentence = "whether the model knows anything was not tested: there are 16 images, and it takes "
    assert f"compress-guard: init: {sentence}" in done.err
    assert f"    # {sentence}" in (folder / "thresholds.yaml").read_text()


@pytest.mark.parametrize("option", ["--update", "--update=loosen"])
def test_an_update_writes_nothing(command, folder, option):
    text = (
        "version: 1\nguards: {toy: {task: classification, model: 'chance:model', data: 'chance:data', codecs: [jpeg], "
        "quality: [75], max_drop: 50MORE}}\n"
    )
    path = folder / "thresholds.yaml"
    path.write_text(text.replace("MORE", ""))
    done = command("run", option)
    assert done.code == 1
    assert f"--update: toy[jpeg-q75]: the clean answers {REMARK}" in done.err
    assert done.err.endswith("; set min_clean; nothing was written\n")
    assert path.read_text() == text.replace("MORE", "")
    # A score that is meant is one that the file states.
    path.write_text(text.replace("MORE", ", min_clean: 0"))
    assert command("run", option).code == 0
