"""How much there is to code in an image, from a few rows of its blocks: what the prediction of a rate starts from."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from compress_guard.augment import expectation
from compress_guard.augment.waves import BLOCK, cosines
from compress_guard.codecs.pictures.pixels import from_pil

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray
    from PIL import Image

QUICK: Final = 14
"""Features of a quick look: what a codec as fast as JPEG leaves time for."""
CLOSE: Final = 38
"""Features of a close look: the quick ones, and what is left of blocks that their neighbours foretell."""
THOROUGH: Final = CLOSE + len(expectation.STEPS)
"""Features of a thorough look: the close ones, and the bits that are expected of all blocks."""
LOOKS: Final = (QUICK, CLOSE, THOROUGH)
_STRIPS: Final = {QUICK: 6, CLOSE: 24, THOROUGH: 24}
"""Rows of blocks that are looked at, at most: cutting one out of a PIL image costs as much as ten blocks do."""
_BLOCKS: Final = {QUICK: 150, CLOSE: 720, THOROUGH: 720}
"""Blocks in them, about, far from one another: of a photograph of 0.3 megapixels 3 and 14 %. Fewer for a quick look, 4
rows and 130 blocks, bring 87 instead of 95 % of photographs within 20 % of their rate by JPEG."""

# ITU-T T.81, tables K.1 and K.2. The highest frequencies are left out: they tell nothing that their neighbours do not.
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
"""Coefficients but the means."""
_YCC: Final = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))

_STEPS: Final = (-5, 11)
"""Thresholds of coefficients in units of JPEG's steps at quality 50: log2 of the lowest, and how many octaves."""
_LEVELS: Final = (0, 9)
"""The same in levels of the image."""
_HALVED: Final = (0, 7)
_ANY: Final = (1, 8)


def of_tensor(image: torch.Tensor, count: int = QUICK) -> NDArray[np.float32]:
    """Features (count,), one of LOOKS, of a uint8 RGB tensor (3, H, W) on any device; only rows of blocks leave it."""
    import torch

    height, width = image.shape[-2:]
    if min(height, width) < 2 * BLOCK:
        found = _of_array(image.permute(1, 2, 0).cpu().numpy(), count)
    else:
        windows, every = _windows(height, width, count)
        runs = torch.stack([image[:, top:bottom, left:right] for left, top, right, bottom in windows])
        found = _features(runs.cpu().numpy().transpose(0, 2, 3, 1), every, height * width, count)
    return _with_bits(found, image, count)


def of_pil(image: Image.Image, count: int = QUICK) -> NDArray[np.float32]:
    """Features (count,) of a PIL image of mode RGB: those of the same pixels in a tensor."""
    width, height = image.size
    if count == THOROUGH or min(height, width) < 2 * BLOCK:
        return of_tensor(from_pil(image), count)
    windows, every = _windows(height, width, count)
    left, top, right, bottom = windows[0]
    pixels = bytearray().join([image.crop(window).tobytes() for window in windows])
    runs = np.frombuffer(pixels, np.uint8).reshape(len(windows), bottom - top, right - left, 3)
    return _with_bits(_features(runs, every, height * width, count), None, count)


def _with_bits(found: list[float], image: torch.Tensor | None, count: int) -> NDArray[np.float32]:
    """With what a thorough look adds, and with the constant that all looks end in."""
    more = expectation.bits(image) if image is not None and count == THOROUGH else []
    return np.array([*found, *more, 1.0], np.float32)


def _of_array(pixels: NDArray[np.uint8], count: int) -> list[float]:
    """Of an image (H, W, 3) with a side of less than two blocks: its last row and column are repeated."""
    height, width = pixels.shape[:2]
    wide = ((0, max(0, 2 * BLOCK - height)), (0, max(0, 2 * BLOCK - width)), (0, 0))
    padded = np.pad(pixels, wide, mode="edge")
    windows, every = _windows(padded.shape[0], padded.shape[1], count)
    runs = [padded[top:bottom, left:right] for left, top, right, bottom in windows]
    return _features(np.stack(runs), every, height * width, count)


