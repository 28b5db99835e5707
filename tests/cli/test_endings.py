"""The results file of a command: how it ended, what it left out, and what an earlier one left."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FIRST, SECOND = "thresholds.yaml::a[jpeg-0.5bpp]", "thresholds.yaml::b[jpeg-0.5bpp]"


def ending(path):
    document = json.loads(path.read_text())
    return document["exit_status"], document["not_measured"], [cell["id"] for cell in document["cells"]]


def test_all_that_was_selected_held(command, guards, folder):
    guards(a="max_drop: 100", b="max_drop: 100")
    assert command("run", "--json", "r.json").code == 0
    assert ending(folder / "r.json") == (0, [], [FIRST, SECOND])
    assert command("run", "--json", "r.json", "--only", "b*").code == 0
    assert ending(folder / "r.json") == (0, [], [SECOND])
    assert ending(folder / "r.json.previous") == (0, [], [FIRST, SECOND])
    assert (folder / "r.evidence.zip.previous").exists()


def test_a_cell_failed(command, guards, folder):
    guards(a="max_drop: 100", b="max_drop: 100, model: 'toy:nothing'")
    assert command("run", "--json", "r.json").code == 1
    assert ending(folder / "r.json") == (1, [], [FIRST, SECOND])


INTERRUPTED = """
import os, signal, toy

def model():
    os.kill(os.getpid(), signal.SIGINT)
    return toy.model()
"""


def test_an_interrupted_command_keeps_what_it_measured(guards, folder):
    guards(a="max_drop: 100", b="max_drop: 100, model: 'stopped:model'")
    (folder / "stopped.py").write_text(INTERRUPTED)
    command = [sys.executable, "-m", "compress_guard", "run", "--json", "r.json", "--workers", "1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 130, done.stderr
    assert ending(folder / "r.json") == (130, [SECOND], [FIRST])


def test_what_cannot_be_renamed_is_told(command, guards, folder):
    guards(a="max_drop: 100")
    (folder / "r.json").write_text("earlier")
    (folder / "r.json.previous").mkdir()
    done = command("run", "--json", "r.json")
    assert done.code == 0
    assert done.err.splitlines()[0].startswith(
        f"compress-guard: --json: {folder / 'r.json'}: this report of an earlier run cannot be "
    )
    assert ending(folder / "r.json") == (0, [], [FIRST])


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--json", "r.json", "--only", "nothing")])
def test_a_command_that_measures_nothing_leaves_the_earlier_file(command, guards, folder, arguments):
    guards(a="max_drop: 100")
    (folder / "r.json").write_text("earlier")
    command(*arguments)
    assert (folder / "r.json").read_text() == "earlier"
