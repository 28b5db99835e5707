"""Features of an image, from a few rows of its blocks, from which its rate is predicted."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from compress_guard.augment import expectation
from compress_guard.augment.waves import BLOCK, cosines
from compress_guard.codecs.pixels import from_pil

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from PIL import Image

QUICK: Final = 14
"""Number of features of a quick look, for codecs as fast as JPEG."""
CLOSE: Final = 38
"""Number of features of a close look: the quick ones, and residuals of blocks predicted from their neighbours."""
THOROUGH: Final = CLOSE + len(expectation.STEPS)
"""Number of features of a thorough look: the close ones, and the expected bits of all blocks."""
LOOKS: Final = (QUICK, CLOSE, THOROUGH)
_STRIPS: Final = {QUICK: 6, CLOSE: 24, THOROUGH: 24}
"""Largest number of rows of blocks in a look; cropping one from a PIL image costs as much as ten blocks."""
_BLOCKS: Final = {QUICK: 150, CLOSE: 720, THOROUGH: 720}
"""Approximate number of blocks in these rows, far apart: 3 and 14 % of a photograph of 0.3 megapixels. With fewer in a
quick look, 4 rows and 130 blocks, 87 instead of 95 % of photographs are within 20 % of their rate by JPEG."""

# ITU-T T.81, tables K.1 and K.2. The highest frequencies are left out: they add nothing to their neighbours.
_LUMA: Final = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69),
    (14, 17, 22, 29, 51, 87),
    (18, 22, 37, 56, 68),
    (24, 35, 55, 64),
    (49, 64, 78),
    (72, 92),
)
_CHROMA: Final = ((17, 18, 24), (18, 21), (24,))
_SCALED: Final = sum(map(len, _LUMA)) - 1 + 2 * (sum(map(len, _CHROMA)) - 1)
"""Number of coefficients, without the means."""
_YCC: Final = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))

_STEPS: Final = (-5, 11)
"""Thresholds of coefficients in units of JPEG's steps at quality 50: log2 of the lowest, and the number of octaves."""
_LEVELS: Final = (0, 9)
"""Thresholds in levels of the image, in the same form."""
_HALVED: Final = (0, 7)
_ANY: Final = (1, 8)


def of_tensor(image: torch.Tensor, count: int = QUICK) -> NDArray[np.float32]:
    """Return the features of a uint8 RGB tensor (3, H, W) on any device, (count,); `count` is one of LOOKS.

    Only rows of blocks leave the device.
    """
    import torch

    height, width = image.shape[-2:]
    if min(height, width) < 2 * BLOCK:
        features = _of_array(image.permute(1, 2, 0).cpu().numpy(), count)
    else:
        windows, every = _windows(height, width, count)
        runs = torch.stack([image[:, top:bottom, left:right] for left, top, right, bottom in windows])
        features = _features(runs.cpu().numpy().transpose(0, 2, 3, 1), every, height * width, count)
    return _with_bits(features, image, count)


def of_pil(image: Image.Image, count: int = QUICK) -> NDArray[np.float32]:
    """Return the features of a PIL image of mode RGB, equal to those of its pixels in a tensor."""
    width, height = image.size
    if count == THOROUGH or min(height, width) < 2 * BLOCK:
        return of_tensor(from_pil(image), count)
    windows, every = _windows(height, width, count)
    left, top, right, bottom = windows[0]
    pixels = bytearray().join([image.crop(window).tobytes() for window in windows])
    runs = np.frombuffer(pixels, np.uint8).reshape(len(windows), bottom - top, right - left, 3)
    return _with_bits(_features(runs, every, height * width, count), None, count)


def _with_bits(features: list[float], image: torch.Tensor | None, count: int) -> NDArray[np.float32]:
    """Append the expected bits, in a thorough look, and the constant that ends all looks."""
    more = expectation.bits(image) if image is not None and count == THOROUGH else []
    return np.array([*features, *more, 1.0], np.float32)


def _of_array(pixels: NDArray[np.uint8], count: int) -> list[float]:
    """Return the features of an image (H, W, 3) with a side below two blocks, its last row and column repeated."""
    height, width = pixels.shape[:2]
    wide = ((0, max(0, 2 * BLOCK - height)), (0, max(0, 2 * BLOCK - width)), (0, 0))
    padded = np.pad(pixels, wide, mode="edge")
    windows, every = _windows(padded.shape[0], padded.shape[1], count)
    runs = [padded[top:bottom, left:right] for left, top, right, bottom in windows]
    return _features(np.stack(runs), every, height * width, count)


def _windows(height: int, width: int, count: int) -> tuple[list[tuple[int, int, int, int]], int]:
    """Return windows (left, top, right, bottom) around rows of blocks, and n where every n-th block of a row counts.

    A window includes the line above and the column before its blocks. Rows are spread evenly over the height, and each
    begins at another column, so that the blocks form no grid.
    """
    down, across = height // BLOCK - 1, width // BLOCK - 1
    number = min(down, _STRIPS[count])
    every = max(1, min(across, round(number * across / _BLOCKS[count])))
    length = 1 + (across - every) // every * every
    windows = []
    for at in range(number):
        top = BLOCK * (1 + int((at + 0.5) * down / number))
        left = BLOCK * (1 + int(at * 0.618034 % 1 * every))
        windows.append((left - 1, top - 1, left + BLOCK * length, top + BLOCK))
    return windows, every


