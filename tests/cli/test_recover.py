"""`compress-guard recover`: studies without pytest."""

from __future__ import annotations

import functools
import json
import signal
import textwrap

import pytest

from compress_guard.engine.recovery import recipes

NETWORK = """
    import torch
    from torch import nn

    import compress_guard
    import toy

    def model():
        with torch.random.fork_rng():
            torch.manual_seed(1)
            network = nn.Sequential(nn.Conv2d(3, 8, 7, stride=3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
            return compress_guard.predictor(network.append(nn.Linear(8, 4)), task="classification")

    def train():
        return [(*toy.texture(1000 + index), f"train-{index}") for index in range(12)]
"""
STUDY = "max_drop: 100, model: 'net:model', recovery: {train: 'net:train', images: 8, steps: 2, batch: 2, seeds: 0%s}"


@pytest.fixture
def studied(folder, guards):
    (folder / "net.py").write_text(textwrap.dedent(NETWORK))

    def write(more: str = "") -> None:
        guards(plain="max_drop: 100", toy=STUDY % more)

    write()
    return write


def test_studies_are_told_written_and_drawn(command, studied, folder, monkeypatch):
    monkeypatch.setattr("compress_guard.engine.pace.FIRST_GAP", 0.0)  # else nothing is told of a short study
    done = command("recover", "--json", "out/r.json", "--figure", "out/r.svg", "--workers", "1")
    assert done.code == 0
    assert "[1/1] toy[recovery-jpeg-0.5bpp] skipped: " in done.err
    assert "[1/1] reading images of toy\n" in done.err
    assert "finetuned 2 steps of 2 images, seed 0" in done.out
    written = json.loads((folder / "out" / "r.json").read_text())
    (study,) = written["recovery"]
    assert (study["id"], study["trained"], study["images"]) == ("thresholds.yaml::toy[recovery-jpeg-0.5bpp]", 2, 8)
    assert (folder / "out" / "r.svg").read_text().startswith("<svg")

    again = command("recover", "--from", "out/r.json", "--figure", "again.svg")
    assert (again.code, again.out) == (0, done.out)
    assert (folder / "again.svg").read_text() == (folder / "out" / "r.svg").read_text()


def test_a_study_that_was_stopped_keeps_what_is_done_and_goes_on(command, studied, folder, monkeypatch):
    finetune, calls = recipes.finetune, []
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background may have been told to ignore it

    @functools.wraps(finetune)
    def stopped(*arguments, **keys):
        calls.append(keys["seed"])
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return finetune(*arguments, **keys)

    monkeypatch.setattr(recipes, "finetune", stopped)
    done = command("recover", "--workers", "1")
    assert (done.code, done.out) == (130, "")
    kept = folder / ".compress_guard"
    assert done.err.splitlines()[-2:] == [
        f"compress-guard: stopped in toy[recovery-jpeg-0.5bpp]; what was trained is kept in {kept}: the same command "
        "goes on there",
        "compress-guard: interrupted",
    ]
    calls.remove(0)
    done = command("recover", "--workers", "1", "--no-cache")
    assert "stopped in toy[recovery-jpeg-0.5bpp]; nothing is kept with --no-cache\n" in done.err
    done = command("recover", "--workers", "1", "--json", "r.json")
    assert done.code == 0
    (study,) = json.loads((folder / "r.json").read_text())["recovery"]
    assert study["trained"] == 1, "the first of two was kept"


def test_a_limit_that_nothing_reaches_is_an_exit_code(command, studied):
    studied(", trainer: 'net:model'")
    done = command("recover")
    assert done.code == 1
    assert "1 of 1 recovery study failed:" in done.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("nowhere.yaml",),
            "nowhere.yaml: there is no such file; create it, or name another: compress-guard recover FILE",
        ),
        (("--guard", "tox"), "--guard: unknown guard 'tox', did you mean 'toy'?"),
        (
            ("--guard", "plain"),
            "--guard: plain of thresholds.yaml asks for no study; add recovery: with train: to a guard",
        ),
        (("--figure", "."), "--figure: . is a folder; name a file"),
        (("--from", "nowhere.json"), "--from: nowhere.json: there is no such file; "),
        (("--from", "thresholds.yaml"), "--from: thresholds.yaml: this is no JSON document (Expecting value: "),
    ],
)
def test_what_makes_no_sense_is_one_sentence(command, studied, arguments, message):
    done = command("recover", *arguments)
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith(f"compress-guard: {message}")
    assert len(done.err.splitlines()) == 1


def test_a_file_without_studies_and_fixtures_are_refused(command, guards):
    guards(toy="max_drop: 100")
    assert (
        "thresholds.yaml: no guard has a key recovery; add recovery: with train: to a guard" in command("recover").err
    )
    guards(toy="max_drop: 100, recovery: {train: 'fixture:train'}")
    assert "train is fixture:train, and fixtures need pytest" in command("recover").err
