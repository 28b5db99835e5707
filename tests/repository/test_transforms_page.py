"""The page on compression as a step of training: its code runs as it stands there."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "transforms.md"


def blocks() -> dict[str, str]:
    """Python code by the name of the file on its first line."""
    text = PAGE.read_text(encoding="utf-8")
    return dict(re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


@pytest.fixture
def page(tmp_path, monkeypatch):
    """The page's files, to be imported by name."""
    for name, code in blocks().items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module
    for name in blocks():
        sys.modules.pop(name.removesuffix(".py"), None)


@pytest.fixture
def folder(tmp_path, photo_like):
    """Four pictures of two classes."""
    for number in range(4):
        (tmp_path / "pictures" / str(number % 2)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo_like(number)).save(tmp_path / "pictures" / str(number % 2) / f"{number}.png")
    return tmp_path / "pictures"


@pytest.fixture
def photo_like():
    def made(seed):
        waves = torch.randn(1, 3, 9, 12, generator=torch.Generator().manual_seed(seed))
        image = torch.nn.functional.interpolate(waves, (72, 96), mode="bicubic") * 40 + 128
        return image[0].permute(1, 2, 0).clamp(0, 255).to(torch.uint8).numpy()

    return made


def test_every_block_of_code_is_a_file():
    assert list(blocks()) == ["first.py", "finetune.py", "on_the_device.py"]


def test_a_picture_goes_through_the_first_pipeline(page, photo_like):
    torch.manual_seed(0)
    image = page("first").training(Image.fromarray(photo_like(0)))
    assert (image.shape, image.dtype) == ((3, 224, 224), torch.float32)


@pytest.mark.parametrize("workers", [0, 1])
def test_the_loop_finetunes(page, folder, workers):
    torch.manual_seed(0)
    module: Any = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(3, 2))
    before = module[2].weight.detach().clone()
    found: Any = page("finetune").finetune(module, folder, workers=workers)
    assert found is module
    assert found[2].weight.isfinite().all()
    assert not torch.equal(found[2].weight, before)


def test_a_batch_is_coded_on_the_device(page, photo_like):
    pytest.importorskip("constriction", reason="neural needs constriction")
    batch = torch.stack([torch.from_numpy(photo_like(seed)).permute(2, 0, 1) for seed in range(3)])
    torch.manual_seed(0)
    found = page("on_the_device").batch_for_training(batch)
    assert (found.shape, found.dtype) == (batch.shape, torch.float32)
    changed = (255 * found - batch).abs().amax((1, 2, 3)) > 0.5
    assert changed.any()
