"""Qualities of programs: what their list of settings says, against a plain loop of Pillow."""

from __future__ import annotations

import io
import json
import shlex
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import compress_guard
from compress_guard.errors import OptionError, ThresholdsError
from compress_guard.thresholds import load

SCRIPT = """
import sys
from PIL import Image

source, target, *quality = sys.argv[1:]
image = Image.open(source).convert("RGB")
image.save(target, **({"format": "JPEG", "quality": int(quality[0])} if quality else {}))
"""


@pytest.fixture
def program(tmp_path: Path) -> dict[str, object]:
    """Options of a codec whose programs are a script that runs Pillow; its settings are 20, 50 and 80."""
    file = tmp_path / "jpeg.py"
    file.write_text(SCRIPT, encoding="utf-8")
    run = f"{shlex.quote(Path(sys.executable).as_posix())} {shlex.quote(file.as_posix())}"
    lines = {"encoder": f"{run} {{input}} {{output}} {{setting}}", "decoder": f"{run} {{input}} {{output}}"}
    return {**lines, "settings": [20, 50, 80], "suffix": ".jpg"}


def plain(image: torch.Tensor, quality: int) -> tuple[bytes, torch.Tensor]:
    file = io.BytesIO()
    Image.fromarray(image.permute(1, 2, 0).numpy()).save(file, "JPEG", quality=quality)
    decoded = Image.open(io.BytesIO(file.getvalue())).convert("RGB")
    return file.getvalue(), torch.from_numpy(np.array(decoded)).permute(2, 0, 1)


def test_files_and_pixels_at_a_setting_of_the_list(pictures, program):
    images = [image for image, _, _ in pictures(2)]
    coded = compress_guard.compress(images, codec="command", quality=50, workers=1, **program)
    expected = [plain(image, 50) for image in images]
    assert coded.streams == [file for file, _ in expected]
    assert all(torch.equal(image, pixels) for image, (_, pixels) in zip(coded.images, expected, strict=True))
    assert coded.settings == [50.0, 50.0]


def test_a_cell_at_a_setting_of_the_list(pictures, spectrum, program):
    data = pictures(6)
    asked = {"task": "classification", "device": "cpu", "workers": 1, "options": program}
    result = compress_guard.measure(spectrum(), data, codec="command", quality=20, max_drop=100, **asked)
    made = [plain(image, 20) for image, _, _ in data]
    bits = [8 * len(file) / image[0].numel() for (file, _), (image, _, _) in zip(made, data, strict=True)]
    right = [
        int(spectrum()([pixels])[0].argmax()) == label for (_, pixels), (_, label, _) in zip(made, data, strict=True)
    ]
    assert result.bpp_mean == pytest.approx(sum(bits) / len(bits), rel=1e-12)
    assert result.score == pytest.approx(100 * sum(right) / len(right))
    assert (result.settings, result.target_quality, result.target_bpp) == (((20.0, 6),), 20.0, None)


def test_another_setting_is_refused(pictures, program):
    with pytest.raises(OptionError) as caught:
        compress_guard.compress([pictures(1)[0][0]], codec="command", quality=75, **program)
    assert str(caught.value) == "75 is no quality of command, which takes only 20, 50, 80; use one of these"


def test_another_setting_in_a_file_is_refused_with_its_line(tmp_path, program):
    file = tmp_path / "thresholds.yaml"
    own = json.dumps({"type": "command", **program})
    guard = "task: classification, model: m:f, data: d:f, codecs: [own]"
    file.write_text(f"version: 1\ncodecs: {{own: {own}}}\nguards:\n  photos: {{{guard}, quality: [75]}}\n")
    with pytest.raises(ThresholdsError) as caught:
        load(file)
    assert str(caught.value).endswith(
        ":4: photos: 75 is no quality of own, which takes only 20, 50, 80; use one of these"
    )
