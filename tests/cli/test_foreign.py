"""The command writes texts of programs, folders, files and exits so that they cannot do anything."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import sys
from pathlib import Path

import pytest

from compress_guard.cli import main
from compress_guard.foreign import is_fit
from compress_guard.records import SCHEMA

HOSTILE = "\n::error::owned\x1b[2J\u202eevil\u200b##vso[task]z"
SHOWN = r"\x0a::error::owned\x1b[2J\u202eevil\u200b\x23#vso[task]z"


def check(text: str) -> None:
    for line in text.split("\n"):
        assert is_fit(line), ascii(line)
        assert not line.lstrip().startswith("::"), ascii(line)
        assert not re.search(r"##\w*\[", line), ascii(line)


@pytest.fixture
def versioned(folder: Path) -> None:
    """A thresholds file whose codec has a version that nobody should print as it is."""
    program = folder / "code"
    program.write_text(f"#!{sys.executable}\nprint({HOSTILE[1:]!r})\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "thresholds.yaml").write_text(
        'version: 1\ncodecs:\n  mine: {type: command, encoder: "./code {input} {output} {setting}", '
        'decoder: "./code {input} {output}", settings: [1, 9], version_command: "./code"}\n'
        'guards:\n  toy: {task: classification, model: "toy:model", data: "toy:data", codecs: [mine], bpp: [0.5],\n'
        "    limit: 4, max_drop: 9, throughput: {}}\n",
        encoding="utf-8",
    )


@pytest.mark.skipif(os.name == "nt", reason="a script is no program there")
@pytest.mark.parametrize("arguments", [("doctor",), ("run", "--json", "r.json"), ("run", "--benchmark")])
def test_the_version_of_a_program(command, folder, versioned, arguments) -> None:
    done = command(arguments[0], "thresholds.yaml", *arguments[1:])
    check(done.out)
    check(done.err)
    if arguments == ("doctor",):
        assert r"::error::owned\x1b[2J\u202eevil\u200b\x23#vso[task]z (lines " in done.out
    if "--json" in arguments:
        (cell,) = json.loads((folder / "r.json").read_text(encoding="utf-8"))["cells"]
        assert cell["codec_version"].startswith(r"::error::owned\x1b[2J\u202eevil\u200b\x23#vso[task]z (lines ")


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_folder_of_weights(folder, monkeypatch, encoding) -> None:
    name = "日本\udce9\n::error::\u202e"
    (folder / name).mkdir()
    monkeypatch.setattr("compress_guard.cli.doctor._registered", list)
    monkeypatch.setenv("COMPRESS_GUARD_WEIGHTS", name)
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["doctor", "--lock"]) == 0
    out.flush()
    written = out.buffer.getvalue().decode(encoding)
    check(written)
    assert r"no lock file written: there are no intact weights in \u65e5\u672c\udce9\x0a::error::\u202e" in written


def test_studies_of_a_results_file(command, folder, tmp_path) -> None:
    share = {"value": 80.0, "low": 70.0, "high": 90.0}
    point = {"codec": HOSTILE, "bpp": 0.5, "bpp_mean": 0.5, "compressed": 50.0, "control": 55.0, "finetuned": 80.0}
    point |= {"control_seeds": [55.0], "finetuned_seeds": [80.0], "recovered": share, "beyond_control": share}
    study = dict.fromkeys(["id", "guard", "codec", "reason", "trainer", "device"], HOSTILE)
    study |= {"task": "classification", "metric": "top1", "trained_bpp": 0.5, "confidence": 0.95, "clean": 90.0}
    study |= {"verdict": "fail", "outcome": "failed", "settled_by": "interval", "seeds": [0], "points": [point]}
    (folder / "r.json").write_text(json.dumps({"schema": SCHEMA, "cells": [], "recovery": [study]}), encoding="utf-8")
    done = command("recover", "--from", "r.json", "--figure", "r.svg")
    assert done.code == 1
    check(done.out)
    check(done.err)
    assert SHOWN in done.out
    check((folder / "r.svg").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("run", HOSTILE), rf"compress-guard: {SHOWN}: there is no such file; "),
        (("run", "thresholds.yaml", HOSTILE), f"error: unrecognized arguments: {SHOWN}\n"),
        (("run", "thresholds.yaml", "--only", HOSTILE), f"no cell matches {SHOWN}; "),
        (("recover", "--from", HOSTILE), f"--from: {SHOWN}: there is no such file; "),
    ],
)
def test_an_argument(command, guards, arguments, shown) -> None:
    guards(toy="max_drop: 9")
    done = command(*arguments)
    assert done.code == 4
    check(done.err)
    assert shown in done.err


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("'a\\n::error::'", r"with 'a\n::error::'"),
        ("3", "with 3"),
        ("['a\\n::error::\\u202e']", r"with ['a\n::error::\u202e']"),
    ],
)
def test_an_exit(command, guards, monkeypatch, code, shown) -> None:
    guards(toy="max_drop: 9")

    def leaves(_: object) -> None:
        raise SystemExit(eval(code))

    monkeypatch.setattr("compress_guard.cli.run.run", leaves)
    done = command("run")
    assert done.code == 1
    assert shown in done.err
    check(done.err)
