"""The step ``resize``: Pillow's resize to a size that follows from the picture's own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from compress_guard.codecs.options import require_choice, require_flag, require_positive, require_whole
from compress_guard.codecs.pictures.geometry import Geometry
from compress_guard.codecs.pixels import from_pil, to_pil
from compress_guard.errors import CodecError, OptionError

if TYPE_CHECKING:
    import torch

FILTERS: Final = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
"""Filters of Pillow, by its names."""
_SPREADING: Final = ("bicubic", "lanczos")
"""Filters with negative weights, behind which two pictures may be further apart than in front of it."""
_LONGEST: Final = 65535
_SIDES: Final = ("longest", "shortest", "width", "height")
_SIZES: Final = (*_SIDES, "scale", "area")


@dataclass(frozen=True, slots=True)
class Resize:
    """A change of size; one of the sizes is given, or width and height together."""

    longest: int | None = None
    """Pixels of the longer side; the other follows."""
    shortest: int | None = None
    """Pixels of the shorter side; the other follows."""
    width: int | None = None
    """Width in pixels; the height follows unless it is given too."""
    height: int | None = None
    scale: float | None = None
    """Factor for both sides."""
    area: int | None = None
    """Pixels of the whole picture, as near as its sides allow."""
    filter: str = "bicubic"
    upscale: bool = False
    """True if a picture may become larger; else a smaller one keeps its size."""

    def __post_init__(self) -> None:
        given = [name for name in _SIZES if getattr(self, name) is not None]
        if len(given) != 1 and given != ["width", "height"]:
            found = " and ".join(given) or "none of them"
            raise OptionError(f"give one of {', '.join(_SIZES)}, or width and height, found {found}")
        for name in given:
            if name in _SIDES:
                require_whole(name, getattr(self, name), 1, _LONGEST)
        if self.area is not None:
            require_whole("area", self.area, 1, _LONGEST**2)
        if self.scale is not None:
            require_positive("scale", self.scale)
        require_choice("filter", self.filter, FILTERS)
        require_flag("upscale", self.upscale)
        if self.scale is not None and self.scale > 1 and not self.upscale:
            raise OptionError(f"scale {self.scale:g} makes pictures larger, which needs upscale: true")

    @classmethod
    def of(cls, options: Mapping[str, object]) -> Resize:
        """Build from the options of a step; raises `OptionError`."""
        return cls(**options)  # type: ignore[arg-type]  # checked above

    @property
    def tolerance(self) -> int | None:
        """Factor by which differences between two pictures may grow; None if they may grow by more than rounding."""
        return None if self.filter in _SPREADING else 1

    def size(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return (H, W) of a resized picture of size (H, W); halves are rounded up, and a side has at least a pixel.

        Raises `CodecError` for a side that becomes longer than Pillow's formats can tell.
        """
        height, width = size
        if self.width is not None and self.height is not None:
            wanted = (self.height, self.width)
            return wanted if self.upscale else (min(wanted[0], height), min(wanted[1], width))
        factor = self._factor(height, width)
        if factor > 1 and not self.upscale:
            return size
        if factor * max(size) > _LONGEST:
            raise CodecError(f"a picture of {width}x{height} pixels would become longer than {_LONGEST} pixels")
        return _rounded(height * factor), _rounded(width * factor)

    def geometry(self, known: Geometry) -> Geometry:
        """Return the geometry behind this step, given that in front of it."""
        return Geometry(known.source, known.box, self.size(known.delivered))

    def applied(self, image: torch.Tensor) -> torch.Tensor:
        """Return a uint8 RGB image (3, H, W) resized; a change of size puts it on the CPU. Raises `CodecError`."""
        from PIL import Image

        height, width = self.size((image.shape[-2], image.shape[-1]))
        if (height, width) == tuple(image.shape[-2:]):
            return image
        try:
            return from_pil(to_pil(image).resize((width, height), Image.Resampling[self.filter.upper()]))
        except MemoryError as problem:
            raise CodecError(f"there is no memory for a picture of {width}x{height} pixels") from problem

    def _factor(self, height: int, width: int) -> Fraction:
        """Return the factor for both sides, exact but for that of an area."""
        if self.scale is not None:
            return Fraction(str(self.scale))
        if self.area is not None:
            return Fraction(math.sqrt(self.area / (height * width)))
        asked = self.longest or self.shortest or self.width or self.height
        assert asked is not None
        if self.longest is not None:
            return Fraction(asked, max(height, width))
        if self.shortest is not None:
            return Fraction(asked, min(height, width))
        return Fraction(asked, height if self.width is None else width)


def _rounded(length: Fraction) -> int:
    return max(1, math.floor(length + Fraction(1, 2)))
