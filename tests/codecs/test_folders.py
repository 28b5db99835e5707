"""Paths among a codec's options mean the same files, whatever becomes of the current folder."""

from __future__ import annotations

import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from compress_guard.codecs.command import Command
from compress_guard.codecs.zoo.own import CompressAi
from compress_guard.codecs.zoo.published import Zoo
from compress_guard.codecs.zoo.weights import WEIGHTS_VARIABLE
from compress_guard.engine.coding.available import build_codec
from compress_guard.engine.keyword_guard import one_cell_guard
from compress_guard.records import CodecSpec
from compress_guard.registry import codec_named

CODE = f"""#!/bin/sh
exec {sys.executable} -c "import sys; from PIL import Image; q = int(sys.argv[3]); \
Image.open(sys.argv[1]).save(sys.argv[2], 'JPEG' if q else 'PNG', quality=q)" "$@"
"""
LINES = {"encoder": "{program} {{input}} {{output}} {{setting}}", "decoder": "{program} {{input}} {{output}} 0"}


def lines(program):
    return {key: line.format(program=program) for key, line in LINES.items()}


@pytest.fixture
def start(tmp_path, monkeypatch):
    """The folder that a run starts from, with a program in a folder below."""
    folder = tmp_path / "start"
    (folder / "tools").mkdir(parents=True)
    for place in (folder / "code.sh", folder / "tools" / "code.sh"):
        place.write_text(CODE)
        place.chmod(stat.S_IRWXU)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """Changes the current folder."""
    (tmp_path / "elsewhere").mkdir()
    return lambda: monkeypatch.chdir(tmp_path / "elsewhere")


@pytest.mark.parametrize("program", ["./code.sh", "tools/code.sh", "code.sh"])
def test_programs_of_a_command(start, elsewhere, monkeypatch, program):
    monkeypatch.setenv("PATH", "tools:/usr/bin:/bin")
    options = lines(program) | {"settings": (20, 60, 95), "format": "png"}
    spec = CodecSpec("mine", "command", tuple(sorted(options.items())), folder=str(start))
    codec, before = build_codec(spec), build_codec(spec).version
    elsewhere()
    assert codec.unavailable() is None
    assert codec.version == before
    assert build_codec(spec).version == before
    image = torch.full((3, 16, 24), 128, dtype=torch.uint8)
    (decoded,) = codec.decode(codec.encode([image], [95.0]))
    assert decoded.shape == image.shape
    assert not list(Path().iterdir())


def test_files_in_the_lines_of_a_command(start, elsewhere):
    line = f"{sys.executable} tools/code.sh {{input}} {{output}}"
    codec = Command(f"{line} {{setting}}", line, "1..9", version_command=f"{sys.executable} -c print(7) x")
    anchored = codec.seen_from(start)
    elsewhere()
    assert anchored._words(line)[1] == str(start / "tools" / "code.sh")
    assert codec._words(line)[1] == "tools/code.sh"
    assert anchored == codec
    assert repr(anchored) == repr(codec)  # no part of what a stream depends on
    assert anchored.version == codec.version


def test_checkpoints(start, elsewhere):
    (start / "w.pth").write_bytes(b"no checkpoint")
    spec = codec_named("compressai:w.pth?arch=mbt2018-mean")
    there, gone = build_codec(spec), build_codec(codec_named("compressai:gone.pth?arch=mbt2018-mean"))
    assert isinstance(there, CompressAi)
    elsewhere()
    assert there._paths() == [start / "w.pth"]
    with pytest.raises(Exception, match=f"there is no file gone.pth, seen from {start}; correct path, or put the"):
        gone.checkpoints()
    again = build_codec(replace(spec, folder=str(start)))
    assert again._paths() == there._paths()


@pytest.mark.parametrize("way", ["option", "variable"])
def test_folders_of_weights(start, elsewhere, monkeypatch, way):
    options = {"model": "mbt2018-mean"}
    if way == "option":
        options["weights"] = "w"
    else:
        monkeypatch.setenv(WEIGHTS_VARIABLE, "w")
    codec = build_codec(CodecSpec("z", "zoo", tuple(options.items())))
    assert isinstance(codec, Zoo)
    elsewhere()
    assert codec.shelf().folder == start / "w"


def test_a_codec_keeps_its_folder_on_another_device(start):
    codec = build_codec(CodecSpec("z", "zoo", (("model", "mbt2018-mean"), ("weights", "w"))))
    assert codec.on("cpu:0").shelf().folder == start / "w"


def test_a_cell_without_a_file_is_seen_from_where_it_was_asked_for(start, elsewhere):
    spec = (
        one_cell_guard("own", task="classification", codec="compressai:w.pth?arch=mbt2018-mean", bpp=1.0).cells[0].codec
    )
    elsewhere()
    assert build_codec(spec)._paths() == [start / "w.pth"]