def _features(runs: NDArray[np.uint8], every: int, pixels: int, count: int) -> list[float]:
    """Return the features of rows (N, 9, 8 * length + 1, 3) where every n-th block counts; `pixels` is the image's."""
    import torch

    runs = np.ascontiguousarray(runs)
    # By torch: a DataLoader's worker has one thread of it. Those of numpy would compete with the other workers.
    coefficients = (torch.from_numpy(_blocks(runs, every)) @ _kernel(count >= CLOSE)).numpy()
    means = coefficients[:, 0].reshape(len(runs), -1)
    steps = np.abs(means[:, 1:] - means[:, :-1])
    step = math.log2(1 + float(steps.sum()) / steps.size) if steps.size else 0.0
    features = [math.log2(pixels) - 17, step, *_above(coefficients[:, 1 : 1 + _SCALED], *_STEPS)]
    if count >= CLOSE:
        left = _unpredicted(runs, every)
        features += [*_above(coefficients[:, 1 + _SCALED :], *_HALVED), *_above(left, *_LEVELS)]
        features += _above(left.max(1, keepdims=True), *_ANY)
    return features


def _blocks(runs: NDArray[np.uint8], every: int) -> NDArray[np.float32]:
    """Return the blocks that count, (M, 192) by row, column, colour, without the line above and the column before."""
    count, _, width, _ = runs.shape
    line, row = runs.strides[0], runs.strides[1]
    along = 1 + (width - 1 - BLOCK) // (BLOCK * every)
    # A view of them: pixels of a block's row lie side by side, which copies faster than by colours.
    shape = (count, along, BLOCK, 3 * BLOCK)
    strides = (line, 3 * BLOCK * every, row, 1)
    view: NDArray[np.uint8] = np.ndarray(shape, np.uint8, runs.data, row + 3, strides)
    return view.astype(np.float32).reshape(-1, 3 * BLOCK * BLOCK)


def _above(sizes: NDArray[np.float32], lowest: int, count: int) -> list[float]:
    """Return log2 of the number per row of sizes from 2 ** lowest, and so on by octaves; half a count is added."""
    octaves = (np.ascontiguousarray(sizes).view(np.int32).ravel() >> 23) & 0xFF  # the exponents, 127 being 2 ** 0
    reached = np.bincount(octaves, minlength=256)[::-1].cumsum()[::-1]
    lowest += 127
    return [math.log2((count_above + 0.5) / len(sizes)) for count_above in reached[lowest : lowest + count].tolist()]


def _unpredicted(runs: NDArray[np.uint8], every: int) -> NDArray[np.float32]:
    """Return sizes of the coefficients of 4x4 luma blocks after prediction from the pixels around them, (M, 16).

    The best of four predictions counts, as in codecs with intra modes.
    """
    import torch

    side = BLOCK + 1
    blocks = torch.from_numpy(runs).unfold(2, side, BLOCK * every)  # rows, 9 lines, blocks, colours, 9 columns
    blocks = blocks.permute(0, 2, 3, 1, 4).contiguous().float()
    luma = torch.einsum("c,nmcij->nmij", torch.tensor(_YCC[0]), blocks)
    # 5x5 pixels: a block with the line above and the column to the left.
    around = luma.unfold(2, 5, 4).unfold(3, 5, 4).reshape(-1, 25)
    sizes = (around @ _residuals()).reshape(-1, 4, 16).abs_()
    best = sizes.sum(2).argmin(1)
    left: NDArray[np.float32] = sizes[torch.arange(len(sizes)), best].numpy()
    return left


@functools.cache
def _kernel(halved: bool) -> Any:
    """Return the matrix (192, ...) from RGB blocks to the mean luma and coefficients in units of their steps.

    With `halved` also to coefficients of chroma at half resolution, in levels.
    """
    import torch

    basis = cosines(BLOCK)
    columns = [np.multiply.outer(np.outer(basis[0], basis[0]) / _LUMA[0][0], _YCC[0]).ravel()]
    for colour, steps in zip(_YCC, (_LUMA, _CHROMA, _CHROMA), strict=True):
        for down, row in enumerate(steps):
            for across, step in enumerate(row):
                if down or across:
                    columns.append(np.multiply.outer(np.outer(basis[down], basis[across]) / step, colour).ravel())
    assert len(columns) == 1 + _SCALED
    if halved:
        wide = np.repeat(cosines(4), 2, axis=1) / 2
        columns += [
            np.multiply.outer(np.outer(wide[down], wide[across]), colour).ravel()
            for colour in _YCC[1:]
            for down in range(4)
            for across in range(4)
            if down or across
        ]
    return torch.from_numpy(np.stack(columns, 1).astype(np.float32))


@functools.cache
def _residuals() -> Any:
    """Return the matrix (25, 64) from 5x5 pixels to the 16 coefficients that each of four predictions leaves."""
    import torch

    at = np.arange(25).reshape(5, 5)
    pixel = np.eye(25)
    block, top, left = pixel[at[1:, 1:]], pixel[at[:1, 1:]], pixel[at[1:, :1]]
    around = (top.mean(1, keepdims=True) + left.mean(0, keepdims=True)) / 2
    waves = cosines(4)
    predictions = (around, top, left, top + left - pixel[0])
    residuals = [
        np.einsum("ij,jkp,lk->pil", waves, block - prediction, waves).reshape(25, 16) for prediction in predictions
    ]
    return torch.from_numpy(np.concatenate(residuals, 1).astype(np.float32))
