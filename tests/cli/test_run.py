"""``compress-guard run``: exit codes, options, and the same results as the plugin's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from compress_guard import __version__
from compress_guard.codecs.jpeg import Jpeg

COST = {"seconds", "encodes", "predictions"}


def cells(path):
    document = json.loads(path.read_text())
    return {cell["id"].partition("::")[2]: cell for cell in document["cells"]}


def test_all_cells_held(command, guards):
    guards(toy="max_drop: 100")
    done = command("run")
    assert done.code == 0
    assert "toy: top1 100.0 on 8 clean images" in done.out
    assert "1 cell: 1 passed (verdicts: 1 pass)" in done.out
    resolves, cell = done.err.splitlines()
    assert resolves.startswith("toy: with 8 images a drop must be ")
    assert cell.startswith("[1/1] toy[jpeg-0.5bpp] passed: top1 ")


def test_a_cell_failed(command, guards, folder):
    guards("codecs: [jpeg], bpp: [0.5]", toy="max_drop: 1")
    done = command("run", "thresholds.yaml", "--json", "out/results.json")
    cell = cells(folder / "out" / "results.json")["toy[jpeg-0.5bpp]"]
    assert (done.code, cell["verdict"]) == (1, "fail")
    assert f"  FAIL jpeg at 0.5 bpp: {cell['reason']}\n" in done.out
    assert "    limit: thresholds.yaml:4 max_drop\n" in done.out
    assert "    rerun: compress-guard run thresholds.yaml --only 'toy[jpeg-0.5bpp]'\n" in done.out
    assert (done.out + done.err).count(cell["reason"]) == 1
    *_, line = done.err.splitlines()
    assert line.startswith("[1/1] toy[jpeg-0.5bpp] failed: top1 -")
    assert line.endswith(", allowed 1.0")


@pytest.mark.parametrize("way_out", ["raise ValueError('no weights')", "import sys; sys.exit(0)"])
def test_a_model_that_misbehaves(command, guards, folder, way_out):
    guards(good="max_drop: 100", bad='model: "bad:model", max_drop: 100')
    (folder / "bad.py").write_text(f"def model():\n    {way_out}\n")
    done = command("run", "--json=results.json")
    assert done.code == 1
    found = cells(folder / "results.json")
    assert found["good[jpeg-0.5bpp]"]["verdict"] == "pass"
    assert found["bad[jpeg-0.5bpp]"]["reason"] in (
        "bad:model: raised ValueError: no weights; expected it to return an object",
        "bad:model: raised SystemExit: 0; expected it to return an object",
    )


def test_a_guard_that_gates_nothing(command, guards):
    guards(toy="max_drop: 100", floor="max_drop: 100, bpp: [0.05]")
    done = command("run")
    assert done.code == 1
    assert "floor gates nothing: none of its 1 cell was judged" in done.out
    assert command("run", "--only", "toy*").code == 0


def test_strict(command, guards):
    guards(toy="max_drop: 100, bpp: [0.05, 0.5]", stated="max_drop: 100, bpp: [0.05, 0.5], on_unreachable: skip")
    assert command("run", "--only", "stated*", "--strict").code == 0
    assert command("run", "--only", "toy*").code == 0
    assert command("run", "--only", "toy*", "--strict").code == 1


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        (["toy[jpeg-0.5bpp]"], ["toy[jpeg-0.5bpp]"]),
        (["toy[webp-*"], ["toy[webp-0.5bpp]", "toy[webp-2.0bpp]"]),
        (["*-2.0bpp]", "toy[jpeg-0.5bpp]"], ["toy[jpeg-0.5bpp]", "toy[jpeg-2.0bpp]", "toy[webp-2.0bpp]"]),
    ],
    ids=str,
)
def test_only(command, folder, patterns, chosen):
    done = command("run", "--limit=2", "--json=results.json", *(f"--only={pattern}" for pattern in patterns))
    assert done.code == 0
    assert list(cells(folder / "results.json")) == chosen


def test_the_results_are_those_of_the_plugin(command, folder):
    command("run", "--limit=8", "--seed=3", "--workers=1", "--device=cpu", "--cache=kept", "--json=ours.json")
    options = (
        "--compress-guard --cg-limit=8 --cg-seed=3 --cg-workers=1 --cg-device=cpu --cg-cache=kept -p no:cacheprovider"
    )
    assert pytest.main([*options.split(), f"--rootdir={folder}", "--cg-json=theirs.json", "-q"]) == 0
    ours, theirs = (json.loads((folder / name).read_text()) for name in ("ours.json", "theirs.json"))
    for document in (ours, theirs):
        for cell in document["cells"]:
            for key in COST:
                del cell[key]
        document["evidence"].pop("file")
        del document["environment"]["date"]
    assert ours == theirs
    assert [(cell["images"], cell["seed"]) for cell in ours["cells"]] == [(8, 3)] * 4


def test_ids_are_those_of_the_plugin_from_a_folder_below(command, folder):
    file = folder / "gates" / "nested" / "release.yaml"
    file.parent.mkdir(parents=True)
    for name in ("thresholds.yaml", "toy.py"):
        (folder / name).rename(file if name == "thresholds.yaml" else file.parent / name)
    options = ["--compress-guard", "--cg-limit=2", "-p", "no:cacheprovider", f"--rootdir={folder}", "-q"]
    assert pytest.main([*options, "--cg-json=theirs.json", "gates/nested/release.yaml"]) == 0
    theirs = [cell["id"] for cell in json.loads((folder / "theirs.json").read_text())["cells"]]
    assert theirs[0] == "gates/nested/release.yaml::toy[jpeg-0.5bpp]"
    for given in ("gates/nested/release.yaml", f"./gates/../{file.relative_to(folder)}", str(file)):
        assert command("run", given, "--limit=2", "--json=ours.json").code == 0
        assert [cell["id"] for cell in json.loads((folder / "ours.json").read_text())["cells"]] == theirs


def test_a_file_outside_the_current_folder_has_its_bare_name_in_ids(command, folder, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert command("run", "../thresholds.yaml", "--limit=2", "--json=ours.json", "--only=toy[jpeg-0.5bpp]").code == 0
    (cell,) = json.loads(Path("ours.json").read_text())["cells"]
    assert cell["id"] == "thresholds.yaml::toy[jpeg-0.5bpp]"


def test_cache(command, guards, folder, monkeypatch):
    calls = []
    encode = Jpeg.encode

    def counted(self, images, settings, workers=1):
        calls.extend(settings)
        return encode(self, images, settings, workers)

    monkeypatch.setattr(Jpeg, "encode", counted)
    guards(toy="max_drop: 100, limit: 4")
    command("run", "--no-cache")
    assert calls
    assert not (folder / ".compress_guard").exists()
    command("run")
    assert (folder / ".compress_guard" / ".gitignore").exists()
    calls.clear()
    command("run")
    assert calls == []
    command("run", "--cache=elsewhere")
    assert calls
    assert (folder / "elsewhere" / "streams").exists()


# Exit code 4, with one message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.yaml"], "gone.yaml: there is no such file; create it, or name another: compress-guard run FILE"),
        (["--device=gpu"], "--device: unknown device 'gpu'; use auto, cpu, cuda or cuda:N"),
        (["--cache=kept", "--no-cache"], "--no-cache: given together with --cache; use one of them"),
        (
            ["--only=photos*", "--only=x"],
            "--only: no cell matches photos* or x; there are 4, the first is toy[jpeg-0.5bpp]",
        ),
        (["--json=toy.py/x.json"], "--json: toy.py/x.json cannot be written: {folder}/toy.py is not a folder; name a "
         "file in a folder"),
    ],
    ids=["file", "device", "cache", "only", "json"],
)  # fmt: skip
def test_what_makes_no_sense(command, folder, arguments, message):
    done = command("run", *arguments)
    assert (done.code, done.out) == (4, "")
    assert done.err == f"compress-guard: {message.format(folder=folder)}\n"


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a CUDA device")
def test_a_device_that_is_not_there(command):
    done = command("run", "--device=cuda:3")
    assert done.code == 4
    assert done.err == (
        "compress-guard: --device: cuda:3 asked for, but torch sees no usable CUDA device; use auto or cpu\n"
    )


def test_a_file_without_sense(command, guards):
    guards(toy="max_drop: 100, metric: top3")
    done = command("run")
    assert done.code == 4
    assert done.err == (
        "compress-guard: thresholds.yaml:4: toy: unknown classification metric 'top3', did you mean 'top5'? known: "
        "top1, top5; use one of these\n"
    )


def test_fixtures_are_refused(command, guards):
    guards(toy='model: "fixture:network", max_drop: 100')
    done = command("run")
    assert done.code == 4
    assert done.err == (
        "compress-guard: thresholds.yaml:4: toy: model is fixture:network, and fixtures need pytest; run `pytest "
        "--compress-guard` or name a factory package.module:callable\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["gate"], "argument COMMAND: invalid choice: 'gate'"),
        (["run", "--limit=0"], "argument --limit: '0' is not a whole number of at least 1"),
        (["run", "--workers=two"], "argument --workers: 'two' is not a whole number of at least 1"),
        (["run", "--seed=x"], "argument --seed: invalid int value: 'x'"),
        (["run", "--colour"], "unrecognized arguments: --colour"),
        (
            ["run", "mine.yaml", "--cg-limit", "9", "--cg-json=r.json", "--cg-thresholds", "t.yaml"],
            "unrecognized arguments: --cg-limit 9 --cg-json=r.json --cg-thresholds t.yaml; "
            "--cg- belongs to pytest, use --json, --limit\n",
        ),
        (["run", "mine.yaml", "--cg-thresholds", "t.yaml"], "unrecognized arguments: --cg-thresholds t.yaml\n"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_usage(command, arguments, message):
    done = command(*arguments)
    assert done.code == 4
    assert message in done.err


def test_a_results_file_that_fails_at_the_end(command, guards, folder, monkeypatch):
    guards(toy="max_drop: 100, limit: 2")
    monkeypatch.setattr(
        "compress_guard.cli.preparation.check_results_file", lambda path, option, taken, with_evidence: None
    )
    done = command("run", "--json=toy.py/x.json")
    assert done.code == 1
    assert "toy: top1 100.0 on 2 clean images" in done.out
    assert done.err.endswith(
        f"compress-guard: --json: {folder}/toy.py/x.json: results cannot be written (File exists); name a file in a "
        "folder that can be written\n"
    ) or "results cannot be written (Not a directory)" in done.err  # fmt: skip


# Help


def test_the_help_teaches(command):
    assert command("--version").out == f"compress-guard {__version__}\n"
    assert "run" in command("--help").out
    text = " ".join(command("run", "--help").out.split())
    for part in (
        "Measure and judge the cells of a thresholds file, without pytest.",
        "Exit code 0: all cells held; 1: one failed or errored",
        "default: thresholds.yaml",
        "'photos[jpeg-*'",
        "--device DEVICE where models and GPU codecs run: auto (default), cpu, cuda or cuda:N",
        "--workers N",
        "--limit N",
        "--seed S",
        "--cache DIR",
        "--no-cache",
        "--json FILE",
        "--strict",
    ):
        assert part in text


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["--version"], ["run", "gone.yaml"]], ids=" ".join
)
def test_it_starts_without_torch_and_pytest(arguments, tmp_path):
    program = (
        "import sys; from compress_guard.cli import main; main(sys.argv[1:]); "
        "print('loaded:', *sorted({'torch', 'PIL', 'pytest', '_pytest'} & set(sys.modules)))"
    )
    command = [sys.executable, "-W", "error", "-c", program, *arguments]
    done = subprocess.run(command, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_the_module_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "compress_guard", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"compress-guard {__version__}\n"


def test_cells_that_compare_decoders(command, guards, folder):
    guards("codecs: [jpeg], bpp: [0.5]", toy="max_drop: 100, decoders: [pillow, opencv], max_decoder_drop: 60")
    done = command("run", "--json", "results.json")
    found = cells(folder / "results.json")
    assert list(found) == ["toy[jpeg-0.5bpp]", "toy[jpeg-0.5bpp-opencv]"]
    compared = found["toy[jpeg-0.5bpp-opencv]"]
    assert (done.code, compared["encodes"], compared["decoder_drop"], compared["decoder_difference_max"]) == (
        0,
        0,
        0,
        0,
    )
    assert (compared["decoder"], compared["first_decoder"], compared["max_decoder_drop"]) == ("opencv", "pillow", 60.0)
