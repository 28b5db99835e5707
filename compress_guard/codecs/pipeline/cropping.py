"""The step ``crop``: a part of the picture, in pixels or in shares of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from compress_guard.codecs.pictures.geometry import Geometry
from compress_guard.errors import CodecError, OptionError

if TYPE_CHECKING:
    import torch

Window: TypeAlias = tuple[int, int, int, int]
"""(x1, y1, x2, y2) in whole pixels."""
_CORNERS: Final = 4
_CENTRE: Final = "centre must be pixels from 1 on, a share with a decimal point up to 1.0, or a pair [height, width]"
_BOX: Final = "box must be [x1, y1, x2, y2] in pixels, or in shares with a decimal point from 0.0 to 1.0"


@dataclass(frozen=True, slots=True)
class Crop:
    """A cut, around the centre or by its corners: whole numbers are pixels, numbers with a decimal point are shares."""

    centre: int | float | tuple[int | float, ...] | None = None
    """Side of a square, or [height, width]; what is longer than the picture is cut to it."""
    box: tuple[int | float, ...] | None = None
    """[x1, y1, x2, y2]; what lies outside the picture is left out."""

    def __post_init__(self) -> None:
        if (self.centre is None) == (self.box is None):
            found = "both" if self.centre is not None else "neither"
            raise OptionError(f"give one of centre and box, found {found}")
        if self.centre is not None:
            _check_lengths(self.centre)
        else:
            _check_corners(self.box)

    @classmethod
    def of(cls, options: Mapping[str, object]) -> Crop:
        """Build from the options of a step; raises `OptionError`."""
        return cls(**options)  # type: ignore[arg-type]  # checked above

    def window(self, size: tuple[int, int]) -> Window:
        """Return the part of a picture of size (H, W) that is kept; raises `CodecError` where nothing is."""
        height, width = size
        if self.centre is not None:
            wanted = self.centre if isinstance(self.centre, tuple) else (self.centre, self.centre)
            tall, wide = _length(wanted[0], height), _length(wanted[1], width)
            top, left = (height - tall) // 2, (width - wide) // 2
            return left, top, left + wide, top + tall
        assert self.box is not None
        shares = _are_shares(self.box)
        ends = (width, height, width, height)
        x1, y1, x2, y2 = (
            math.floor(corner * end + 0.5) if shares else min(int(corner), end)
            for corner, end in zip(self.box, ends, strict=True)
        )
        if shares:  # a share of a picture is never nothing
            x1, y1 = min(x1, width - 1), min(y1, height - 1)
            x2, y2 = max(x2, x1 + 1), max(y2, y1 + 1)
        if x1 >= x2 or y1 >= y2:
            raise CodecError(f"the box {list(self.box)} lies outside a picture of {width}x{height} pixels")
        return x1, y1, x2, y2

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return (H, W) of the part that is kept of a picture of size (H, W)."""
        x1, y1, x2, y2 = self.window(size)
        return y2 - y1, x2 - x1

    def geometry(self, known: Geometry) -> Geometry:
        """Return the geometry behind this step, given that in front of it."""
        height, width = known.delivered
        window = self.window(known.delivered)
        if window == (0, 0, width, height):
            return known
        left, top, right, bottom = known.box
        across, down = (right - left) / width, (bottom - top) / height
        x1, y1, x2, y2 = window
        box = (left + x1 * across, top + y1 * down, left + x2 * across, top + y2 * down)
        return Geometry(known.source, box, (y2 - y1, x2 - x1))

    def applied(self, image: torch.Tensor) -> torch.Tensor:
        """Return the part of a uint8 RGB image (3, H, W) that is kept."""
        x1, y1, x2, y2 = self.window((image.shape[-2], image.shape[-1]))
        return image[:, y1:y2, x1:x2].contiguous()

    @property
    def tolerance(self) -> int | None:
        """Factor by which differences between two pictures may grow: see `Resize.tolerance`."""
        return 1


def _length(wanted: float, whole: int) -> int:
    """Return the pixels of a side; `wanted` is pixels or a share."""
    pixels = wanted if isinstance(wanted, int) else max(1, math.floor(wanted * whole + 0.5))
    return min(pixels, whole)


def _check_lengths(given: object) -> None:
    pair = isinstance(given, tuple | list)
    lengths = tuple(given) if isinstance(given, tuple | list) else (given,)
    if len(lengths) != 1 + pair or not all(map(_is_length, lengths)):
        raise OptionError(f"{_CENTRE}, found {_shown(given)}")
    if lengths == (1,) and isinstance(lengths[0], int):
        raise OptionError("centre is 1, which is a single pixel; write 1.0 for the whole picture")
    if len({type(length) for length in lengths}) > 1:
        raise OptionError(f"centre mixes pixels and shares, found {_shown(given)}; write both in one way")


def _is_length(length: object) -> bool:
    if isinstance(length, bool) or not isinstance(length, int | float):
        return False
    return length >= 1 if isinstance(length, int) else 0 < length <= 1


def _check_corners(given: object) -> None:
    numbers = given if isinstance(given, tuple | list) else ()
    if len(numbers) != _CORNERS or any(isinstance(each, bool) or not isinstance(each, int | float) for each in numbers):
        raise OptionError(f"{_BOX}, found {_shown(given)}")
    if not all(0 <= number < math.inf for number in numbers):
        raise OptionError(f"{_BOX}, found {_shown(given)}")
    if _are_shares(numbers) and not all(number <= 1 for number in numbers):
        raise OptionError(f"box mixes pixels and shares, found {_shown(given)}; write whole numbers for pixels")
    x1, y1, x2, y2 = numbers
    if x1 >= x2 or y1 >= y2:
        raise OptionError(f"box holds nothing, found {_shown(given)}; x1 must be below x2, and y1 below y2")
    if tuple(numbers) == (0, 0, 1, 1) and not _are_shares(numbers):
        raise OptionError("box is [0, 0, 1, 1], which is a single pixel; write 1.0 for the whole picture")


def _are_shares(corners: tuple[int | float, ...] | list[int | float]) -> bool:
    """Return True for corners in shares: one of them has a decimal point."""
    return any(isinstance(corner, float) for corner in corners)


def _shown(given: object) -> str:
    return repr(list(given)) if isinstance(given, tuple) else repr(given)
