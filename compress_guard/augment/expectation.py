"""How many bits coefficients would take if their surroundings were known: what a learned codec's rate hangs on.

Every 8x8 block is looked at, so this takes a sixth of the time of coding by the bundled learned codec; features of a
few blocks, as `activity` has them, foretell its rate half as well.
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
"""What the blocks around one count for."""
_BESIDE: Final = ((0.0, 1.0, 0.0), (1.0, 0.0, 1.0), (0.0, 1.0, 0.0))
_NARROWEST: Final = 0.02
"""In steps: no distribution is taken to be narrower."""
_MOST: Final = 20.0
"""Bits for a coefficient."""
_LEAST: Final = 1e-4
"""Bits per pixel that are added, for logarithms."""


def bits(image: torch.Tensor) -> list[float]:
    """log2 of bits per pixel, one for each of STEPS, of a uint8 RGB tensor (3, H, W), computed on its device.

    Coefficients of an orthonormal DCT over 8x8 pixels and 3 colours are taken to follow Laplace's distribution, whose
    width is the mean size of the same coefficient in the eight blocks around; the mean of a block is told by the means
    of the four beside it.
    """
    import torch

    found = _coefficients(image)
    found[:1] -= _weighted(found[:1], _BESIDE)
    sizes = found.abs_()
    widths = _weighted(sizes, _AROUND)
    pixels = image.shape[-2] * image.shape[-1]
    totals = torch.stack([_cost(sizes / step, widths / step).sum() for step in STEPS])
    return [math.log2(total / pixels + _LEAST) for total in totals.tolist()]


def _cost(sizes: torch.Tensor, widths: torch.Tensor) -> torch.Tensor:
    """Bits of coefficients of such sizes, rounded, if their distributions have such widths; both in steps."""
    import torch

    widths = widths.clamp_(min=_NARROWEST) + _NARROWEST
    rounded = sizes.add_(0.5).floor_()
    zero = -torch.log2(-torch.expm1(-0.5 / widths))
    other = 1 + (rounded - 0.5) / (widths * math.log(2)) - torch.log2(-torch.expm1(-1 / widths))
    return torch.where(rounded == 0, zero, other).clamp_(max=_MOST)


def _coefficients(image: torch.Tensor) -> torch.Tensor:
    """float32 (192, rows, columns); the last row and column of pixels are repeated up to whole blocks."""
    import torch
    from torch.nn import functional

    height, width = image.shape[-2:]
    levels = image.to(torch.float32)[None] - 128
    levels = functional.pad(levels, (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")
    blocks = functional.pixel_unshuffle(levels, BLOCK)[0]
    return torch.einsum("kc,cyx->kyx", _transform().to(image.device), blocks)


def _weighted(values: torch.Tensor, weights: tuple[tuple[float, ...], ...]) -> torch.Tensor:
    """Means (C, H, W) of what lies around each of `values`; at the edge its own row and column stand in."""
    import torch
    from torch.nn import functional

    padded = functional.pad(values[:, None], (1, 1, 1, 1), mode="replicate")
    kernel = torch.tensor(weights, device=values.device)
    return functional.conv2d(padded, (kernel / kernel.sum())[None, None])[:, 0]


@functools.cache
def _transform() -> Any:
    """(192, 192) orthonormal, the mean first: colour, row and column of a block to coefficients."""
    import numpy as np
    import torch

    colours, waves = cosines(3), cosines(BLOCK)
    size = 3 * BLOCK * BLOCK
    basis = np.einsum("kc,uy,vx->kuvcyx", colours, waves, waves).reshape(size, size)
    return torch.from_numpy(basis.astype(np.float32))
