"""Expected bits of coefficients whose surroundings are known; the rate of a learned codec depends on them.

Every 8x8 block is looked at, which takes a sixth of the time of coding by the bundled learned codec. Features of a few
blocks, as in `activity`, predict its rate half as well.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Final

from compress_guard.augment.waves import BLOCK, cosines

if TYPE_CHECKING:
    import torch

STEPS: Final = (8.0, 32.0, 128.0)
"""Quantisation steps, in levels of the image."""
_AROUND: Final = ((0.5, 1.0, 0.5), (1.0, 0.0, 1.0), (0.5, 1.0, 0.5))
"""Weights of the blocks around a block."""
_BESIDE: Final = ((0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 0.0))
_NARROWEST: Final = 0.02
"""Least width of a distribution, in steps."""
_MOST: Final = 20.0
"""Largest number of bits for a coefficient."""
_LEAST: Final = 1e-4
"""Bits per pixel that are added before taking a logarithm."""


def bits(image: torch.Tensor) -> list[float]:
    """Return log2 of bits per pixel for each of STEPS, of a uint8 RGB tensor (3, H, W), computed on its device.

    Coefficients of an orthonormal DCT over 8x8 pixels and 3 colours are assumed to follow Laplace's distribution, with
    the mean size of the same coefficient in the eight blocks around as its width. The mean of a block is predicted by
    the means of the four blocks beside it.
    """
    import torch

    coefficients = _coefficients(image)
    coefficients[:1] -= _weighted(coefficients[:1], _BESIDE)
    sizes = coefficients.abs_()
    widths = _weighted(sizes, _AROUND)
    pixels = image.shape[-2] * image.shape[-1]
    totals = torch.stack([_cost(sizes / step, widths / step).sum() for step in STEPS])
    return [math.log2(total / pixels + _LEAST) for total in totals.tolist()]


def _cost(sizes: torch.Tensor, widths: torch.Tensor) -> torch.Tensor:
    """Return the bits of coefficients of these sizes, rounded, under distributions of these widths; both in steps."""
    import torch

    widths = widths.clamp_(min=_NARROWEST) + _NARROWEST
    rounded = sizes.add_(0.5).floor_()
    zero = -torch.log2(-torch.expm1(-0.5 / widths))
    other = 1 + (rounded - 0.5) / (widths * math.log(2)) - torch.log2(-torch.expm1(-1 / widths))
    return torch.where(rounded == 0, zero, other).clamp_(max=_MOST)


def _coefficients(image: torch.Tensor) -> torch.Tensor:
    """Return coefficients, float32 (192, rows, columns); the last row and column of pixels fill up whole blocks."""
    import torch
    from torch.nn import functional

    height, width = image.shape[-2:]
    levels = image.to(torch.float32)[None] - 128
    levels = functional.pad(levels, (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")
    blocks = functional.pixel_unshuffle(levels, BLOCK)[0]
    return torch.einsum("kc,cyx->kyx", _transform().to(image.device), blocks)


def _weighted(values: torch.Tensor, weights: tuple[tuple[float, ...], ...]) -> torch.Tensor:
    """Return weighted means (C, H, W) of the neighbours of each value; the outermost row and column are repeated."""
    import torch
    from torch.nn import functional

    padded = functional.pad(values[:, None], (1, 1, 1, 1), mode="replicate")
    kernel = torch.tensor(weights, device=values.device)
    return functional.conv2d(padded, (kernel / kernel.sum())[None, None])[:, 0]


@functools.cache
def _transform() -> Any:
    """Return the orthonormal matrix (192, 192) from colour, row and column of a block to coefficients, mean first."""
    import numpy as np
    import torch

    colours, waves = cosines(3), cosines(BLOCK)
    size = 3 * BLOCK * BLOCK
    basis = np.einsum("kc,uy,vx->kuvcyx", colours, waves, waves).reshape(size, size)
    return torch.from_numpy(basis.astype(np.float32))
