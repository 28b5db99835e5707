"""Mishaps of a decoder that are the same for every image: swapped channels, a turn, a shift, other values."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from compress_guard.codecs.pictures.fidelity import EXACT_PSNR

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

Planes: TypeAlias = "NDArray[Any]"
"""Channels, rows and columns of an image: (3, H, W)."""

WINDOW: Final = 240
"""Longest side in pixels of the part of an image that is compared; with `FURTHEST` a power of two, for the FFT."""
FURTHEST: Final = 16
"""Longest shift in pixels that is tried: a block of most codecs."""
_FEWEST_PIXELS: Final = 256
"""Least number of pixels that are compared: smaller images fit too well by chance."""
_OVERLAP: Final = 4
"""Least ratio of a side to a shift, so that enough is left to compare."""

_TURNS: Final[dict[str, Callable[[Planes], Planes]]] = {
    "": lambda image: image,
    "mirrored left to right": lambda image: image[:, :, ::-1],
    "mirrored top to bottom": lambda image: image[:, ::-1],
    "turned by 180 degrees": lambda image: image[:, ::-1, ::-1],
}
_TURNS_OF_SQUARES: Final[dict[str, Callable[[Planes], Planes]]] = {
    "mirrored along the diagonal": lambda image: image.swapaxes(1, 2),
    "turned by 90 degrees to the right": lambda image: image.swapaxes(1, 2)[:, :, ::-1],
    "turned by 90 degrees to the left": lambda image: image.swapaxes(1, 2)[:, ::-1],
    "mirrored along the other diagonal": lambda image: image.swapaxes(1, 2)[:, ::-1, ::-1],
}
"""Turns of square pictures. In other pictures they change the size, which is an error anyway."""
_ORDERS: Final = tuple(permutations(range(3)))
_VALUES: Final = {
    "inverted": (-1.0, 255.0),
    "stretched from 16-235 to 0-255": (255 / 219, -16 * 255 / 219),
    "squeezed from 0-255 into 16-235": (219 / 255, 16.0),
}
"""Scales of values: factor and summand of each."""
VALUES: Final = slice(8 * len(_ORDERS), 8 * len(_ORDERS) + len(_VALUES))
"""Places of the scales of values in `remedies`: behind eight turns with each order of the channels."""
_CENTRE: Final = 128
"""Level that is subtracted from all values: sums of smaller squares are more exact."""
_LEAST_ERROR: Final = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Fits:
    """The fit of a decoded image to its source with every remedy for a mishap, in dB of PSNR, in the order of
    `remedies`.

    NaN where a remedy cannot be tried.
    """

    before: NDArray[Any]
    """Fits without the remedy, over the same pixels."""
    after: NDArray[Any]
    flat: float
    """Fit of a flat picture of the source's mean colour."""


@functools.cache
def remedies() -> tuple[str, ...]:
    """Return the name of each remedy, in words."""
    turns = [
        " and ".join(name for name in (turn, order) if name)
        for turn in _TURNS | _TURNS_OF_SQUARES
        for order in _orders()
    ]
    moves = [(y, x) for y in range(-FURTHEST, FURTHEST + 1) for x in range(-FURTHEST, FURTHEST + 1)]
    # The first turn and order, and the shift by 0, are no remedies: they have no name.
    return (*turns, *_VALUES, *(_move(-y, -x) for y, x in moves))


def fits(decoded: torch.Tensor, source: torch.Tensor) -> Fits | None:
    """Fit a decoded image to its source by every remedy, both uint8 RGB (3, H, W) of one size.

    Large images are compared in their most detailed window. Images that are too small tell nothing: None.
    """
    import numpy as np

    image, wanted = (each.cpu().numpy() for each in (decoded, source))
    if wanted[0].size < _FEWEST_PIXELS:
        return None
    window = _window(wanted)
    ours, theirs = _centred(image, window), _centred(wanted, window)
    errors = [_order_errors(_centred(turn(image), window), theirs) for turn in _TURNS.values()]
    if image.shape[1] == image.shape[2]:
        errors += [_order_errors(_centred(turn(image), window), theirs) for turn in _TURNS_OF_SQUARES.values()]
    else:
        errors += [np.full(len(_ORDERS), np.nan)] * len(_TURNS_OF_SQUARES)
    after = np.concatenate([*errors, _value_errors(ours, theirs)])
    before = np.full(len(after), ((ours - theirs) ** 2).mean())
    unmoved, moved = _shift_errors(ours.mean(0), theirs.mean(0))
    return Fits(
        _decibels(np.concatenate([before, unmoved])),
        _decibels(np.concatenate([after, moved])),
        float(_decibels(theirs.var((1, 2)).mean())),
    )


def _decibels(errors: Planes) -> Planes:
    """Return the PSNR of mean squared errors, which are a little wrong where they are differences of large sums."""
    import numpy as np

    return np.asarray(np.minimum(EXACT_PSNR, 10 * np.log10(255**2 / np.maximum(errors, _LEAST_ERROR))))


