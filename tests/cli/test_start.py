"""The command answers at once: what is asked of argparse alone loads nothing of the gate."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import contextlib, io, json, sys
before = set(sys.modules)
from compress_guard.cli import main
said = io.StringIO()
with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
    code = main(sys.argv[1:])
print(json.dumps({"code": code, "said": said.getvalue(), "modules": sorted(set(sys.modules) - before)}))
"""
HEAVY = {"PIL", "compressai", "numpy", "pytest", "torch", "torchvision", "yaml"}


def started(*arguments):
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--help"], 0, "usage: compress-guard"),
        (["--version"], 0, "compress-guard "),
        (["run", "--help"], 0, "usage: compress-guard run"),
        (["doctor", "--help"], 0, "usage: compress-guard doctor"),
        (["run", "--workers", "none"], 4, "'none' is not a whole number"),
        ([], 4, "usage: compress-guard"),
    ],
)
def test_what_argparse_answers_loads_nothing_else(arguments, code, said):
    found = started(*arguments)
    assert found["code"] == code
    assert said in found["said"]
    assert {name for name in found["modules"] if name.split(".")[0] == "compress_guard"} == {
        "compress_guard",
        "compress_guard.cli",
        # the arguments themselves, which know argparse alone
        "compress_guard.cli.arguments",
        "compress_guard.cli.arguments.github",
        "compress_guard.cli.arguments.measuring",
        "compress_guard.cli.arguments.parser",
        "compress_guard.cli.arguments.results",
        "compress_guard.cli.arguments.shared",
        "compress_guard.cli.arguments.starting",
        "compress_guard.cli.arguments.surroundings",
    }
    assert not {name.split(".")[0] for name in found["modules"]} & HEAVY


def test_a_file_that_makes_no_sense_is_refused_before_torch_is_loaded(tmp_path):
    file = tmp_path / "thresholds.yaml"
    file.write_text("version: 1\nguards: {photos: {task: nothing}}\n", encoding="utf-8")
    found = started("run", str(file))
    assert found["code"] == 4
    assert f"{file}:2: photos: " in found["said"]
    assert not {name.split(".")[0] for name in found["modules"]} & {"torch", "torchvision", "PIL", "pytest"}
