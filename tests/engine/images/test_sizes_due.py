"""Decoding with the expected size, so that a header of gigabytes is refused before anything is decoded."""

from __future__ import annotations

import shlex
import sys

import numpy as np
import pytest
import torch
from PIL import Image, PpmImagePlugin

from compress_guard import compress, measure
from compress_guard.errors import CodecError

PROGRAM = """
import os, sys
source, target = sys.argv[1:3]
setting = sys.argv[3] if sys.argv[3:] else None
data = bytes(40 * int(setting)) if setting else b"P6 100000 100000 255\\n"
open(target, "wb").write(data)
"""
TOLD = "it came back as 100000x100000 pixels, expected 64x48"


class Data:
    def __len__(self):
        return 4

    def __getitem__(self, at):
        return Image.fromarray(np.random.default_rng(at).integers(0, 255, (48, 64, 3)).astype(np.uint8)), 0


@pytest.fixture
def options(tmp_path, monkeypatch):
    (tmp_path / "program.py").write_text(PROGRAM)
    right = PpmImagePlugin.PpmImageFile.load

    def load(image):
        # The lossless control goes through this format too.
        assert image.size == (64, 48), "pixels were decoded"
        return right(image)

    monkeypatch.setattr(PpmImagePlugin.PpmImageFile, "load", load)
    line = f"{shlex.quote(sys.executable)} -I -S {shlex.quote(str(tmp_path / 'program.py'))} {{input}} {{output}}"
    return {"encoder": f"{line} {{setting}}", "decoder": line, "settings": "1..20"}


def test_compress(options):
    image = torch.zeros(3, 48, 64, dtype=torch.uint8)
    with pytest.raises(CodecError) as caught:
        compress([image], codec="command", bpp=1.0, **options)
    assert str(caught.value).endswith(TOLD)


def test_a_measurement(options):
    with pytest.raises(CodecError) as caught:
        measure(
            lambda images: [torch.tensor([1.0, 0.0]) for _ in images],
            Data(),
            task="classification",
            codec="command",
            bpp=1.0,
            device="cpu",
            options=options,
        )
    assert str(caught.value).endswith(TOLD)