def _orders() -> list[str]:
    """Return the names of the orders of the channels; the right order has an empty name."""
    letters = ["".join("RGB"[channel] for channel in order) for order in _ORDERS]
    return ["" if name == "RGB" else f"read as {name}" for name in letters]


def _centred(image: Planes, window: tuple[slice, slice]) -> Planes:
    import numpy as np

    return np.subtract(image[:, *window], _CENTRE, dtype=np.float64, order="C")


def _window(image: Planes) -> tuple[slice, slice]:
    """Return the rows and columns of the window with the largest variance, of up to nine at even distances."""
    starts = [sorted({0, (side - WINDOW) // 2, side - WINDOW}) if side > WINDOW else [0] for side in image.shape[1:]]
    windows = [(slice(y, y + WINDOW), slice(x, x + WINDOW)) for y in starts[0] for x in starts[1]]
    if len(windows) == 1:
        return windows[0]
    return max(windows, key=lambda window: float(image[:, *window][:, ::4, ::4].var()))


def _order_errors(ours: Planes, theirs: Planes) -> Planes:
    """Return the mean squared error for each order of the channels."""
    import numpy as np

    one, other = ours.reshape(3, -1), theirs.reshape(3, -1)
    products = one @ other.T
    # All values are whole numbers and all sums below 2**53, so exact in any order.
    squares = np.vdot(one, one) + np.vdot(other, other)
    common = np.array([sum(products[channel, at] for at, channel in enumerate(order)) for order in _ORDERS])
    return np.asarray((squares - 2 * common) / one.size)


def _value_errors(ours: Planes, theirs: Planes) -> Planes:
    """Return the mean squared error for each scale of values."""
    import numpy as np

    scales = [(factor, summand + (factor - 1) * _CENTRE) for factor, summand in _VALUES.values()]
    return np.array([((factor * ours + summand - theirs) ** 2).mean() for factor, summand in scales])


def _shift_errors(ours: Planes, theirs: Planes) -> tuple[Planes, Planes]:
    """Return mean squared errors of luma (H, W) before and after each shift, over the pixels where both overlap.

    Sums of squares are rectangles of their summed tables, sums of products a correlation by FFT. A picture that is not
    moved is rated over the overlap's pixels of the source or of the decoded image, wherever it fits better: what lies
    outside must not count for the shift. Nor must a tint, which on an even slope looks like one.
    """
    import numpy as np

    height, width = theirs.shape
    down, right = (min(FURTHEST, side // _OVERLAP) for side in (height, width))
    size = (height + down, width + right)
    common = np.fft.irfft2(np.fft.rfft2(ours, size) * np.fft.rfft2(theirs, size).conj(), size)
    moves = np.arange(-down, down + 1), np.arange(-right, right + 1)
    starts = [np.maximum(0, -move) for move in moves]
    sides = [side - abs(move) for side, move in zip((height, width), moves, strict=True)]
    moved = [start + move for start, move in zip(starts, moves, strict=True)]
    squares = _sums(_table(ours**2), moved, sides) + _sums(_table(theirs**2), starts, sides)
    errors = squares - 2 * common[np.ix_(*moves)]
    difference = ours - theirs
    table = _table((difference - difference.mean()) ** 2)
    unmoved = np.minimum(_sums(table, moved, sides), _sums(table, starts, sides))
    margins = [(FURTHEST - most,) * 2 for most in (down, right)]
    count = np.outer(*sides)
    before, after = (np.pad(sums / count, margins, constant_values=np.nan).ravel() for sums in (unmoved, errors))
    return before, after


def _move(down: int, right: int) -> str:
    """Return the name of a shift; "" for no shift."""
    ways = (down, "down", "up"), (right, "right", "left")
    parts = [
        f"{abs(by)} pixel{'s' * (abs(by) > 1)} {forward if by > 0 else backward}"
        for by, forward, backward in ways
        if by
    ]
    return f"moved {' and '.join(parts)}" if parts else ""


def _table(values: Planes) -> Planes:
    """Return the summed table of values (H, W): each element is the sum of all values above and to the left of it."""
    import numpy as np

    table = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    table[1:, 1:] = values.cumsum(0).cumsum(1)
    return table


def _sums(table: Planes, starts: list[Planes], sides: list[Planes]) -> Planes:
    """Return sums over rectangles: a row of the result per start and length along H, a column per start along W.

    `table` is the summed table of the values.
    """
    import numpy as np

    (top, left), (bottom, right) = starts, [start + side for start, side in zip(starts, sides, strict=True)]
    corners = [table[np.ix_(rows, columns)] for rows in (top, bottom) for columns in (left, right)]
    return np.asarray(corners[3] - corners[2] - corners[1] + corners[0])