def _windows(height: int, width: int, count: int) -> tuple[list[tuple[int, int, int, int]], int]:
    """Left, top, right and bottom of rows of blocks with the line above and the column before them; which n-th of their
    blocks counts, from the first on.

    Rows are spread evenly over the height; each begins at another column, so that the blocks are no grid.
    """
    down, across = height // BLOCK - 1, width // BLOCK - 1
    number = min(down, _STRIPS[count])
    every = max(1, min(across, round(number * across / _BLOCKS[count])))
    length = 1 + (across - every) // every * every
    found = []
    for at in range(number):
        top = BLOCK * (1 + int((at + 0.5) * down / number))
        left = BLOCK * (1 + int(at * 0.618034 % 1 * every))
        found.append((left - 1, top - 1, left + BLOCK * length, top + BLOCK))
    return found, every


def _features(runs: NDArray[np.uint8], every: int, pixels: int, count: int) -> list[float]:
    """Of rows (N, 9, 8 * length + 1, 3), every n-th block counting, of an image of so many pixels."""
    import torch

    runs = np.ascontiguousarray(runs)
    # By torch, whose threads a DataLoader's worker holds at one; numpy's would fight the other workers for the cores.
    found = (torch.from_numpy(_blocks(runs, every)) @ _kernel(count >= CLOSE)).numpy()
    means = found[:, 0].reshape(len(runs), -1)
    steps = np.abs(means[:, 1:] - means[:, :-1])
    step = math.log2(1 + float(steps.sum()) / steps.size) if steps.size else 0.0
    features = [math.log2(pixels) - 17, step, *_above(found[:, 1 : 1 + _SCALED], *_STEPS)]
    if count >= CLOSE:
        left = _unforetold(runs, every)
        features += [*_above(found[:, 1 + _SCALED :], *_HALVED), *_above(left, *_LEVELS)]
        features += _above(left.max(1, keepdims=True), *_ANY)
    return features


def _blocks(runs: NDArray[np.uint8], every: int) -> NDArray[np.float32]:
    """(M, 192): the blocks that count, without the line above and the column before them; row, column and colour."""
    count, _, width, _ = runs.shape
    line, row = runs.strides[0], runs.strides[1]
    along = 1 + (width - 1 - BLOCK) // (BLOCK * every)
    # A view of them: pixels of a block's row lie side by side, which copies faster than by colours.
    shape = (count, along, BLOCK, 3 * BLOCK)
    strides = (line, 3 * BLOCK * every, row, 1)
    view: NDArray[np.uint8] = np.ndarray(shape, np.uint8, runs.data, row + 3, strides)
    return view.astype(np.float32).reshape(-1, 3 * BLOCK * BLOCK)


def _above(found: NDArray[np.float32], lowest: int, count: int) -> list[float]:
    """log2 of how many of a row are at least 2 ** lowest in size, and so on; as if there were half a one more."""
    octaves = (np.ascontiguousarray(found).view(np.int32).ravel() >> 23) & 0xFF  # the exponents, 127 being 2 ** 0
    reached = np.bincount(octaves, minlength=256)[::-1].cumsum()[::-1]
    lowest += 127
    return [math.log2((one + 0.5) / len(found)) for one in reached[lowest : lowest + count].tolist()]


def _unforetold(runs: NDArray[np.uint8], every: int) -> NDArray[np.float32]:
    """(M, 16): sizes of the coefficients of 4x4 luma blocks less what the pixels around them foretell.

    Of four predictions, as all codecs with intra modes have them, that which leaves least.
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
    """(192, ...): RGB blocks, pixel by pixel, to the mean luma and coefficients in units of their steps; if `halved`,
    then to coefficients of chroma at half resolution, in levels."""
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
    """(25, 64): 5x5 pixels to the 16 coefficients of what each of four predictions leaves of the block in them."""
    import torch

    at = np.arange(25).reshape(5, 5)
    pixel = np.eye(25)
    block, top, left = pixel[at[1:, 1:]], pixel[at[:1, 1:]], pixel[at[1:, :1]]
    around = (top.mean(1, keepdims=True) + left.mean(0, keepdims=True)) / 2
    waves = cosines(4)
    predictions = (around, top, left, top + left - pixel[0])
    found = [np.einsum("ij,jkp,lk->pil", waves, block - one, waves).reshape(25, 16) for one in predictions]
    return torch.from_numpy(np.concatenate(found, 1).astype(np.float32))
