"""Pictures to look at: scenes of the bundled world, and noise of any size."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from examples.world import GROUP, SINGLE, render


@pytest.fixture(scope="session")
def scenes() -> list[torch.Tensor]:
    """Sixteen rendered scenes, uint8 (3, 256, 256)."""
    rendered = [render(GROUP if index % 2 else SINGLE, 7, index).image for index in range(16)]
    return [torch.from_numpy(image.copy()).permute(2, 0, 1).contiguous() for image in rendered]


def grain(height: int, width: int, seed: int = 0) -> torch.Tensor:
    """A gradient with noise on it, uint8 (3, H, W)."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(0, 120, width)[None] + np.linspace(0, 60, height)[:, None]
    pixels = slope[None] + rng.normal(30, rng.uniform(0, 30), (3, height, width))
    return torch.from_numpy(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="session", name="grain")
def grain_fixture():
    return grain
