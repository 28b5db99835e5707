"""What people's code does to the current folder, or a misspelt selection, changes nothing of what was asked for."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MOVING = """
import os, pathlib, toy

def model():
    folder = pathlib.Path(__file__).parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    os.chdir(folder)
    return toy.model()
"""


@pytest.fixture
def moved(folder, guards):
    """A project whose model's factory changes the current folder; says what it left there."""
    (folder / "moving.py").write_text(MOVING)
    guards(toy='model: "moving:model", max_drop: 100, limit: 2')
    return lambda: sorted(path.name for path in (folder / "elsewhere").iterdir())


def test_files_of_the_command_line_stay_where_it_was_started(command, folder, moved):
    done = command("run", "--json=out/r.json", "--cache=kept", "--device=cpu")
    assert (done.code, moved()) == (0, [])
    document = json.loads((folder / "out" / "r.json").read_text())
    assert [cell["id"] for cell in document["cells"]] == ["thresholds.yaml::toy[jpeg-0.5bpp]"]
    assert (folder / "out" / document["evidence"]["file"]).exists()
    assert (folder / "kept" / "streams").is_dir()


def test_the_file_named_from_another_folder(command, folder, moved, monkeypatch):
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    assert command("run", "../thresholds.yaml", "--json=r.json", "--device=cpu").code == 0
    assert (moved(), (folder / "here" / "r.json").exists()) == ([], True)
    assert (folder / ".compress_guard" / "streams").is_dir()


def test_modules_that_a_relative_entry_of_the_search_path_leads_to(folder, moved):
    (folder / "gates").mkdir()
    (folder / "later.py").write_text("import toy\n\n\ndef data():\n    return toy.data()\n")
    text = (folder / "thresholds.yaml").read_text()
    second = text[text.index("  toy:") :].replace("  toy:", "  zoo:").replace("moving:model", "toy:model")
    (folder / "gates" / "t.yaml").write_text(text + second.replace("toy:data", "later:data"))
    program = "from compress_guard.cli import main; raise SystemExit(main(['run', 'gates/t.yaml', '--device=cpu']))"
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 cells: 2 passed" in done.stdout


def test_a_slicer_that_is_looked_up_after_the_model(command, folder, guards, moved):
    (folder / "parts.py").write_text("def half(target, image_id):\n    return 'even' if target % 2 == 0 else 'odd'\n")
    keys = 'slices: {half: "parts:half"}, fingerprint: {files: [toy.py]}'
    guards(toy=f'model: "moving:model", max_drop: 100, limit: 4, {keys}')
    done = command("run", "--json=r.json", "--device=cpu")
    assert (done.code, moved()) == (0, [])
    (cell,) = json.loads((folder / "r.json").read_text())["cells"]
    assert {part["value"] for part in cell["slices"]} == {"even", "odd"}


def test_throughput_too(command, folder, guards, moved):
    (folder / "moving.py").write_text(MOVING.replace("model", "data"))
    text = (folder / "thresholds.yaml").read_text().replace("moving:model", "toy:model")
    (folder / "thresholds.yaml").write_text(text.replace("toy:data", "moving:data"))
    done = command("run", "--benchmark", "--json=r.json", "--cache=kept", "--device=cpu", "--only=*decode*")
    assert (done.code, moved(), (folder / "r.json").exists()) == (0, [], True)


def test_a_pattern_beside_one_that_matches_has_to_match_too(command):
    done = command("run", "--only=toy*", "--only=phtos*")
    assert (done.code, done.out) == (4, "")
    assert done.err == ("compress-guard: --only: no cell matches phtos*; there are 4, the first is toy[jpeg-0.5bpp]\n")


def test_a_guard_without_a_study_beside_one_that_has_one_is_refused(command, guards):
    guards(toy="max_drop: 100, recovery: {train: 'toy:more'}", plain="max_drop: 100")
    done = command("recover", "--guard=toy", "--guard=plain")
    assert (done.code, done.out) == (4, "")
    assert done.err.startswith("compress-guard: --guard: plain of thresholds.yaml asks for no study; add recovery:")
