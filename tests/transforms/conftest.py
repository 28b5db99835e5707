"""A few rendered scenes, as tensors and as pictures."""

from __future__ import annotations

import pytest
import torch

from compress_guard.codecs.pixels import to_pil
from examples.world import GROUP, render


@pytest.fixture(scope="session")
def scenes() -> list[torch.Tensor]:
    """Four crops of rendered scenes, uint8 (3, 96, 128)."""
    rendered = [torch.from_numpy(render(GROUP, 7, index).image.copy()) for index in range(4)]
    return [image.permute(2, 0, 1)[:, 80:176, 60:188].contiguous() for image in rendered]


@pytest.fixture
def picture(scenes):
    return to_pil(scenes[0])
