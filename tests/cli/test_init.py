"""``compress-guard init``: the file that it writes, what it asks, and what it refuses."""

from __future__ import annotations

import io
import sys

import pytest

from compress_guard.registry import CODECS
from compress_guard.thresholds import load
from compress_guard.thresholds.schema import SCHEMA_FILE
from tests.thresholds.json_view import assert_taken

TOY = ("--task", "classification", "--model", "toy:model", "--data", "toy:data")
NAME = "compress-guard.schema.json"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def without_a_file(folder) -> None:
    """Begin without the toy's own thresholds file."""
    (folder / "thresholds.yaml").unlink(missing_ok=True)


@pytest.fixture
def terminal(monkeypatch):
    """A person who types these lines."""

    def typed(*lines: str) -> None:
        monkeypatch.setattr(sys, "stdin", Terminal("".join(f"{line}\n" for line in lines)))
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)

    return typed


def only_guard(folder):
    (guard,) = load(folder / "thresholds.yaml").guards
    return guard


def test_a_file_with_measured_limits(command, folder):
    done = command("init", *TOY, "--quality", "jpeg=75,30", "--bpp", "webp=1,0.02", "--limit", "16")
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "thresholds.yaml: written, with limits for 3 operating points; its comments say why 1 have none",
        "next: compress-guard check thresholds.yaml",
    ]
    text = (folder / "thresholds.yaml").read_text()
    assert text.splitlines()[0] == f"# yaml-language-server: $schema={NAME}"
    assert (folder / NAME).read_bytes() == SCHEMA_FILE.read_bytes()
    assert "# left out: webp at 0.02 bpp: webp cannot reach 0.02 bpp on these images: the mean goes down to " in text
    assert "# min_clean: 95  # a floor under the clean score, which was top1 100.0 on 16 clean images" in text
    assert_taken(text)
    guard = only_guard(folder)
    assert (guard.task, guard.model, guard.data) == ("classification", "toy:model", "toy:data")
    assert [cell.label for cell in guard.cells] == ["jpeg-q30", "jpeg-q75", "webp-1.0bpp"]
    assert command("run", "--limit", "16").code == 0, "the limits hold where they were measured"


def test_limits_are_the_upper_end_and_half_a_point(command, folder):
    assert command("init", *TOY, "--codec", "jpeg", "--bpp", "0.5", "--limit", "16", "--seed", "3").code == 0
    assert command("run", "--limit", "16", "--seed", "3", "--json", "results.json").code == 0
    import json

    (cell,) = json.loads((folder / "results.json").read_text())["cells"]
    assert cell["drop_high"] + 0.5 <= cell["max_drop"] < cell["drop_high"] + 0.6
    assert f"measured {cell['drop']:.1f} ({cell['drop_low']:.1f} to {cell['drop_high']:.1f})" in (
        folder / "thresholds.yaml"
    ).read_text().replace("(-0.0", "(0.0")


def test_without_a_measurement(command, folder):
    (folder / "toy.py").write_text("raise SystemExit\n")
    done = command("init", *TOY, "--no-measure", "--guard", "photos")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(
        "thresholds.yaml: written, with one limit for all operating points that was not measured\n"
    )
    guard = only_guard(folder)
    assert guard.name == "photos"
    assert {cell.codec.alias for cell in guard.cells} == {"jpeg", "webp", "avif"}
    assert {(cell.bpp, cell.max_drop) for cell in guard.cells} == {(bpp, 5) for bpp in (0.25, 0.5, 1, 2)}


@pytest.mark.parametrize(("given", "labels"), [
    (["--quality", "75"], ["jpeg-q75"]),
    (["--quality", "75,50", "--codec", "webp,jpeg"], ["webp-q50", "webp-q75", "jpeg-q50", "jpeg-q75"]),
    (["--quality", "75", "--quality", "webp=80"], ["jpeg-q75", "webp-q80"]),
    (["--quality", "webp=80", "--quality", "webp=90"], ["webp-q80", "webp-q90"]),
    (["--bpp", "0.5", "--codec", "avif"], ["avif-0.5bpp"]),
    (["--bpp", "jpeg=0.5,1", "--quality", "jpeg=75"], ["jpeg-0.5bpp", "jpeg-1.0bpp", "jpeg-q75"]),
    (["--codec", "zoo:mbt2018-mean?metric=ms-ssim", "--bpp", "0.5"], ["zoo:mbt2018-mean?metric=ms-ssim-0.5bpp"]),
])  # fmt: skip
def test_what_production_does(command, folder, given, labels):
    done = command("init", *TOY, "--no-measure", *given)
    assert done.code == 0, done.err
    assert sorted(cell.label for cell in only_guard(folder).cells) == sorted(labels)


def test_it_asks_on_a_terminal(command, folder, terminal):
    terminal("clasification", "classification", "toy", "toy:model", "toy:data", "webp", "80")
    done = command("init", "--no-measure")
    assert done.code == 0, done.err
    assert "unknown task 'clasification', did you mean 'classification'?" in done.err
    assert "'toy' is not a factory; write \"package.module:callable\" or a registered name" in done.err
    assert [cell.label for cell in only_guard(folder).cells] == ["webp-q80"]


