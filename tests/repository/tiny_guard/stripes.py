"""Pictures of stripes, and a model that says which way they run."""

from __future__ import annotations

import torch

SIDE = 96
IMAGES = 60


def data():
    """Images of noisy stripes, labelled 0 where they stand upright and 1 where they lie."""
    generator = torch.Generator().manual_seed(7)
    wave = (torch.arange(SIDE) / 6).sin().expand(SIDE, SIDE) * 60
    samples = []
    for number in range(IMAGES):
        noise = torch.randn(3, SIDE, SIDE, generator=generator) * 12
        pattern = wave if number % 2 == 0 else wave.T
        samples.append(((128 + pattern + noise).clamp(0, 255).to(torch.uint8), number % 2))
    return samples


def model():
    """A predictor: the direction in which neighbouring pixels differ more."""
    return lambda images: [contrasts(image.float().mean(0)) for image in images]


def contrasts(grey: torch.Tensor) -> torch.Tensor:
    """Scores (2,): mean difference between columns, between rows, four pixels apart."""
    across = (grey[:, 4:] - grey[:, :-4]).abs().mean()
    down = (grey[4:] - grey[:-4]).abs().mean()
    return torch.stack([across, down])
