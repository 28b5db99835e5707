"""The difference of two images, in whole levels: equal on every device and with any number of threads."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch

EXACT_PSNR: Final = 100.0
"""PSNR of equal images, in dB. One level in one channel of a 32-megapixel image is 128 dB, 100 dB are out of reach of
anything that loses information, and a mean over images stays finite."""

_PEAK: Final = 255**2
_SLAB_VALUES: Final = 2**18
"""Number of values compared at once: few enough for a cache, which is 20 times as fast, and for bounded memory."""
_EXACT_SQUARES: Final = 256
"""Number of squares in one sum: 256 x 255**2 is below 2**24, so that the sum is exact in float32."""
_LUMA: Final = (299, 587, 114)
"""Thousandths of red, green and blue in the luma of ITU-R BT.601, which JPEG codes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Two images of one size, pixel by pixel."""

    differing: int
    """Number of pixels of which a channel differs."""
    pixels: int
    largest: int
    """Largest difference in a channel, in levels of 0 to 255."""
    luma: float
    """Mean absolute difference in luma, in levels."""
    psnr: float
    """PSNR over the three channels in dB; `EXACT_PSNR` where nothing differs."""

    @classmethod
    def between(cls, one: torch.Tensor, other: torch.Tensor) -> Difference:
        """Build the difference of two uint8 RGB tensors (3, H, W), on any devices."""
        import torch

        height, width = one.shape[-2:]
        if one.device == other.device and one.equal(other):  # ten times as fast as the sums
            return cls(0, int(height * width), 0, 0.0, EXACT_PSNR)
        differing = largest = luma = squares = 0
        for part, twin in _slabs(one, other):
            delta = part.to(torch.int32) - twin.to(torch.int32)
            differing += int((delta != 0).any(0).sum())
            largest = max(largest, int(delta.abs().max()))
            weighted = sum(weight * plane for weight, plane in zip(_LUMA, delta, strict=True))
            luma += int(torch.as_tensor(weighted).abs().sum())
            squares += int((delta * delta).sum())
        pixels = int(height * width)
        return cls(differing, pixels, largest, luma / 1000 / pixels, _psnr(squares, 3 * pixels))


def mean_difference(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the mean absolute difference of two uint8 RGB tensors (3, H, W) over the three channels, in levels."""
    import torch

    sums = (int((part.to(torch.int32) - twin.to(torch.int32)).abs().sum()) for part, twin in _slabs(one, other))
    return sum(sums) / one.numel()


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    """Return the PSNR of two uint8 RGB tensors (3, H, W) over the three channels, in dB, at most `EXACT_PSNR`."""
    squares = sum(_squares(part.float() - twin.float()) for part, twin in _slabs(one, other))
    return _psnr(squares, one.numel())


def coarse_psnr(image: torch.Tensor, block: int = 8) -> float:
    """Return the PSNR in dB of a copy of the image, uint8 (3, H, W), in which each block is replaced by its mean.

    It says how much detail there is to lose: 45 dB for a hazy sky, 15 for sand. Rows and columns that fill no block
    do not count.
    """
    import torch

    height, width = image.shape[-2:]
    rows, columns = min(block, int(height)), min(block, int(width))
    whole = image[:, : height // rows * rows, : width // columns * columns]
    squares, of_means = 0, 0.0
    for (part,) in _slabs(whole, rows=rows):
        values = part.float()
        squares += _squares(values)
        # Sums of a block are whole numbers below 2**24, so exact in float32.
        sums = torch.nn.functional.avg_pool2d(values, (rows, columns), divisor_override=1)
        of_means += float((sums.double() ** 2).sum()) / (rows * columns)
    return _psnr(max(0.0, squares - of_means), whole.numel())


def flat_psnr(image: torch.Tensor) -> float:
    """Return the PSNR in dB of a flat picture of the image's mean colour against the image, uint8 (3, H, W)."""
    import torch

    pixels = image[0].numel()
    squares, sums = 0, torch.zeros(3, dtype=torch.float64)
    for (part,) in _slabs(image):
        values = part.float()
        squares += _squares(values)
        # A row of up to 2**16 pixels sums up to less than 2**24, so exactly in float32.
        sums += values.sum(2).double().sum(1).cpu()
    return _psnr(max(0.0, squares - float((sums**2).sum()) / pixels), image.numel())


def _squares(values: torch.Tensor) -> int:
    """Return the exact sum of squares of whole numbers from -255 to 255.

    It is computed in float32, which is 20 times as fast as in integers.


    So many squares as are summed in float32 stay below 2**24, up to where it has every whole number.
    """
    import torch

    flat = values.reshape(-1)
    whole = flat.numel() // _EXACT_SQUARES * _EXACT_SQUARES
    sums = flat[:whole].view(-1, _EXACT_SQUARES).square().sum(1)
    return int(sums.to(torch.int64).sum()) + int(flat[whole:].square().sum())


def _psnr(squares: float, count: int) -> float:
    error = squares / count
    return EXACT_PSNR if error <= 0 else min(EXACT_PSNR, 10 * math.log10(_PEAK / error))


def _slabs(*images: torch.Tensor, rows: int = 1) -> Iterator[tuple[torch.Tensor, ...]]:
    """Yield slabs of full rows of images (3, H, W), a multiple of `rows` each, on the device of the first image."""
    first = images[0]
    step = max(1, _SLAB_VALUES // (3 * int(first.shape[-1]) * rows)) * rows
    for start in range(0, int(first.shape[-2]), step):
        yield tuple(image[:, start : start + step].to(first.device) for image in images)