def test_it_asks_only_for_what_no_option_gives(command, folder, terminal):
    terminal("toy:data", "", "")
    done = command("init", "--no-measure", "--task", "classification", "--model", "toy:model")
    assert done.code == 0, done.err
    assert "Task of the model" not in done.err
    assert len(only_guard(folder).cells) == 12


def test_an_input_that_ends(command, folder, terminal):
    terminal("classification")
    done = command("init")
    assert done.code == 4
    problem = "compress-guard: init: the input ended before all questions were answered; give the answers as options"
    assert done.err.endswith(f"{problem}\n")
    assert not (folder / "thresholds.yaml").exists()


@pytest.mark.parametrize(("arguments", "message"), [
    (["--task", "classification"],
     "init: --model and --data are missing; give them, or run the command on a terminal, where it asks"),
    (["--task", "classification", "--model", "toy:model"],
     "init: --data is missing; give them, or run the command on a terminal, where it asks"),
    ([*TOY, "--task", "detect"],
     "--task: unknown task 'detect', did you mean 'detection'? known: classification, detection, segmentation; use "
     "one of these"),
    ([*TOY, "--model", "toy"],
     "--model: 'toy' is not a factory; write \"package.module:callable\" or a registered name"),
    ([*TOY, "--model", "fixture:toy"],
     "--model: fixture:toy is a fixture, and fixtures need pytest; name a factory package.module:callable, or add "
     "--no-measure"),
    ([*TOY, "--quality", "high"], "--quality: 'high' is no number; write e.g. 75,50 or webp=80"),
    ([*TOY, "--bpp", "jpeg="], "--bpp: '' is no number; write e.g. 75,50 or webp=80"),
    ([*TOY, "--quality", "500"],
     "init: 500 is no quality of jpeg, which takes whole numbers from 1 to 100; use one of these"),
    ([*TOY, "--bpp", "75"],
     "init: rate 75 bpp is outside 0.02 to 8; use a rate in that range, or did you mean quality: [75]?"),
    ([*TOY, "--guard", "a b"],
     "init: the guard name 'a b' has characters that node ids cannot contain; begin with a letter, digit or _ and use "
     "letters, digits, _, . and - only"),
    ([*TOY, "--model", "toy:mode"], "init: model toy:mode: toy.py has no mode; did you mean toy:model?"),
    ([*TOY, "--codec", "jpg"],
     f"init: unknown codec 'jpg', did you mean 'jpeg'? known: {', '.join(sorted(CODECS))}; use one of these, or define "
     "it under codecs"),
    ([*TOY, "--out", "."], "--out: . is a folder; name a file"),
])  # fmt: skip
def test_what_makes_no_sense(command, folder, arguments, message):
    before = sorted(path.name for path in folder.iterdir())
    done = command("init", *arguments)
    assert (done.code, done.out, done.err) == (4, "", f"compress-guard: {message}\n")
    assert sorted(path.name for path in folder.iterdir()) == before


def test_a_file_that_is_there_stays(command, folder):
    (folder / "thresholds.yaml").write_text("mine\n")
    done = command("init", *TOY, "--no-measure")
    message = "--out: there is a file thresholds.yaml already; name another file, or add --force"
    assert (done.code, done.err) == (4, f"compress-guard: {message}\n")
    assert (folder / "thresholds.yaml").read_text() == "mine\n"
    assert command("init", *TOY, "--no-measure", "--force").code == 0
    assert only_guard(folder).name == "model"


def test_a_schema_of_somebody_else_stays(command, folder):
    (folder / NAME).write_text('{"$id": "other"}')
    done = command("init", *TOY, "--no-measure")
    message = f"--out: there is a file {NAME} already, which is no schema of compress_guard; rename it, or add --force"
    assert (done.code, done.err) == (4, f"compress-guard: {message}\n")
    assert (folder / NAME).read_text() == '{"$id": "other"}'
    assert not (folder / "thresholds.yaml").exists()


def test_an_earlier_copy_of_the_schema_is_replaced(command, folder):
    (folder / NAME).write_text('{"$id": "urn:compress-guard:thresholds:1", "old": true}')
    assert command("init", *TOY, "--no-measure").code == 0
    assert (folder / NAME).read_bytes() == SCHEMA_FILE.read_bytes()


def test_a_model_that_cannot_be_measured(command, folder):
    (folder / "bad.py").write_text("def model():\n    raise ValueError('no weights')\n")
    done = command("init", *TOY, "--model", "bad:model", "--quality", "75,50")
    problem = "bad:model: raised ValueError: no weights; expected it to return an object"
    assert done.code == 1
    assert done.err.endswith(
        f"compress-guard: init: model[jpeg-q50] could not be measured: {problem}; nothing was written\n"
    )
    assert not (folder / "thresholds.yaml").exists()
    assert not (folder / NAME).exists()


def test_no_point_that_can_be_measured(command, folder):
    done = command("init", *TOY, "--bpp", "webp=0.02", "--limit", "4")
    assert done.code == 1
    problem = "no point could be measured: none of these codecs is installed and reaches it"
    assert done.err.endswith(f"compress-guard: init: {problem}; nothing was written\n")
    assert not (folder / "thresholds.yaml").exists()
