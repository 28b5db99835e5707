"""Pictures that fill only a corner of their mode's range: they look almost black, and are meant on another scale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, final

from compress_guard.codecs.pictures.levels import EIGHT_BITS, Levels, levels_of
from compress_guard.errors import DataError

if TYPE_CHECKING:
    import torch

BITS: Final = (8, 10, 12, 14)
"""Bit depths of sensors and files whose levels are often left unscaled in 16 or 32 bits."""
UNIT: Final = 2.0
"""Upper bound of floats from 0 to 1, with room for overshoot from resizing; on a scale to 255 it is black."""
HIGH_BYTE: Final = 15
"""Highest level of 12-bit colour if a reader kept only the upper of two bytes."""
ENOUGH: Final = 32
"""Number of pictures in random order that cannot all be dark by chance."""

_SCALES: Final = {"8-bit": 255, "F": 255, "I": 65535, "I;16": 65535}
"""Level of white for each family of modes whose levels are brightness."""
_DARKEST: Final = {"8-bit": HIGH_BYTE, "F": UNIT, "I": 2 ** BITS[-1] - 1, "I;16": 2 ** BITS[-1] - 1}
"""Highest level of pictures that fill only such a corner, for each of these families."""
_OR_ELSE: Final = ", or they come out"
_FLOATS: Final = "Image.fromarray((array * 255).round().astype(np.uint8))"


def check_levels(levels: Sequence[Levels], *, loose: bool = False) -> None:
    """Raise `DataError` if all pictures, or all of one mode, fill only a corner of their mode's range.

    The message ends with the line of code that hands the pictures over correctly. One dark picture among others is
    allowed. `loose` is for a few pictures that are no data set: they may be black.
    """
    for mode in dict.fromkeys(_family(picture.mode) for picture in levels):
        group = [picture for picture in levels if _family(picture.mode) == mode]
        # A single picture of its mode among others says nothing about the data set.
        if len(group) == 1 and len(levels) > 1:
            continue
        for found, expected, remedy in _corners(group, may_be_black=loose or len(group) < len(levels)):
            raise DataError(f"{found}; expected {expected}; {remedy}")


def is_dark(picture: Levels) -> bool:
    """Return True if a picture by itself fills only such a corner, black ones included."""
    return picture.high <= _DARKEST.get(_family(picture.mode), -1)


@final
class DarkWatch:
    """Checks pictures that arrive one by one, in unknown number, until one of them is bright enough."""

    def __init__(self) -> None:
        self._dark: list[Levels] = []
        self.done = False
        """True if no further picture has to be checked."""

    def look(self, image: torch.Tensor, mode: str = "uint8 tensor") -> None:
        """Check a uint8 RGB tensor (3, H, W); raises `DataError` once the first 32 all lie in one corner."""
        if self.done:
            return
        seen = levels_of(image, mode, None, None)
        self._dark.append(seen)
        self.done = seen.high > HIGH_BYTE or len(self._dark) == ENOUGH
        if self.done and seen.high <= HIGH_BYTE:
            check_levels(self._dark, loose=True)


def _family(mode: str) -> str:
    """Return the name of the family of modes whose pictures are judged together."""
    return "8-bit" if mode in EIGHT_BITS else mode


def _pictures(group: Sequence[Levels]) -> str:
    modes = " and ".join(dict.fromkeys(picture.mode for picture in group))
    kind = modes if modes == "uint8 tensor" else f"mode {modes}"
    return f"the only picture ({kind})" if len(group) == 1 else f"all {len(group)} pictures ({kind})"


def _corners(group: Sequence[Levels], *, may_be_black: bool) -> Iterator[tuple[str, str, str]]:
    """Yield what was found, what was expected and what to do for each corner in which the whole group lies."""
    pictures, mode = _pictures(group), _family(group[0].mode)
    if all(picture.alpha is not None for picture in group):
        alpha = max(picture.alpha or 0 for picture in group)
        if alpha <= 1:
            remedy = 'scale alpha by 255, or drop it by image.convert("RGB")'
            yield f"the alpha of {pictures} is at most {alpha}", f"up to 255{_OR_ELSE} white", remedy
    low, high = min(picture.low for picture in group), max(picture.high for picture in group)
    found = f"the levels of {pictures} are {low:g} to {high:g}"
    if high == 0:
        if not may_be_black and mode in _SCALES:
            remedy = f"if they were floats from 0 to 1, hand them over as {_FLOATS}"
            yield f"every level of {pictures} is 0", "pictures that are not all black", remedy
        return
    if high > _DARKEST.get(mode, -1):
        return
    if mode == "8-bit":
        remedy = _brightened(int(high), group[0].mode)
    else:
        remedy = f"hand them over as {_FLOATS if mode == 'F' else _scaled(int(high))}"
    yield found, f"0 for black to {_SCALES[mode]} for white{_OR_ELSE} almost black", remedy


def _scaled(high: int) -> str:
    """Return the code that makes 8-bit pictures of integers, on the scale that this highest level suggests."""
    if high <= 1:
        return "Image.fromarray((array * 255).astype(np.uint8))"
    bits = next(bits for bits in BITS if high < 2**bits)
    shifted = "array" if bits == BITS[0] else f"(array >> {bits - BITS[0]})"
    return f"Image.fromarray({shifted}.astype(np.uint8))"


def _brightened(high: int, mode: str) -> str:
    """Return the remedy for 8-bit pictures with this highest level."""
    if high <= 1:
        whole = "(image * 255).round().to(torch.uint8)" if mode == "uint8 tensor" else _FLOATS
        return f"if they were floats from 0 to 1, hand the floats over as {whole}"
    bits = 10 if high <= 3 else 12
    return (
        f"if they are the high bytes of {bits}-bit colour in 16 bits, all that Pillow keeps, read the files by "
        f"array = cv2.imread(path, cv2.IMREAD_UNCHANGED)[..., ::-1] and hand them over as "
        f"Image.fromarray((array >> {bits - 8}).astype(np.uint8))"
    )
